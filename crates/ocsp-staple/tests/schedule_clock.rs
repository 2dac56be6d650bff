//! Clocks that are set, machines that sleep, and certificates that end.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;
#[path = "support/world.rs"]
mod world;

use std::time::Duration;

use authority::{GOOD, later};
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{Check, Event, FetchError, Pace, ProofError, Saved, Schedule, ScheduleState};
use revocation::revoked;
use vector_time::now;
use world::{DAY, HOUR, World, after};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn events(schedule: &mut Schedule) -> Vec<Event> {
    std::iter::from_fn(|| schedule.poll_event()).collect()
}

/// A schedule that starts from a saved state.
fn restart(check: &Check<'_>, saved: Saved, at: UnixTime) -> Schedule {
    let mut schedule = Schedule::new(check.certificate(), at);
    schedule.handle_saved(saved, check, at);
    schedule
}

/// A state from now, whose next request is so much later.
fn saved(failures: u32, next: Duration, response: &[u8]) -> Saved {
    let (since, next, length) = (now().as_secs(), after(next).as_secs(), response.len());
    let text = format!(
        "ocsp-staple 1\nsince {since} failures {failures} next {next}\nresponse {length}\n"
    );
    Saved::parse(&[text.as_bytes(), response].concat()).unwrap()
}

#[test]
fn after_the_end_of_the_certificate_nothing_is_to_come() {
    let world = World::new(DAY * 2);
    world.run(|check, schedule| {
        // A restart, after the certificate has ended.
        let late = after(DAY * 10);
        assert_eq!(Schedule::new(check.certificate(), late).wake_at(), None);
        let mut again = restart(check, saved(0, DAY, b""), late);
        assert_eq!((again.wake_at(), again.poll_fetch(late)), (None, None));
        // A machine that slept through it, with a staple, with a failure, and with neither.
        let asleep = after(DAY * 3);
        let mut with_staple = schedule.clone();
        with_staple.handle_response(&world.respond(GOOD, now(), DAY * 8), None, check, now(), 0);
        let mut failed = schedule.clone();
        failed.handle_failure(FetchError::Broken, None, after(DAY), 0);
        let mut revocation = schedule.clone();
        let response = world.respond(&revoked(now()), now(), DAY * 8);
        revocation.handle_response(&response, None, check, now(), 0);
        for mut schedule in [with_staple, failed, revocation, schedule] {
            assert!(schedule.wake_at().is_some());
            // As a program may have it that only asks what to fetch.
            assert_eq!(schedule.poll_fetch(asleep), None);
            assert_eq!((schedule.wake_at(), schedule.state(asleep)), (None, ScheduleState::Ended));
            // A clock that was ahead, and is set back.
            schedule.handle_time(after(DAY));
            assert!(schedule.wake_at().is_some());
        }
    });
}

/// After each turn, as documented, there is nothing to do at once.
#[test]
fn no_turn_leads_to_another_at_once() {
    let answers = [GOOD.to_vec(), revoked(now()), vec![0x82, 0]];
    for days in [2, 10, 90] {
        let world = World::new(DAY * days);
        world.run(|check, mut schedule| {
            let mut at = now();
            for turn in 0..400_u32 {
                schedule.handle_time(at);
                if schedule.poll_fetch(at).is_some() {
                    let random = turn.wrapping_mul(0x9e37_79b9);
                    let valid = [HOUR, DAY, DAY * 4, DAY * 10][(random >> 28 & 3) as usize];
                    match answers.get((random >> 24 & 7) as usize) {
                        Some(answer) => {
                            let response = world.respond(answer, at, valid);
                            let age = (random & 1 == 0).then_some(MINUTE * (random >> 20 & 63));
                            schedule.handle_response(&response, age, check, at, random);
                        }
                        None => schedule.handle_failure(FetchError::Broken, None, at, random),
                    }
                }
                let Some(wake) = schedule.wake_at() else { break };
                assert!(wake > at, "turn {turn} of {days} days");
                // The machine sleeps now and then.
                at = if turn % 50 == 49 { later(wake, DAY) } else { wake };
                if turn % 20 == 19 {
                    let state = schedule.poll_saved();
                    schedule = state.map_or(schedule, |state| restart(check, state, at));
                }
            }
        });
    }
}

#[test]
fn a_clock_that_was_ahead_delays_no_request() {
    let world = World::new(DAY * 400);
    world.run(|check, mut schedule| {
        let longest = after(Pace::default().longest_backoff);
        // After a failure, the longest backoff counts, before and after a restart.
        schedule.handle_failure(FetchError::Broken, None, after(DAY * 300), 0);
        let state = schedule.poll_saved().unwrap();
        schedule.handle_time(now());
        assert_eq!(schedule.wake_at(), Some(longest));
        assert_eq!(restart(check, state, now()).wake_at(), Some(longest));
        // A proof of a time to come was got with that clock.
        let mut schedule = Schedule::new(check.certificate(), now());
        let at = after(DAY * 5);
        schedule.handle_response(&world.respond(GOOD, at, DAY * 2), None, check, at, 0);
        schedule.handle_time(now());
        assert_eq!(schedule.wake_at(), Some(longest));
        // Without a proof, nothing is waited for.
        let again = restart(check, saved(0, DAY * 5, b""), now());
        assert_eq!(again.wake_at(), Some(now()));
        // A proof is renewed at its half, whatever was saved, and at its end.
        let response = world.respond(GOOD, now(), DAY);
        let mut again = restart(check, saved(0, DAY * 5, &response), now());
        assert_eq!(again.wake_at(), Some(after(HOUR * 12)));
        let end = after(DAY + SECOND);
        assert_eq!(again.state(end), ScheduleState::Pending);
        assert!(again.poll_fetch(end).is_some());
    });
}

/// A state that was right is taken as it is.
#[test]
fn a_saved_time_stays_where_the_clock_was_right() {
    let world = World::new(DAY * 90);
    world.run(|check, schedule| {
        for (valid, age, random) in [
            (DAY * 8, None, 0),
            (DAY * 8, None, 1023),
            (DAY * 80, None, 7),
            (HOUR, None, 7),
            (MINUTE * 3, None, 7),
            (DAY, Some(HOUR), 7),
            (DAY, Some(Duration::ZERO), 7),
        ] {
            for times in 1..=3 {
                let (mut schedule, mut at) = (schedule.clone(), now());
                let response = world.respond(GOOD, now(), valid);
                for _ in 0..times {
                    schedule.handle_response(&response, age, check, at, random);
                    at = schedule.wake_at().unwrap();
                }
                let state = schedule.poll_saved().unwrap();
                let before = state.next.as_secs() - 1;
                let before = UnixTime::since_unix_epoch(Duration::from_secs(before));
                let next = Some(state.next).filter(|next| *next <= after(valid));
                schedule.handle_time(before);
                assert_eq!(schedule.wake_at(), next, "{valid:?} {age:?} {random} {times}");
                assert_eq!(restart(check, state, before).wake_at(), next, "{valid:?} {age:?}");
            }
        }
    });
}

/// Within the skew of the clocks a proof that has ended still proves, but is not stapled.
#[test]
fn a_saved_proof_that_has_ended_is_not_good() {
    let world = World::new(DAY * 90);
    world.run(|check, _| {
        let response = world.respond(GOOD, now(), DAY);
        let at = after(DAY + MINUTE * 3);
        let mut again = restart(check, saved(0, DAY * 2, &response), at);
        let refused = Event::SavedRefused(ProofError::Expired(after(DAY)));
        assert_eq!(events(&mut again), [refused]);
        assert!(again.poll_fetch(at).is_some());
    });
}

#[test]
fn no_wait_is_shorter_than_a_second() {
    let world = World::new(DAY * 90);
    let short = [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(1500)];
    world.run(|check, schedule| {
        for wait in short {
            let pace = Pace::default()
                .with_shortest(wait)
                .with_first_backoff(wait)
                .with_longest_backoff(wait)
                .with_longest(wait)
                .with_newcomer_backoff(wait);
            for error in [FetchError::Broken, FetchError::Unknown] {
                let mut schedule = schedule.clone().with_pace(pace.clone());
                schedule.handle_failure(error, None, now(), 0);
                assert_eq!(schedule.wake_at(), Some(after(SECOND)), "{wait:?}");
                assert_eq!(schedule.poll_fetch(now()), None);
            }
            let mut schedule = schedule.clone().with_pace(pace);
            schedule.handle_response(&world.respond(GOOD, now(), DAY), None, check, now(), 0);
            assert_eq!(schedule.wake_at(), Some(after(SECOND)), "{wait:?}");
        }
        // One that is revoked has nothing to be stapled in time.
        let mut schedule = schedule;
        let response = world.respond(&revoked(now()), now(), SECOND);
        schedule.handle_response(&response, None, check, now(), 0);
        assert_eq!(schedule.wake_at(), Some(after(MINUTE * 5)));
    });
}
