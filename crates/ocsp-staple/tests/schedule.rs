//! When a proof is fetched, kept and dropped, with a responder of the tests' own.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/elapsed.rs"]
mod elapsed;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;
#[path = "support/world.rs"]
mod world;

use std::collections::HashSet;
use std::time::Duration;

use authority::{GOOD, later};
use elapsed::since;
use ocsp_staple::{
    Event, FetchError, IssuerHash, Method, ProofError, ResponderError, Saved, Schedule,
    ScheduleState,
};
use revocation::revoked;
use vector_time::now;
use world::{DAY, HOUR, World, after};

const UNKNOWN: &[u8] = &[0x82, 0];
const MINUTE: Duration = Duration::from_secs(60);

fn events(schedule: &mut Schedule) -> Vec<Event> {
    std::iter::from_fn(|| schedule.poll_event()).collect()
}

fn failed() -> FetchError {
    FetchError::Broken
}

#[test]
fn a_proof_is_renewed_before_the_half_of_its_time() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        assert_eq!(schedule.state(now()), ScheduleState::Pending);
        let fetch = schedule.poll_fetch(now()).unwrap();
        assert_eq!((&*fetch.responder, fetch.method), ("http://ocsp.example/ca", Method::Get));
        assert_eq!((fetch.hash, fetch.bypass_caches), (IssuerHash::Sha1, false));
        assert_eq!(schedule.poll_fetch(now()), None, "one at a time");
        for random in [0, 1, 500, 1023, u32::MAX] {
            let response = world.respond(GOOD, now(), DAY * 8);
            let mut schedule = schedule.clone();
            schedule.handle_response(&response, None, check, now(), random);
            let wait = since(now(), schedule.wake_at().unwrap());
            assert!(wait <= DAY * 4 && wait >= DAY * 36 / 10, "{wait:?}");
            assert_eq!(schedule.poll_fetch(after(wait.checked_sub(MINUTE).unwrap())), None);
            assert!(schedule.poll_fetch(after(wait)).is_some());
            assert_eq!(events(&mut schedule), [Event::Good { until: after(DAY * 8) }]);
            assert_eq!(
                schedule.staple(now()).map(|staple| staple.response).as_deref(),
                Some(&response[..])
            );
        }
    });
}

#[test]
fn max_age_makes_it_earlier_and_never_later() {
    let world = World::new(DAY * 90);
    world.run(|check, schedule| {
        let response = world.respond(GOOD, now(), DAY * 8);
        for (age, least, most) in [
            (Duration::ZERO, MINUTE * 5, MINUTE * 5), // it is not asked on and on
            (HOUR, HOUR, HOUR),
            (DAY * 100, DAY * 3, DAY * 4),
        ] {
            let mut schedule = schedule.clone();
            schedule.handle_response(&response, Some(age), check, now(), 7);
            let wait = since(now(), schedule.wake_at().unwrap());
            assert!(least <= wait && wait <= most, "{age:?}: {wait:?}");
        }
        // A proof without a foreseeable end is renewed every week.
        let mut schedule = schedule;
        let response = world.respond(GOOD, now(), DAY * 80);
        schedule.handle_response(&response, None, check, now(), 7);
        assert_eq!(schedule.wake_at(), Some(after(DAY * 7)));
    });
}

#[test]
fn a_good_staple_stays_through_failures_until_its_end() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        let good = world.respond(GOOD, after(DAY), DAY * 4);
        let at = after(DAY * 2);
        schedule.handle_response(&good, None, check, at, 0);
        let older = world.respond(GOOD, now(), DAY * 4);
        let (unknown, html) = (world.respond(UNKNOWN, at, DAY), &b"<html>log in</html>"[..]);
        let try_later = [0x30, 3, 0x0a, 1, 3];
        events(&mut schedule);
        for bad in [&older, &unknown[..], html, &try_later[..], &good[1..], &[]] {
            schedule.handle_response(bad, None, check, at, 0);
            assert_eq!(
                schedule.staple(at).map(|staple| staple.response).as_deref(),
                Some(&good[..])
            );
            let [Event::Failed { .. }] = events(&mut schedule)[..] else { panic!("{bad:?}") };
        }
        schedule.handle_failure(failed(), None, at, 0);
        events(&mut schedule);
        let until = after(DAY * 5);
        schedule.handle_time(until);
        assert!(schedule.staple(until).is_some());
        assert_eq!(events(&mut schedule), []);
        let end = later(until, Duration::from_secs(1));
        assert_eq!(schedule.staple(end), None, "also before it takes note of the time");
        schedule.handle_time(end);
        assert_eq!(events(&mut schedule), [Event::Ended { until }]);
        assert_eq!((schedule.state(end), schedule.staple(at)), (ScheduleState::Pending, None));
    });
}

#[test]
fn a_revocation_ends_a_staple_at_once() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        let good = world.respond(GOOD, now(), DAY * 4);
        let bad = world.respond(&revoked(now()), now(), DAY * 4);
        schedule.handle_response(&good, None, check, now(), 0);
        events(&mut schedule);
        schedule.handle_response(&bad, None, check, after(HOUR), 0);
        assert_eq!(schedule.staple(after(HOUR)), None);
        assert_eq!(schedule.state(after(HOUR)), ScheduleState::Revoked);
        assert!(matches!(events(&mut schedule)[..], [Event::Revoked(_)]));
        // Of two that are equally old it is the stricter that counts.
        schedule.handle_response(&good, None, check, after(HOUR), 0);
        assert_eq!(schedule.state(after(HOUR)), ScheduleState::Revoked);
        // Not forgotten over a restart.
        let saved = schedule.poll_saved().unwrap();
        let mut again = Schedule::new(check.certificate(), after(HOUR * 2));
        again.handle_saved(saved, check, after(HOUR * 2));
        assert_eq!(again.state(after(HOUR * 2)), ScheduleState::Revoked);
        // Released from hold.
        let good = world.respond(GOOD, after(HOUR * 3), DAY * 4);
        again.handle_response(&good, None, check, after(HOUR * 3), 0);
        assert_eq!(
            again.staple(after(HOUR * 3)).map(|staple| staple.response).as_deref(),
            Some(&good[..])
        );
    });
}

#[test]
fn backoff_doubles_and_survives_a_restart() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        let (mut at, mut waits) = (now(), Vec::new());
        for _ in 0..9 {
            let fetch = schedule.poll_fetch(at);
            assert!(fetch.is_some());
            schedule.handle_failure(failed(), None, at, 1023);
            // A program that restarts after each failure asks no sooner.
            let saved = schedule.poll_saved().unwrap();
            let saved = Saved::parse(&saved.to_bytes()).unwrap();
            schedule = Schedule::new(check.certificate(), at);
            schedule.handle_saved(saved, check, at);
            let next = schedule.wake_at().unwrap();
            assert_eq!(schedule.poll_fetch(at), None);
            waits.push(since(at, next).as_secs());
            at = next;
        }
        for (wait, most) in waits.iter().zip([60, 120, 240, 480, 960, 1920, 2700, 2700, 2700]) {
            assert!(*wait <= most && *wait * 100 > most * 98, "{waits:?}");
        }
        // What a responder asks for counts, up to the longest backoff.
        for (retry_after, least, most) in [(MINUTE * 30, 1800, 1800), (DAY, 2700, 2700)] {
            let mut schedule = Schedule::new(check.certificate(), at);
            schedule.handle_failure(FetchError::Status(503), Some(retry_after), at, 0);
            let wait = since(at, schedule.wake_at().unwrap()).as_secs();
            assert!(least <= wait && wait <= most, "{wait}");
        }
    });
}

#[test]
fn a_new_certificate_may_be_unknown_for_an_hour() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        let unauthorized = [0x30, 3, 0x0a, 1, 6];
        let mut at = now();
        let mut within_first_hour = 0;
        let mut hashes = HashSet::new();
        while since(now(), at) < HOUR * 5 {
            let fetch = schedule.poll_fetch(at).unwrap();
            hashes.insert(fetch.hash);
            schedule.handle_response(&unauthorized, None, check, at, 1023);
            let next = schedule.wake_at().unwrap();
            if since(now(), at) < HOUR {
                within_first_hour += 1;
                assert!(since(at, next) <= MINUTE * 5);
            } else {
                assert!(since(at, next) > MINUTE * 40);
            }
            at = next;
        }
        assert!(within_first_hour >= 12, "{within_first_hour}");
        assert_eq!(hashes.len(), 2, "it is asked by the other digest too");
        let error = FetchError::Proof(ProofError::Responder(ResponderError::Unauthorized));
        let last = events(&mut schedule).pop();
        assert!(matches!(last, Some(Event::Failed { error: e, .. }) if e == error));
    });
}

#[test]
fn what_fails_is_tried_in_another_way() {
    let world = World::new(DAY * 90);
    world.run(|check, schedule| {
        let responders = ["http://a.example/".into(), "http://b.example/".into()];
        let mut schedule = schedule.with_responders(responders);
        let mut at = now();
        let mut ways = Vec::new();
        for _ in 0..4 {
            let fetch = schedule.poll_fetch(at).unwrap();
            ways.push((fetch.responder.to_string(), fetch.method));
            schedule.handle_failure(failed(), None, at, 0);
            at = schedule.wake_at().unwrap();
        }
        let (a, b) = ("http://a.example/".to_owned(), "http://b.example/".to_owned());
        assert_eq!(ways[..2], [(a.clone(), Method::Get), (b, Method::Post)]);
        let old = world.respond(GOOD, now(), Duration::from_secs(1));
        let at = after(DAY);
        schedule.handle_response(&old, None, check, at, 0);
        let fetch = schedule.poll_fetch(schedule.wake_at().unwrap()).unwrap();
        assert!(fetch.bypass_caches, "an old answer may be that of a cache");
    });
}

#[test]
fn without_a_responder_nothing_is_wrong() {
    let world = World::with_extensions(DAY * 90, &[]);
    world.run(|_, mut schedule| {
        assert_eq!(events(&mut schedule), [Event::NoResponder]);
        assert_eq!(schedule.poll_fetch(after(DAY)), None);
        schedule.handle_time(after(DAY));
        assert_eq!((schedule.wake_at(), schedule.poll_saved()), (None, None));
        assert_eq!(
            (events(&mut schedule), schedule.state(now())),
            (vec![], ScheduleState::NoResponder)
        );
        // One that is named by hand is asked.
        let mut named = schedule.with_responders(["http://ocsp.example/".into()]);
        assert!(named.poll_fetch(now()).is_some());
        assert_eq!(events(&mut named), []);
    });
}

#[test]
fn a_certificate_that_has_ended_is_asked_about_no_more() {
    let world = World::new(DAY * 2);
    world.run(|check, mut schedule| {
        schedule.handle_response(&world.respond(GOOD, now(), DAY * 7), None, check, now(), 0);
        assert_eq!(schedule.state(now()), ScheduleState::Good { until: after(DAY * 2) });
        let end = after(DAY * 3);
        schedule.handle_time(end);
        assert_eq!((schedule.poll_fetch(end), schedule.state(end)), (None, ScheduleState::Ended));
    });
}

#[test]
fn what_was_saved_is_verified_again() {
    let world = World::new(DAY * 90);
    world.run(|check, mut schedule| {
        let good = world.respond(GOOD, now(), DAY * 4);
        schedule.handle_response(&good, None, check, now(), 0);
        let saved = schedule.poll_saved().unwrap();
        assert_eq!(schedule.poll_saved(), None);
        let restart = |saved: Saved, at| {
            let mut schedule = Schedule::new(check.certificate(), at);
            schedule.handle_saved(saved, check, at);
            schedule
        };
        let mut same = restart(saved.clone(), after(HOUR));
        assert_eq!(
            same.staple(after(HOUR)).map(|staple| staple.response).as_deref(),
            Some(&good[..])
        );
        assert_eq!(same.poll_fetch(after(HOUR)), None, "its time has not come");
        assert_eq!(same.wake_at(), schedule.wake_at());
        // Too late, or of the certificate before.
        let mut late = restart(saved.clone(), after(DAY * 5));
        assert_eq!(late.staple(after(DAY * 5)), None);
        assert!(late.poll_fetch(after(DAY * 5)).is_some());
        assert!(matches!(events(&mut late)[..], [Event::SavedRefused(ProofError::Expired(_))]));
        let mut other = saved;
        other.response = Some(world.respond(GOOD, now(), DAY)[1..].into());
        let mut other = restart(other, after(HOUR));
        assert!(matches!(events(&mut other)[..], [Event::SavedRefused(ProofError::Malformed(_))]));
        assert!(other.poll_fetch(after(HOUR)).is_some());
    });
}
