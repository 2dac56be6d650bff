//! The modifier `delay`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::config_effect::refused;
use super::gateway::Running;
use super::scenario::{Delays, Scenario, rules};
use crate::gateway::policy::stage::Stage;

/// How many seconds these lines of a rule wait, and what is logged.
async fn waited(lines: &str, delays: Delays) -> (u64, Vec<String>) {
    let rules = rules(&format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{lines}"));
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.delays = Some(delays);
    assert!(!scenario.refusal(&rules, Stage::Rcpt).await.is_empty());
    let waited = scenario.delays.unwrap().waited.load(Ordering::Relaxed);
    (waited, scenario.state.take_log())
}

#[tokio::test]
async fn a_delay_lasts_as_long_as_it_says() {
    for (lines, seconds) in [
        ("delay = '30s'", 30),
        ("delay = 7", 7),
        ("delay = '1m30s'", 90),
        ("delay = '5m'", 300),
        ("delay = ['10s', '20s']", 30),
        ("delay = '${eval:2*3}s'", 6),
        ("delay = '${if eq{a}{b}{9s}{0s}}'", 0),
        ("delay = '${if eq{a}{b}{9s}fail}'", 0),
    ] {
        assert_eq!(waited(lines, Delays::default()).await, (seconds, Vec::new()), "{lines}");
    }
    // A condition that does not hold ends the rule before it.
    let text = "[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = '192.0.2.9'\ndelay = '30s'";
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.delays = Some(Delays::default());
    scenario.judge(&rules(text), Stage::Rcpt, 0).await;
    assert_eq!(scenario.delays.unwrap().waited.into_inner(), 0);
}

#[tokio::test]
async fn all_delays_of_a_command_have_a_limit() {
    let more = |wanted, left| {
        format!("delay: {wanted}s is more than the {left}s that are left of 5m for a command")
    };
    for (lines, expected) in [
        ("delay = ['4m', '1m']", vec![]),
        ("delay = ['4m', '61s']", vec![more(61, 60)]),
        ("delay = ['5m', '5m', '1s']", vec![more(300, 0), more(1, 0)]),
        ("delay = '${eval:60*60}s'", vec![more(3600, 300)]),
    ] {
        assert_eq!(waited(lines, Delays::default()).await, (300, expected), "{lines}");
    }
    let (seconds, log) = waited("delay = '$sender_helo_name'", Delays::default()).await;
    assert_eq!((seconds, log), (0, vec!["delay: client.example is not a time".to_owned()]));
}

/// The rule goes on, and its reply is that of a delay that has passed.
#[tokio::test]
async fn a_delay_ends_when_the_client_is_gone_and_when_the_server_stops() {
    let gone = Delays { goes: Some(10), ..Delays::default() };
    assert_eq!(waited("delay = '1m'", gone).await.0, 10);
    let stopped = Delays { stops: Some(20), ..Delays::default() };
    assert_eq!(waited("delay = '1m'", stopped).await.0, 20);
    let stopped = Delays { stops: Some(20), ..Delays::default() };
    assert_eq!(waited("delay = ['1m', '1m']", stopped).await.0, 21, "each looks once");
}

#[test]
fn a_delay_that_is_none_or_too_long_is_refused_at_load() {
    for (rule, error) in [
        (
            "[[acl_smtp_rcpt]]\nverb = 'warn'\ndelay = '0s'",
            "line 3: delay: a time above 0 and at most 5m",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'warn'\ndelay = '301s'",
            "line 3: delay: a time above 0 and at most 5m",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'warn'\ndelay = 'soon'",
            "line 3: delay: a time above 0 and at most 5m",
        ),
        ("[[acl_smtp_rcpt]]\nverb = 'warn'\n'!delay' = '1s'", "line 3: !delay is neither"),
        (
            "[[acl_smtp_data_prdr]]\nverb = 'warn'\ndelay = '1s'",
            "line 3: delay has no effect at acl_smtp_data_prdr",
        ),
        (
            "event_action = '${acl{x}}'\n[[acl.x]]\nverb = 'warn'\ndelay = '1s'",
            "line 4: delay has no effect in a list that event_action calls: there is no client that waits",
        ),
    ] {
        let found = refused(rule);
        assert!(found.starts_with(error), "{rule}: {found}");
    }
    for place in ["connect", "helo", "mail", "rcpt", "data"] {
        assert_eq!(refused(&format!("[[acl_smtp_{place}]]\nverb = 'warn'\ndelay = '5m'")), "");
    }
}

/// Both clients close something after their last command: one its sending only, the other all.
#[tokio::test]
async fn only_a_reset_connection_ends_a_delay() {
    let rules = "[[acl_smtp_data]]\nverb = 'warn'\ndelay = '2s'";
    let running = Running::start(&format!("event_action = ''\n{rules}")).await;
    let mut clients = [running.client().await, running.client().await];
    for client in &mut clients {
        client.say("EHLO client.example").await;
        client.say("MAIL FROM:<a@b.example>").await;
        client.say("RCPT TO:<ann@example.com>").await;
        client.raw(b"BDAT 6 LAST\r\na: b\r\n").await;
    }
    let begun = Instant::now();
    let [mut half, whole] = clients;
    half.end_sending().await;
    // The message must have come before the reset.
    sleep(Duration::from_millis(300)).await;
    whole.reset();
    let said = half.rest().await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(said.starts_with("250 2.0.0 "), "{said}");
    let scratch = running.end().await;
    let kept = std::fs::read_dir(scratch.path().join("maildir/new")).unwrap().count();
    assert_eq!(kept, 1);
}

/// A gateway, on a clock that is stopped: the runtime moves it to the next deadline when nobody has anything else
/// to do.
#[cfg(feature = "test-util")]
mod on_a_stopped_clock {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use crate::gateway::tests::gateway::Running;

    const RULES: &str = "event_action = ''
        [[acl_smtp_helo]]
        verb = 'warn'
        condition = '${if eq{$sender_helo_name}{slow.example}}'
        delay = '40s'
        [[acl_smtp_rcpt]]
        verb = 'deny'
        local_parts = 'slow'
        delay = '4m'
        message = 'at last'";

    #[tokio::test(start_paused = true)]
    async fn the_client_waits_and_has_its_earlier_replies() {
        let running = Running::start(RULES).await;
        let mut client = running.client().await;
        let start = Instant::now();
        assert!(client.say("EHLO slow.example").await.starts_with("250-"));
        assert_eq!(start.elapsed().as_secs(), 40);
        client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<slow@example.com>\r\nNOOP\r\n").await;
        let start = Instant::now();
        assert!(client.reply().await.starts_with("250 2.1.0 "));
        assert_eq!(start.elapsed().as_secs(), 0);
        assert_eq!(client.reply().await.trim_end(), "550 5.7.1 at last");
        assert_eq!(start.elapsed().as_secs(), 240);
        assert!(client.reply().await.starts_with("250 2.0.0 "));
        running.end().await;
    }

    /// Others are served meanwhile, and the server stops at once.
    #[tokio::test(start_paused = true)]
    async fn a_delay_holds_up_nobody_else() {
        let running = Running::start(RULES).await;
        let start = Instant::now();
        let mut waiting = Vec::new();
        for _ in 0..20 {
            let mut client = running.client().await;
            client.say("EHLO client.example").await;
            client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<slow@example.com>\r\n").await;
            waiting.push(client);
        }
        let mut client = running.client().await;
        assert!(client.say("EHLO client.example").await.starts_with("250-"));
        client.quit().await;
        sleep(Duration::from_secs(10)).await;
        assert_eq!(start.elapsed().as_secs(), 10);
        running.end().await;
        for client in &mut waiting {
            let rest = client.rest().await;
            assert!(rest.contains("550 5.7.1 at last\r\n421 4.3.2 "), "{rest}");
        }
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }

    /// A client whose connection is reset keeps no place.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_resets_its_connection_is_not_waited_for() {
        let running = Running::start(&format!("smtp_accept_max = 1\n{RULES}")).await;
        let mut client = running.client().await;
        client.say("EHLO client.example").await;
        client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<slow@example.com>\r\n").await;
        assert!(client.reply().await.starts_with("250 2.1.0 "));
        let start = Instant::now();
        client.reset();
        sleep(Duration::from_secs(3)).await;
        let mut next = running.client().await;
        assert!(next.say("EHLO client.example").await.starts_with("250-"));
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
        running.end().await;
    }

    /// A client that has ended its sending can read the reply, and gets it no sooner.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_ends_its_sending_waits_as_long() {
        let running = Running::start(RULES).await;
        let mut client = running.client().await;
        client.say("EHLO client.example").await;
        let start = Instant::now();
        client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<slow@example.com>\r\n").await;
        client.end_sending().await;
        let said = client.rest().await;
        assert_eq!(start.elapsed().as_secs(), 240, "{said}");
        assert!(said.ends_with("550 5.7.1 at last\r\n"), "{said}");
        running.end().await;
    }

    /// No reply can reach it, so it sends the message again: it must not be stored.
    #[tokio::test(start_paused = true)]
    async fn the_message_of_a_client_that_resets_its_connection_is_not_stored() {
        for prdr in ["", " PRDR"] {
            let running = Running::start(&format!("prdr_enable = true\n{LATE}")).await;
            let mut client = running.client().await;
            client.say("EHLO client.example").await;
            client.say(&format!("MAIL FROM:<a@b.example>{prdr}")).await;
            client.say("RCPT TO:<ann@example.com>").await;
            client.say("RCPT TO:<bob@example.com>").await;
            client.raw(b"BDAT 6 LAST\r\na: b\r\n").await;
            let start = Instant::now();
            sleep(Duration::from_secs(10)).await;
            client.reset();
            sleep(Duration::from_mins(1)).await;
            assert!(start.elapsed().as_secs() < 80);
            assert_eq!(kept(running).await, 0, "{prdr}");
        }
    }

    /// A rule that lets the message wait.
    const LATE: &str = "
        [[acl_smtp_data]]
        verb = 'warn'
        delay = '30s'";

    async fn kept(running: Running) -> usize {
        let scratch = running.end().await;
        std::fs::read_dir(scratch.path().join("maildir/new")).unwrap().count()
    }
}
