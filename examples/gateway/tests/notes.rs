//! The notes of rules at HELO: a refused greeting and the start of TLS forget them.

use std::fs;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::gateway::{Running, handshake};
use super::scenario::{Scenario, rules};
use crate::gateway::policy::stage::Stage;

/// The first greeting of a client is noted in every way that there is.
const RULES: &str = r#"event_action = ''
    [[acl_smtp_connect]]
    verb = 'warn'
    set.acl_c_connect = 'connected'
    set.acl_c_last = 'connect'
    add_header = 'X-Connect: yes'
    [[acl_smtp_helo]]
    verb = 'warn'
    condition = '${if !eq{$sender_helo_name}{good.example}}'
    set.acl_c_helo = '$sender_helo_name'
    set.acl_c_last = 'helo'
    control = 'no_multiline_responses'
    [[acl_smtp_helo]]
    verb = 'quarantine'
    condition = '${if eq{$sender_helo_name}{bad.example}}'
    [[acl_smtp_helo]]
    verb = 'deny'
    condition = '${if eq{$sender_helo_name}{refused.example}}'
    [[acl_smtp_helo]]
    verb = 'deny'
    condition = '${if eq{$sender_helo_name}{show.example}}'
    message = 'at helo [$acl_c_mail]'
    [[acl_smtp_mail]]
    verb = 'warn'
    set.acl_c_mail = 'mailed'
    [[acl_smtp_rcpt]]
    verb = 'deny'
    local_parts = 'show'
    message = """[$acl_c_connect] [$acl_c_helo] [$acl_c_last]
        [$acl_c_mail]"""
"#;

/// The notes, as a refusal shows them in two lines or in one.
const KEPT: [&str; 2] = ["550-5.7.1 [connected] [] [connect]", "550 5.7.1         [mailed]"];

async fn ask(stream: &mut TlsStream<TcpStream>, line: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    let mut said = String::new();
    while said
        .lines()
        .last()
        .is_none_or(|last| !said.ends_with("\r\n") || !last[3..].starts_with(' '))
    {
        let mut octets = [0; 4096];
        let count = stream.read(&mut octets).await.unwrap();
        assert!(count > 0, "{said}");
        said.push_str(std::str::from_utf8(&octets[..count]).unwrap());
    }
    said
}

#[tokio::test]
async fn the_start_of_tls_forgets_the_greeting_before() {
    let running = Running::start(RULES).await;
    let mut client = running.client().await;
    client.say("EHLO bad.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    let shown = client.say("RCPT TO:<show@example.com>").await;
    assert_eq!(shown, "550 5.7.1 [connected] [bad.example] [helo]         [mailed]");
    assert!(client.say("STARTTLS").await.starts_with("220 "));
    let mut client = handshake(client.into_stream(), running.scratch.path()).await;
    ask(&mut client, "EHLO good.example").await;
    ask(&mut client, "MAIL FROM:<a@b.example>").await;
    let shown = ask(&mut client, "RCPT TO:<show@example.com>").await;
    assert_eq!(shown.lines().collect::<Vec<_>>(), KEPT);
    ask(&mut client, "RCPT TO:<ann@example.com>").await;
    assert!(ask(&mut client, "DATA").await.starts_with("354"));
    assert!(ask(&mut client, "Subject: a\r\n\r\nb\r\n.").await.starts_with("250 "));
    drop(client);
    let scratch = running.end().await;
    // It is not in quarantine, and has what was noted at connect.
    let [message] = &stored(scratch.path())[..] else { panic!("one message is stored") };
    assert!(message.contains("X-Connect: yes\r\n") && !message.contains("X-Quarantine"));
}

#[tokio::test]
async fn what_was_noted_at_mail_in_clear_text_is_forgotten_too() {
    let running = Running::start(RULES).await;
    let mut client = running.client().await;
    client.say("EHLO good.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    assert_eq!(client.say("EHLO show.example").await, "550 5.7.1 at helo [mailed]");
    assert!(client.say("STARTTLS").await.starts_with("220 "));
    let mut client = handshake(client.into_stream(), running.scratch.path()).await;
    let shown = ask(&mut client, "EHLO show.example").await;
    assert_eq!(shown, "550 5.7.1 at helo []\r\n");
    ask(&mut client, "EHLO good.example").await;
    ask(&mut client, "MAIL FROM:<a@b.example>").await;
    let shown = ask(&mut client, "RCPT TO:<show@example.com>").await;
    assert_eq!(shown.lines().collect::<Vec<_>>(), KEPT);
    running.end().await;
}

#[tokio::test]
async fn a_refused_greeting_leaves_no_notes() {
    let running = Running::start(RULES).await;
    let mut client = running.client().await;
    assert!(client.say("EHLO refused.example").await.starts_with("550 "));
    client.say("EHLO good.example").await;
    assert!(client.say("HELO refused.example").await.starts_with("550 "));
    client.say("MAIL FROM:<a@b.example>").await;
    let shown = client.say("RCPT TO:<show@example.com>").await;
    assert_eq!(shown.lines().collect::<Vec<_>>(), KEPT);
    // One that is accepted leaves its own.
    client.say("EHLO other.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    let shown = client.say("RCPT TO:<show@example.com>").await;
    assert_eq!(shown, "550 5.7.1 [connected] [other.example] [helo]         [mailed]");
    running.end().await;
}

/// Both places publish a limit and a rate; a rule at HELO refuses.
const RATES: &str = r"event_action = ''
    [[acl_smtp_helo]]
    verb = 'warn'
    ratelimit = '70 / 1h / per_cmd / strict / of-helo-$sender_host_address'
    [[acl_smtp_helo]]
    verb = 'deny'
    condition = '${if eq{$sender_helo_name}{refused.example}}'
    message = 'limit $sender_rate_limit, period $sender_rate_period, rate $sender_rate'
    [[acl_smtp_mail]]
    verb = 'warn'
    ratelimit = '50 / 2h / per_cmd / strict / of-mail-$sender_host_address'
    [[acl_smtp_rcpt]]
    verb = 'deny'
    local_parts = 'show'
    message = 'limit $sender_rate_limit, rate $sender_rate, period $sender_rate_period'
";

/// Within a transaction the rate of `MAIL` is that which later rules read, whatever a refused greeting has counted.
#[tokio::test]
async fn a_refused_greeting_leaves_the_rate_of_the_transaction() {
    let running = Running::start(RATES).await;
    let mut client = running.client().await;
    client.say("EHLO good.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    let before = client.say("RCPT TO:<show@example.com>").await;
    assert!(before.starts_with("550 5.7.1 limit 50, rate 1"), "{before}");
    assert!(before.ends_with(", period 2h"), "{before}");
    for count in 2..5 {
        // The rule of the greeting reads its own rate.
        let refused = client.say("EHLO refused.example").await;
        let own = format!("550 5.7.1 limit 70, period 1h, rate {count}.");
        // It declines a little with the time.
        let a_hair_less = format!("550 5.7.1 limit 70, period 1h, rate {}.9", count - 1);
        assert!(refused.starts_with(&own) || refused.starts_with(&a_hair_less), "{refused}");
        assert_eq!(client.say("RCPT TO:<show@example.com>").await, before);
    }
    client.quit().await;
    // Between transactions nothing of it stays either.
    let mut client = running.client().await;
    client.say("EHLO good.example").await;
    client.say("HELO refused.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    let shown = client.say("RCPT TO:<show@example.com>").await;
    assert!(shown.starts_with("550 5.7.1 limit 50, rate "), "{shown}");
    client.quit().await;
    running.end().await;
}

/// A client cannot take back what was counted by a greeting that is refused.
#[tokio::test]
async fn a_rate_is_counted_all_the_same() {
    let rules = rules(
        "[[acl_smtp_helo]]\nverb = 'defer'\nratelimit = '5 / 1m / per_conn'\nmessage = '$sender_rate'",
    );
    let mut scenario = Scenario::new();
    let before = scenario.state.notes();
    let first = scenario.judge(&rules, Stage::Helo, 0).await;
    scenario.state.go_back(before);
    let again = scenario.judge(&rules, Stage::Helo, 0).await;
    assert!(first.refusal.is_none() && again.refusal.is_none());
    // `per_conn` counts a connection once.
    let rate = scenario.state.published("sender_rate").unwrap().to_string();
    assert!(rate.starts_with('1'), "{rate}");
}

fn stored(folder: &std::path::Path) -> Vec<String> {
    let files = fs::read_dir(folder.join("maildir/new")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}
