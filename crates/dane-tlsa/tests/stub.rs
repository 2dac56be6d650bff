//! The stub resolver as a machine, under chosen times.

#![cfg(feature = "hickory")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

#[path = "support/responses.rs"]
mod responses;

use std::time::{Duration, Instant};

use dane_tlsa::mail_types::dns::{Answer, DnsFailure, DnssecStatus, RecordType};
use dane_tlsa::mail_types::hickory::Walk;
use dane_tlsa::{
    CacheLimits, DnssecState, Lookup, LookupStep, NoDnssec, QueryType, Reply, Response, Stub,
    StubOptions, Transport,
};

use self::responses::{
    NEAR, TIME, absent, address, name, proven, question, response, sent, status, stub,
};

const NEAR_TOO: &str = "[::1]:53";
const FAR: &str = "192.0.2.53:53";

fn alias(target: &str, ttl: u32) -> Reply {
    let security = DnssecStatus::Indeterminate;
    Reply::Answered(Walk::Alias { target: name(target), security, ttl })
}

fn done(stub: &mut Stub, lookup: &mut Lookup, now: Instant) -> Answer {
    match stub.next(lookup, now) {
        LookupStep::Done(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// The status of an answer with and without AD, once a probe had this response.
fn statuses(
    servers: &[&str],
    options: StubOptions,
    probe_says: Option<&(bool, Reply)>,
) -> [DnssecStatus; 2] {
    let now = Instant::now();
    let mut stub = stub(servers, options);
    [true, false].map(|authentic| {
        let mut lookup = stub.lookup(question(&format!("{authentic}.example")), now, TIME);
        let query = loop {
            match stub.next(&mut lookup, now) {
                LookupStep::Send(query) => break query,
                LookupStep::Probe(mut probe) => {
                    let query = sent(&mut stub, &mut probe, now);
                    match probe_says.cloned() {
                        Some((ad, reply)) => {
                            stub.handle_response(&mut probe, response(&query, ad, reply), now);
                        }
                        None => stub.handle_silence(&mut probe, now),
                    }
                }
                other => panic!("{other:?}"),
            }
        };
        let reply = address(&query.name.to_string(), 60);
        stub.handle_response(&mut lookup, response(&query, authentic, reply), now);
        status(&done(&mut stub, &mut lookup, now))
    })
}

#[test]
fn ad_is_believed_from_loopback_or_by_explicit_word() {
    use DnssecStatus::{Indeterminate, Insecure, Secure};
    let signed = &(true, Reply::Probe);
    let options = StubOptions::default;
    assert_eq!(statuses(&[NEAR], options(), Some(signed)), [Secure, Insecure]);
    assert_eq!(statuses(&["[::ffff:127.0.0.2]:53"], options(), Some(signed)), [Secure, Insecure]);
    assert_eq!(statuses(&[FAR], options(), Some(signed)), [Indeterminate; 2]);
    assert_eq!(statuses(&[FAR], options().with_trusted(true), Some(signed)), [Secure, Insecure]);
}

#[test]
fn a_probe_that_fails_makes_all_answers_indeterminate() {
    use DnssecStatus::{Indeterminate, Secure};
    let options = StubOptions::default;
    assert_eq!(statuses(&[NEAR], options(), Some(&(false, Reply::Probe))), [Indeterminate; 2]);
    let refused = Reply::Failed(DnsFailure::Refused);
    assert_eq!(statuses(&[NEAR], options(), Some(&(false, refused))), [Indeterminate; 2]);
    // Whoever suppresses the probe does not make a secure answer anything else, nor another insecure.
    assert_eq!(statuses(&[NEAR], options(), None), [Secure, Indeterminate]);
    let broken = Reply::Failed(DnsFailure::ServFail);
    assert_eq!(statuses(&[NEAR], options(), Some(&(false, broken))), [Secure, Indeterminate]);
}

#[test]
fn the_state_says_why_there_is_no_dnssec() {
    let now = Instant::now();
    for (servers, ad, reply, state, text) in [
        (
            FAR,
            true,
            Reply::Probe,
            NoDnssec::Untrusted,
            "the resolver is on another host, and not trusted",
        ),
        (
            NEAR,
            false,
            Reply::Probe,
            NoDnssec::NotValidating,
            "the resolver does not validate (no AD for a signed name)",
        ),
        (
            NEAR,
            false,
            Reply::Failed(DnsFailure::Refused),
            NoDnssec::Refused,
            "the resolver refuses the probe of a signed name",
        ),
    ] {
        let mut stub = stub(&[servers], StubOptions::default());
        let mut lookup = stub.lookup(question("a.example"), now, TIME);
        if let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) {
            let query = sent(&mut stub, &mut probe, now);
            assert_eq!((query.name.is_root(), query.kind), (true, QueryType::Soa));
            stub.handle_response(&mut probe, response(&query, ad, reply), now);
        }
        let (_, found) = stub.servers().next().unwrap();
        assert_eq!(found, DnssecState::Unavailable(state));
        assert_eq!(found.to_string(), format!("not available: {text}"));
    }
}

#[test]
fn a_name_whose_validation_must_fail_is_probed_after_a_signed_one() {
    let now = Instant::now();
    let options = StubOptions::default()
        .with_signed_name(name("signed.example"))
        .with_bogus_name(Some(name("bogus.example")));
    for (reply, state) in [
        (Reply::Failed(DnsFailure::ServFail), DnssecState::Available),
        (Reply::Failed(DnsFailure::Bogus), DnssecState::Available),
        (Reply::Probe, DnssecState::Unavailable(NoDnssec::AcceptsBogus)),
    ] {
        let mut stub = stub(&[NEAR], options.clone());
        let mut lookup = stub.lookup(question("a.example"), now, TIME);
        let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { panic!("no probe") };
        let first = sent(&mut stub, &mut probe, now);
        assert_eq!(first.name, name("signed.example"));
        stub.handle_response(&mut probe, response(&first, true, Reply::Probe), now);
        let second = sent(&mut stub, &mut probe, now);
        assert_eq!(second.name, name("bogus.example"));
        // Even with AD.
        stub.handle_response(&mut probe, response(&second, true, reply), now);
        assert!(matches!(stub.next(&mut probe, now), LookupStep::Probed));
        assert_eq!(stub.servers().next().unwrap().1, state);
    }
}

#[test]
fn probes_come_again_sooner_after_a_failure() {
    let start = Instant::now();
    let options = StubOptions::default()
        .with_probe_times(Duration::from_secs(3600), Duration::from_secs(60))
        .with_cache(CacheLimits::default().with_entries(0));
    let mut stub = stub(&[NEAR], options);
    let is_probed = |stub: &mut Stub, after: u64, ad: Option<bool>| {
        let now = start + Duration::from_secs(after);
        let mut lookup = stub.lookup(question("a.example"), now, TIME);
        let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { return false };
        let query = sent(stub, &mut probe, now);
        match ad {
            Some(ad) => stub.handle_response(&mut probe, response(&query, ad, Reply::Probe), now),
            None => stub.handle_silence(&mut probe, now),
        }
        true
    };
    assert!(is_probed(&mut stub, 0, Some(false)));
    assert!(!is_probed(&mut stub, 59, None));
    assert!(is_probed(&mut stub, 60, Some(true)));
    assert_eq!(stub.servers().next().unwrap().1, DnssecState::Available);
    assert!(!is_probed(&mut stub, 3659, None));
    // A silence says nothing: what was known still counts.
    assert!(is_probed(&mut stub, 3660, None));
    assert_eq!(stub.servers().next().unwrap().1, DnssecState::Available);
    assert!(is_probed(&mut stub, 3720, Some(false)));
    let state = DnssecState::Unavailable(NoDnssec::NotValidating);
    assert_eq!(stub.servers().next().unwrap().1, state);
}

#[test]
fn a_server_that_is_not_trusted_is_never_asked_beside_one_that_is() {
    let stub = stub(&[FAR, NEAR, "192.0.2.54:53"], StubOptions::default());
    let servers: Vec<_> = stub.servers().map(|(server, _)| server.to_string()).collect();
    assert_eq!(servers, [NEAR]);
}

#[test]
fn a_bogus_name_is_not_asked_of_a_server_that_does_not_validate() {
    let now = Instant::now();
    let mut stub = stub(&[NEAR, NEAR_TOO], StubOptions::default());
    let mut lookup = stub.lookup(question("bogus.example"), now, TIME);
    let query = proven(&mut stub, &mut lookup, now);
    let failed = Reply::Failed(DnsFailure::ServFail);
    stub.handle_response(&mut lookup, response(&query, false, failed), now);
    // The other one turns out not to validate.
    let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { panic!("no probe") };
    let query = sent(&mut stub, &mut probe, now);
    assert_eq!(query.server.to_string(), NEAR_TOO);
    stub.handle_response(&mut probe, response(&query, false, Reply::Probe), now);
    let answer = done(&mut stub, &mut lookup, now);
    assert_eq!(answer, Answer::Failed(DnsFailure::ServFail));
}

#[test]
fn the_next_server_is_asked_after_a_failure_and_the_first_failure_is_told() {
    let now = Instant::now();
    for (reply, told) in [
        (Reply::Failed(DnsFailure::ServFail), DnsFailure::ServFail),
        (Reply::Failed(DnsFailure::Refused), DnsFailure::Refused),
        (Reply::Failed(DnsFailure::Bogus), DnsFailure::Bogus),
    ] {
        let mut stub = stub(&[NEAR, NEAR_TOO], StubOptions::default());
        let mut lookup = stub.lookup(question("a.example"), now, TIME);
        let query = proven(&mut stub, &mut lookup, now);
        assert_eq!(query.server.to_string(), NEAR);
        stub.handle_response(&mut lookup, response(&query, false, reply), now);
        let query = proven(&mut stub, &mut lookup, now);
        assert_eq!(query.server.to_string(), NEAR_TOO);
        stub.handle_silence(&mut lookup, now);
        // Only the silent one is asked again, without EDNS.
        let query = proven(&mut stub, &mut lookup, now);
        assert_eq!((query.server.to_string().as_str(), query.edns), (NEAR_TOO, false));
        stub.handle_silence(&mut lookup, now);
        assert_eq!(done(&mut stub, &mut lookup, now), Answer::Failed(told));
    }
}

#[test]
fn tcp_follows_truncation_and_a_truncated_stream_is_a_failure() {
    let now = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    let mut lookup = stub.lookup(question("a.example"), now, TIME);
    let query = proven(&mut stub, &mut lookup, now);
    assert_eq!(query.transport, Transport::Udp);
    stub.handle_response(&mut lookup, response(&query, true, Reply::Truncated), now);
    let query = proven(&mut stub, &mut lookup, now);
    assert_eq!((query.transport, query.edns), (Transport::Tcp, true));
    stub.handle_response(&mut lookup, response(&query, true, Reply::Truncated), now);
    assert_eq!(done(&mut stub, &mut lookup, now), Answer::Failed(DnsFailure::ServFail));
}

#[test]
fn a_server_that_does_not_understand_edns_is_asked_without_it() {
    let now = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    let mut lookup = stub.lookup(question("a.example"), now, TIME);
    let query = proven(&mut stub, &mut lookup, now);
    let bare = Response { echo: None, authentic: false, reply: Reply::NotUnderstood };
    stub.handle_response(&mut lookup, bare.clone(), now);
    let plain = proven(&mut stub, &mut lookup, now);
    assert_eq!((plain.edns, &plain.name, plain.server), (false, &query.name, query.server));
    stub.handle_response(&mut lookup, bare, now);
    assert_eq!(done(&mut stub, &mut lookup, now), Answer::Failed(DnsFailure::Refused));
}

#[test]
fn a_response_to_another_question_is_a_failure() {
    let now = Instant::now();
    for echo in [
        None,
        Some((name("b.example"), QueryType::Records(RecordType::A))),
        Some((name("a.example"), QueryType::Records(RecordType::Aaaa))),
        Some((name("a.example"), QueryType::Soa)),
    ] {
        for reply in [address("a.example", 60), absent("a.example", 60), Reply::Truncated] {
            let mut stub = stub(&[NEAR], StubOptions::default());
            let mut lookup = stub.lookup(question("a.example"), now, TIME);
            proven(&mut stub, &mut lookup, now);
            let response = Response { echo: echo.clone(), authentic: true, reply };
            stub.handle_response(&mut lookup, response, now);
            assert_eq!(done(&mut stub, &mut lookup, now), Answer::Failed(DnsFailure::ServFail));
        }
    }
}

#[test]
fn an_alias_without_its_end_is_asked_again_and_the_worst_link_counts() {
    let now = Instant::now();
    for (first, second, expected) in [
        (true, true, DnssecStatus::Secure),
        (true, false, DnssecStatus::Insecure),
        (false, true, DnssecStatus::Insecure),
    ] {
        for end in [address("host.example", 300), absent("host.example", 300)] {
            let mut stub = stub(&[NEAR], StubOptions::default());
            let mut lookup = stub.lookup(question("a.example"), now, TIME);
            let query = proven(&mut stub, &mut lookup, now);
            stub.handle_response(
                &mut lookup,
                response(&query, first, alias("host.example", 90)),
                now,
            );
            let query = proven(&mut stub, &mut lookup, now);
            assert_eq!(query.name, name("host.example"));
            stub.handle_response(&mut lookup, response(&query, second, end), now);
            let answer = done(&mut stub, &mut lookup, now);
            assert_eq!(status(&answer), expected);
            let (Answer::Records { ttl, .. } | Answer::Absent { ttl, .. }) = answer else {
                panic!()
            };
            assert_eq!(ttl, 90);
        }
    }
}

#[test]
fn aliases_without_end_are_a_failure() {
    let now = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    let mut lookup = stub.lookup(question("n0.example"), now, TIME);
    for count in 1..100 {
        if let LookupStep::Done(answer) = stub.next(&mut lookup, now) {
            assert_eq!(answer, Answer::Failed(DnsFailure::ServFail));
            assert_eq!(count, Walk::MAX_ALIASES + 2);
            return;
        }
        let query = proven(&mut stub, &mut lookup, now);
        let reply = alias(&format!("n{count}.example"), 60);
        stub.handle_response(&mut lookup, response(&query, true, reply), now);
    }
    panic!("no end");
}

#[test]
fn a_lookup_ends_at_its_deadline() {
    let start = Instant::now();
    let options = StubOptions::default().with_patience(Duration::from_secs(5), 100);
    let mut stub = stub(&[NEAR], options);
    let mut lookup = stub.lookup(question("a.example"), start, Duration::from_secs(12));
    let mut now = start;
    let mut waits = Vec::new();
    loop {
        match stub.next(&mut lookup, now) {
            LookupStep::Send(query) => {
                waits.push(query.within.as_secs());
                now += query.within;
                stub.handle_silence(&mut lookup, now);
            }
            LookupStep::Probe(mut probe) => {
                let query = sent(&mut stub, &mut probe, now);
                stub.handle_response(&mut probe, response(&query, true, Reply::Probe), now);
            }
            LookupStep::Done(answer) => {
                assert_eq!(answer, Answer::Failed(DnsFailure::Timeout));
                break;
            }
            LookupStep::Probed => panic!("not a probe"),
        }
    }
    assert_eq!((waits, now - start), (vec![5, 5, 2], Duration::from_secs(12)));
}

#[test]
fn no_order_of_calls_panics() {
    let now = Instant::now();
    let mut none = stub(&[], StubOptions::default());
    let mut lookup = none.lookup(question("a.example"), now, TIME);
    let LookupStep::Done(answer) = none.next(&mut lookup, now) else { panic!("no server") };
    assert_eq!(answer, Answer::Failed(DnsFailure::ServFail));
    none.handle_silence(&mut lookup, now);
    let mut stub = stub(&[NEAR], StubOptions::default());
    let mut lookup = stub.lookup(question("a.example"), now, Duration::MAX);
    assert_eq!(proven(&mut stub, &mut lookup, now).within, Duration::from_secs(5));
    let stray = Response { echo: None, authentic: true, reply: Reply::Probe };
    for _ in 0..5 {
        stub.handle_response(&mut lookup, stray.clone(), now);
        stub.handle_silence(&mut lookup, now);
        let _ = stub.next(&mut lookup, now);
    }
    assert_eq!(done(&mut stub, &mut lookup, now), Answer::Failed(DnsFailure::ServFail));
}
