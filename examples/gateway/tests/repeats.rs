//! The limit of log lines, and the numbers of omitted ones.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use crate::gateway::telemetry::repeats::{LineKind, Repeats, Sum};

/// Counts a line of each kind so often; returns how many are to be written.
fn count(repeats: &mut Repeats, host: &str, kind: LineKind, times: usize, now: Instant) -> usize {
    let host = host.parse().unwrap();
    (0..times).filter(|_| repeats.count(host, kind, now)).count()
}

fn refusals(host: Option<&str>, refusals: u64) -> Sum {
    Sum { host: host.map(|host| host.parse().unwrap()), refusals, rules: 0, deliveries: 0 }
}

/// In whatever connections they come.
#[test]
fn of_many_refusals_of_a_host_the_first_of_a_minute_are_written_and_the_others_counted() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let at = |second| start + Duration::from_secs(second);
    let host = "192.0.2.1";
    let written = |repeats: &mut Repeats, times, second| {
        count(repeats, host, LineKind::Refusal, times, at(second))
    };
    assert_eq!(written(&mut repeats, 4, 0), 4);
    assert_eq!(written(&mut repeats, 96, 1), 6);
    assert_eq!(written(&mut repeats, 900, 59), 0);
    assert_eq!(repeats.take_sums(), []);
    // Another host has its own.
    assert_eq!(count(&mut repeats, "192.0.2.2", LineKind::Refusal, 10, at(59)), 10);
    // The next minute begins with what the last one left out.
    assert_eq!(written(&mut repeats, 12, 60), 10);
    assert_eq!(repeats.take_sums(), [refusals(Some(host), 990)]);
    // So it does if the host is silent.
    repeats.sweep(at(119));
    assert_eq!(repeats.take_sums(), [], "nothing was left out of the other one");
    repeats.sweep(at(120));
    assert_eq!(repeats.take_sums(), [refusals(Some(host), 2)]);
    repeats.sweep(at(300));
    assert_eq!(repeats.take_sums(), []);
    assert_eq!(written(&mut repeats, 11, 300), 10);
    repeats.end();
    assert_eq!(repeats.take_sums(), [refusals(Some(host), 1)]);
    repeats.end();
    assert_eq!(repeats.take_sums(), []);
}

#[test]
fn a_host_with_ipv6_is_a_network_here_too() {
    let (mut repeats, now) = (Repeats::default(), Instant::now());
    let written: usize = (0..100)
        .map(|number| {
            count(&mut repeats, &format!("2001:db8::{number:x}"), LineKind::Refusal, 1, now)
        })
        .sum();
    assert_eq!(written, 10);
    assert_eq!(count(&mut repeats, "2001:db8:0:1::1", LineKind::Refusal, 10, now), 10);
    assert_eq!(count(&mut repeats, "192.0.2.1", LineKind::Refusal, 5, now), 5);
    assert_eq!(count(&mut repeats, "::ffff:192.0.2.1", LineKind::Refusal, 6, now), 5);
    repeats.end();
    let sums = [refusals(Some("192.0.2.1"), 1), refusals(Some("2001:db8::"), 90)];
    assert_eq!(repeats.take_sums(), sums);
}

/// Who sends messages is not left out, however many lines there are for them.
#[test]
fn lines_of_rules_have_a_limit_of_their_own_that_a_message_begins_anew() {
    let (mut repeats, now) = (Repeats::default(), Instant::now());
    let (honest, flooder) = ("192.0.2.1", "192.0.2.2");
    for _ in 0..20 {
        assert_eq!(count(&mut repeats, honest, LineKind::Rule, 1000, now), 1000);
        repeats.accept(honest.parse().unwrap());
    }
    assert_eq!(count(&mut repeats, flooder, LineKind::Rule, 50_000, now), 1000);
    assert_eq!(count(&mut repeats, flooder, LineKind::Refusal, 50_000, now), 10);
    // Refusals go on being counted.
    repeats.accept(flooder.parse().unwrap());
    assert_eq!(count(&mut repeats, flooder, LineKind::Refusal, 1, now), 0);
    repeats.end();
    let flooder = Some(flooder.parse().unwrap());
    assert_eq!(
        repeats.take_sums(),
        [Sum { host: flooder, refusals: 49_991, rules: 49_000, deliveries: 0 }]
    );
}

/// However many hosts there are, the lines and the memory are bounded.
#[test]
fn hosts_beyond_the_limit_share_one_account() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let many = u32::try_from(Repeats::HOSTS).unwrap();
    let host = |number: u32| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + number));
    let each = |repeats: &mut Repeats, hosts: std::ops::Range<u32>, second| {
        let now = start + Duration::from_secs(second);
        hosts.filter(|&number| repeats.count(host(number), LineKind::Refusal, now)).count()
    };
    assert_eq!(each(&mut repeats, 0..many, 0), Repeats::HOSTS);
    assert_eq!(each(&mut repeats, many..many + 5000, 30), 10);
    // Who is known goes on as before.
    assert_eq!(each(&mut repeats, 0..many, 59), Repeats::HOSTS);
    assert_eq!(repeats.take_sums(), []);
    // Their intervals are over: there is room for others, and what those had before is told.
    assert_eq!(each(&mut repeats, many..2 * many, 60), Repeats::HOSTS);
    assert_eq!(each(&mut repeats, 0..1, 89), 0, "the others' interval is not over");
    assert_eq!(each(&mut repeats, 0..1, 90), 1);
    assert_eq!(repeats.take_sums(), [refusals(None, 4991)]);
    repeats.end();
    assert_eq!(repeats.take_sums(), []);
}
