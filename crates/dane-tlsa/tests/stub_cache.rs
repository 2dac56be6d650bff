//! The cache of a stub resolver, and its times.

#![cfg(feature = "hickory")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

#[path = "support/responses.rs"]
mod responses;

use std::time::{Duration, Instant};

use dane_tlsa::mail_types::dns::{Answer, DnsFailure, DnssecStatus};
use dane_tlsa::{CacheLimits, LookupStep, Reply, Stub, StubOptions};

use self::responses::{
    NEAR, TIME, absent, address, proven, question, response, sent, status, stub,
};

/// Asks for an address with this time to live, which is secure.
fn ask(stub: &mut Stub, name: &str, reply: Reply, now: Instant) -> Option<Answer> {
    let mut lookup = stub.lookup(question(name), now, TIME);
    if let LookupStep::Done(answer) = stub.next(&mut lookup, now) {
        return Some(answer);
    }
    let query = proven(stub, &mut lookup, now);
    stub.handle_response(&mut lookup, response(&query, true, reply), now);
    assert!(matches!(stub.next(&mut lookup, now), LookupStep::Done(_)));
    None
}

#[test]
fn answers_and_denials_are_kept_until_their_time_is_over() {
    let start = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    for (name, reply) in
        [("a.example", address("a.example", 60)), ("b.example", absent("b.example", 60))]
    {
        assert_eq!(ask(&mut stub, name, reply.clone(), start), None);
        let later = start + Duration::from_secs(45);
        let answer = ask(&mut stub, name, reply.clone(), later).unwrap();
        assert_eq!(status(&answer), DnssecStatus::Secure);
        let (Answer::Records { ttl, .. } | Answer::Absent { ttl, .. }) = answer else { panic!() };
        assert_eq!(ttl, 15);
        assert_eq!(ask(&mut stub, name, reply, start + Duration::from_secs(60)), None);
    }
}

#[test]
fn failures_and_answers_for_this_moment_are_not_kept() {
    let now = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    for reply in [
        Reply::Failed(DnsFailure::ServFail),
        Reply::Failed(DnsFailure::Bogus),
        absent("a.example", 0),
        address("a.example", 0),
    ] {
        assert_eq!(ask(&mut stub, "a.example", reply.clone(), now), None);
        assert_eq!(stub.cached(), (0, 0));
    }
}

#[test]
fn the_cache_has_limits_of_answers_octets_and_time() {
    let now = Instant::now();
    let limits = CacheLimits::default().with_ttl(Duration::from_secs(100));
    let options = StubOptions::default().with_cache(limits.clone().with_entries(3));
    let mut small = stub(&[NEAR], options);
    for (at, ttl) in [(0, 400), (1, 10), (2, 50), (3, 60)] {
        let name = format!("n{at}.example");
        assert_eq!(ask(&mut small, &name, address(&name, ttl), now), None);
    }
    assert_eq!(small.cached().0, 3);
    // The one that ends first has made room.
    assert_eq!(ask(&mut small, "n1.example", address("n1.example", 10), now), None);
    let kept = ask(&mut small, "n0.example", address("n0.example", 1), now).unwrap();
    let Answer::Records { ttl, .. } = kept else { panic!() };
    assert_eq!(ttl, 100);

    let options = StubOptions::default().with_cache(limits.with_octets(2000));
    let mut light = stub(&[NEAR], options);
    for at in 0..50 {
        let name = format!("n{at}.example");
        ask(&mut light, &name, address(&name, 60), now);
        let (answers, octets) = light.cached();
        assert!(octets <= 2000 && answers > 0, "{answers} {octets}");
    }
}

#[test]
fn a_new_state_empties_the_cache() {
    let start = Instant::now();
    let mut stub = stub(&[NEAR], StubOptions::default());
    assert_eq!(ask(&mut stub, "a.example", address("a.example", 3600), start), None);
    assert_eq!(stub.cached().0, 1);
    let now = start + Duration::from_secs(3599) + Duration::from_secs(1);
    let mut lookup = stub.lookup(question("b.example"), now, TIME);
    let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { panic!("no probe") };
    let query = sent(&mut stub, &mut probe, now);
    stub.handle_response(&mut probe, response(&query, false, Reply::Probe), now);
    assert_eq!(stub.cached(), (0, 0));
}
