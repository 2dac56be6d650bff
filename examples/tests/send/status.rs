//! The exit status of several recipients, which is that of the worst outcome.

use super::fallback::Servers;
use super::program::send;
use super::server::Behaviour;

/// A recipient and its outcome: in one transaction, by the hosts of the domain, and by the domain.
const RECIPIENTS: [(&str, &str); 6] = [
    ("ann@example.test", "delivered"),
    ("full@example.test", "deferred"),
    ("gone@example.test", "failed"),
    ("ann@other.test", "delivered"),
    ("ann@down.test", "deferred"),
    ("ann@nowhere.test", "failed"),
];

/// The exit status for these outcomes: 69 if one failed, else 75 if one was deferred.
fn expected(results: &[&str]) -> i32 {
    if results.contains(&"failed") {
        return 69;
    }
    if results.contains(&"deferred") { 75 } else { 0 }
}

/// Each choice of some recipients, in the order of the list and in the reverse one.
fn choices() -> impl Iterator<Item = Vec<(&'static str, &'static str)>> {
    let chosen = |bits: usize| {
        let all = RECIPIENTS.into_iter().enumerate();
        all.filter(|(number, _)| bits >> number & 1 == 1).map(|(_, recipient)| recipient).collect()
    };
    (1..1 << RECIPIENTS.len()).map(chosen).flat_map(|forth: Vec<_>| {
        let back = forth.iter().rev().copied().collect();
        [forth, back]
    })
}

/// The zone of a server: `down.test` has a host at whose port nobody listens, `nowhere.test` does not exist.
fn zone(servers: &Servers) -> String {
    let others = "other.test. MX 10 mx0.example.test.\ndown.test. MX 10 mx.down.test.\nmx.down.test. A 127.0.0.77\n";
    servers.zone(None) + others
}

#[test]
fn the_exit_status_is_that_of_the_worst_outcome() {
    let servers = Servers::start(&[Behaviour::default()]);
    let (zone, port) = (zone(&servers), servers.port.to_string());
    for chosen in choices() {
        let (recipients, results): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
        let fixed = ["--port", &port, "--json", "--timeout", "20"];
        let sent = send(&zone, "", &[&fixed[..], &recipients].concat());
        let outcomes = sent.outcomes();
        let found: Vec<_> =
            outcomes.iter().map(|outcome| outcome["result"].as_str().unwrap()).collect();
        assert_eq!(found, results, "{recipients:?}: {outcomes:?}");
        assert_eq!(sent.status, expected(&results), "{recipients:?}: {results:?}");
    }
}

/// RFC 5321 section 4.5.3.1.10.
#[test]
fn one_recipient_too_many_is_deferred() {
    let servers = Servers::start(&[Behaviour::default()]);
    let (zone, port) = (zone(&servers), servers.port.to_string());
    for (recipient, result, reason, status) in [
        ("many", "deferred", "452 4.5.3 too many recipients (the server said 552)", 75),
        ("quota", "failed", "552 5.2.2 over quota", 69),
    ] {
        let recipient = format!("{recipient}@example.test");
        let arguments = ["--port", &port, "--json", "ann@example.test", &recipient];
        let sent = send(&zone, "", &arguments);
        let outcomes = sent.outcomes();
        assert_eq!(outcomes[0]["result"], "delivered", "{outcomes:?}");
        assert_eq!(
            (&outcomes[1]["result"], &outcomes[1]["reason"]),
            (&result.into(), &reason.into())
        );
        assert_eq!(sent.status, status);
    }
}

/// A dry run has an outcome for a domain if no host of it can be tried.
#[test]
fn the_exit_status_of_a_dry_run_is_that_of_the_worst_domain() {
    let zone = "good.test. MX 10 mx.good.test.\nmx.good.test. A 192.0.2.1\n\
                late.test. MX 10 mx.late.test.\nmx.late.test. A 192.0.2.2\n";
    let options = "dnssec_require_domains = 'late.test'";
    let (good, late, nowhere) = ("ann@good.test", "ann@late.test", "ann@nowhere.test");
    // The domains may be shown in another order than that of the recipients.
    let absent = "ann@absent.test";
    for (recipients, status) in [
        (&[good][..], 0),
        (&[late], 75),
        (&[nowhere], 69),
        (&[good, late], 75),
        (&[late, good], 75),
        (&[good, nowhere], 69),
        (&[nowhere, good], 69),
        (&[good, absent], 69),
        (&[late, absent], 69),
        (&[late, nowhere], 69),
        (&[nowhere, late], 69),
        (&[good, late, nowhere], 69),
        (&[nowhere, late, good], 69),
    ] {
        let fixed = ["--dry-run", "--security", "insecure"];
        let sent = send(zone, options, &[&fixed[..], recipients].concat());
        assert_eq!(sent.status, status, "{recipients:?}: {}{}", sent.out, sent.told);
    }
}
