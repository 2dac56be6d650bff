//! Rate limits, and the limit of connections of a host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::scenario::{Scenario, rules};
use crate::gateway::policy::rates::{Count, RateEvent, Rates};
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::host_limit::HostLimit;

const RECOMMENDED: &str = include_str!("data/connection-rate.toml");
const PERIOD: Duration = Duration::from_secs(5);

/// Source: Exim's text of 2014 on its PROXY support, section 4.
#[tokio::test]
async fn the_recommended_rule_defers_who_connects_too_often() {
    let rules = rules(RECOMMENDED);
    let shared = Scenario::new();
    let mut connections = Vec::new();
    for connection in 0..8 {
        let mut scenario = Scenario::new();
        scenario.services = shared.services.clone();
        scenario.start = shared.start;
        let decision = scenario.judge(&rules, Stage::Connect, connection).await;
        // A second look in the same connection does not count.
        let again = scenario.judge(&rules, Stage::Connect, connection).await;
        assert_eq!(decision, again);
        connections.push(decision.refusal.map(|reply| reply.to_string()));
    }
    let deferred = "421 4.7.1 Too many connections from this IP right now";
    // The fifth is a hair below five in five seconds, for milliseconds have gone by.
    let (let_in, turned_away) = connections.split_at(5);
    assert!(let_in.iter().all(Option::is_none), "{connections:?}");
    assert!(turned_away.iter().all(|r| r.as_deref() == Some(deferred)), "{connections:?}");
}

#[tokio::test]
async fn the_real_client_counts_and_the_proxy_does_not() {
    let rules = rules(RECOMMENDED);
    let (services, start) = (Scenario::new().services, Instant::now());
    let ask = async |mut scenario: Scenario| {
        scenario.services = services.clone();
        scenario.start = start;

        scenario.judge(&rules, Stage::Connect, 0).await.refusal.is_some()
    };
    let behind = |client| format!("PROXY TCP4 {client} 203.0.113.25 5555 25\r\n");
    for connection in 1..=20 {
        // Each from another client.
        assert!(!ask(Scenario::proxied(&behind(format!("192.0.2.{connection}")))).await);
        // Each from the proxy itself, which does not say for whom.
        assert!(!ask(Scenario::proxied("PROXY UNKNOWN\r\n")).await);
    }
    for connection in 1..=6 {
        let refused = ask(Scenario::proxied(&behind("192.0.2.77".into()))).await;
        assert_eq!(refused, connection >= 5, "connection {connection}");
    }
}

fn event(key: &[u8], limit: f64, count: Count, now: Instant) -> RateEvent<'_> {
    RateEvent { key, period: PERIOD, limit, count, size: 1.0, unique: None, now }
}

#[test]
fn an_event_counts_as_much_as_its_size_and_once_if_it_is_the_same() {
    let (rates, now) = (Rates::default(), Instant::now());
    let rate = |key: &str, size: f64, unique: Option<&str>, after: u64| {
        let now = now + Duration::from_secs(after);
        let unique = unique.map(str::as_bytes);
        let plain = event(key.as_bytes(), 1e9, Count::Strict, now);
        rates.rate(RateEvent { size, unique, ..plain }).round()
    };
    assert_eq!(
        [rate("a", 100.0, None, 0), rate("a", 50.0, None, 0)].map(|rate| rate.to_string()),
        ["100", "150"]
    );
    // The same event in the same period does not count again; in the next it does.
    let found = ["x", "x", "y", "x"].map(|event| rate("b", 1.0, Some(event), 0));
    assert_eq!(found.map(|rate| rate.to_string()), ["1", "1", "2", "2"]);
    assert_eq!(rate("b", 1.0, Some("x"), PERIOD.as_secs()).to_string(), "1");
    assert_eq!(rate("b", 1.0, Some("y"), PERIOD.as_secs()).to_string(), "2");
    // Beyond what is told apart, each counts: a limit is never missed.
    for number in 0..=Rates::MAX_UNIQUE {
        rate("c", 1.0, Some(&number.to_string()), 0);
    }
    let last = rate("c", 1.0, Some(&Rates::MAX_UNIQUE.to_string()), 0);
    assert!(last > f64::from(u32::try_from(Rates::MAX_UNIQUE).unwrap()) + 1.0, "{last}");
}

#[test]
fn who_is_at_the_limit_is_over_it() {
    let (rates, now) = (Rates::default(), Instant::now());
    let rate = |key: &str, count, after| {
        rates.rate(event(key.as_bytes(), 3.0, count, now + Duration::from_secs_f64(after)))
    };
    // At once, each event counts whole.
    assert!([1.0, 2.0, 3.0].iter().all(|n| (rate("a", Count::Strict, 0.0) - n).abs() < 1e-6));
    // Strictly, all that comes over the limit counts; leaky, it does not.
    assert!(rate("a", Count::Strict, 0.0) > 3.9);
    for _ in 0..10 {
        rate("b", Count::Leaky, 0.0);
    }
    assert!((rate("b", Count::Leaky, 0.0) - 3.0).abs() < 1e-6);
    // Looking changes nothing.
    assert!((rate("c", Count::Not, 0.0) - 1.0).abs() < 1e-6);
    assert!((rate("c", Count::Not, 0.0) - 1.0).abs() < 1e-6);
    // Two events with a whole period between them are one in each.
    rate("d", Count::Strict, 0.0);
    let second = rate("d", Count::Strict, 5.0);
    assert!((second - 1.0).abs() < 1e-6, "{second}");
    // Steadily, two in a period are a rate of two.
    let mut last = 0.0;
    for event in 0..40 {
        last = rate("e", Count::Strict, 2.5 * f64::from(event));
    }
    assert!((last - 2.0).abs() < 0.05, "{last}");
    // A clock that goes back is one that stands still.
    assert!((rate("e", Count::Strict, 0.0) - last).abs() < 1.1);
}

#[test]
fn the_keys_used_least_lately_are_forgotten() {
    let (rates, now) = (Rates::default(), Instant::now());
    let rate = |key: usize| rates.rate(event(&key.to_be_bytes(), 1e9, Count::Strict, now));
    rate(0);
    for key in 1..Rates::MAX_KEYS {
        rate(key);
    }
    assert!((rate(0) - 2.0).abs() < 1e-6, "as many as that are remembered");
    for key in 0..2 * Rates::MAX_KEYS {
        rate(1_000_000 + key);
    }
    assert!((rate(0) - 1.0).abs() < 1e-6, "twice as many are not");
}

#[tokio::test]
async fn messages_and_recipients_are_counted_as_said() {
    let text = |place: &str, options: &str| {
        let mode = if options.contains("readonly") { "" } else { " / strict" };
        format!("[[{place}]]\nverb = 'deny'\nratelimit = '2.5 / 1h{mode} / {options}'")
    };
    for (place, option, options, expected) in [
        // Each recipient; each message once; each time it is asked; each sender for itself.
        (Stage::Rcpt, "acl_smtp_rcpt", "per_rcpt", [false, false, true]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_mail", [false, false, false]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_conn", [false, false, false]),
        (Stage::Mail, "acl_smtp_mail", "per_cmd", [false, false, true]),
        (
            Stage::Rcpt,
            "acl_smtp_rcpt",
            "per_rcpt / $sender_address/$local_part",
            [false, false, true],
        ),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_rcpt / readonly", [false, false, false]),
        // Options that have a value are no keys, and may follow the key.
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / unique=$domain", [false, false, false]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / unique=$recipients_count", [false, false, false]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_addr", [false, false, false]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / count=3", [true, true, true]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / count=${eval:2-1}", [false, false, true]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / count=1.5", [false, true, true]),
        (Stage::Rcpt, "acl_smtp_rcpt", "$domain / per_cmd", [false, false, true]),
        (Stage::Rcpt, "acl_smtp_rcpt", "per_cmd / $domain / readonly", [false, false, false]),
        (Stage::Mail, "acl_smtp_mail", "per_byte / count=1k", [true, true, true]),
    ] {
        let rules = rules(&text(option, options));
        let mut scenario = Scenario::new().with_mail("<a@b.example>", "bob@mx.example");
        for (time, expected) in expected.into_iter().enumerate() {
            let decision = scenario.judge(&rules, place, 0).await;
            assert_eq!(decision.refusal.is_some(), expected, "{options}, {time}");
        }
    }
    let rules = rules(&text("acl_smtp_mail", "per_mail"));
    let mut scenario = Scenario::new().with_mail("<a@b.example>", "bob@mx.example");
    for (time, expected) in [false, false, true].into_iter().enumerate() {
        scenario.state.start_message();
        let decision = scenario.judge(&rules, Stage::Mail, 0).await;
        assert_eq!(decision.refusal.is_some(), expected, "{time}");
    }
}

/// The sender chooses the key, and so cannot be counted as another's recipients.
#[tokio::test]
async fn a_key_that_looks_like_that_of_unique_events_is_another() {
    let plain = rules(
        "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '1000 / 1h / per_cmd / strict / $sender_address'",
    );
    let unique = rules(
        "[[acl_smtp_rcpt]]\nverb = 'deny'\n\
         ratelimit = '3 / 1h / per_cmd / strict / unique=$local_part / $sender_address'",
    );
    let mut scenario = Scenario::new().with_mail("<unique/ann@b.example>", "bob@mx.example");
    for _ in 0..6 {
        scenario.state.start_message();
        assert!(scenario.judge(&plain, Stage::Mail, 0).await.refusal.is_none());
    }
    let mut scenario = scenario.with_mail("<ann@b.example>", "bob@mx.example");
    assert!(scenario.judge(&unique, Stage::Rcpt, 0).await.refusal.is_none());
}

/// A client that declares no size, or too small a one, is counted by what it sends; one that declares it is not
/// counted twice.
#[tokio::test]
async fn octets_that_were_not_declared_are_counted_when_they_come() {
    let limit = "verb = 'deny'\nratelimit = '1000 / 1h / per_byte / strict'";
    let rules = rules(&format!("[[acl_smtp_mail]]\n{limit}\n[[acl_smtp_data]]\n{limit}"));
    for (declared, octets, expected) in [
        (0, 999, [false, false]),
        (0, 1000, [false, true]),
        (1, 1000, [false, true]),
        (999, 999, [false, false]),
        (999, 500, [false, false]),
        (999, 1000, [false, true]),
        (1000, 10, [true, true]),
    ] {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", "bob@mx.example");
        scenario.transaction.as_mut().unwrap().size = declared;
        let at_mail = scenario.judge(&rules, Stage::Mail, 0).await.refusal.is_some();
        scenario.message = "x".repeat(octets);
        let at_data = scenario.judge(&rules, Stage::Data, 0).await.refusal.is_some();
        assert_eq!([at_mail, at_data], expected, "{declared} {octets}");
        let again = scenario.judge(&rules, Stage::Data, 0).await.refusal.is_some();
        assert_eq!(again, at_data, "{declared} {octets}");
    }
}

#[tokio::test]
async fn the_rate_can_be_told() {
    let text = "
        [[acl_smtp_mail]]
        verb = 'warn'
        ratelimit = '0 / 1m / $sender_address'
        logwrite = '$sender_rate $sender_rate_limit $sender_rate_period'
    ";
    let mut scenario = Scenario::new().with_mail("<a@b.example>", "bob@mx.example");
    scenario.judge(&rules(text), Stage::Mail, 0).await;
    assert_eq!(scenario.state.take_log(), ["1.0 0 1m"]);
}

#[test]
fn a_host_has_only_so_many_connections_at_a_time() {
    let (limit, host) = (Arc::new(HostLimit::new(2)), IpAddr::from([192, 0, 2, 1]));
    let first = limit.enter(host);
    let second = limit.enter(host);
    assert!(first.is_some() && second.is_some());
    assert!(limit.enter(host).is_none());
    assert!(limit.enter(IpAddr::from([192, 0, 2, 2])).is_some());
    drop(first);
    let third = limit.enter(host);
    assert!(third.is_some() && limit.enter(host).is_none());
    let unlimited = Arc::new(HostLimit::new(0));
    let visits: Vec<_> = (0..100).map(|_| unlimited.enter(host)).collect();
    assert!(visits.iter().all(Option::is_some));
}
