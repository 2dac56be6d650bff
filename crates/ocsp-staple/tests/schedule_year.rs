//! A year with a responder that fails at random, but is up for one hour in a row in the second half
//! of each proof's time.

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

use std::time::Duration;

use authority::{GOOD, later};
use elapsed::since;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{Check, FetchError, Saved, Schedule, ScheduleState};
use revocation::revoked;
use vector_time::now;
use world::{DAY, HOUR, World, after};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_year_has_no_gap_and_no_flood() {
    for (seed, valid) in [(1, DAY * 4), (2, DAY * 7), (3, HOUR * 12), (4, DAY)] {
        World::new(DAY * 370).run(|check, schedule| {
            let mut year = Year::new(seed, valid);
            let last = year.run(check, schedule);
            // At its end the certificate is revoked: the first answer that says so ends the staple.
            year.revoke(check, last);
        });
    }
}

struct Year {
    world: World,
    numbers: Numbers,
    valid: Duration,
    /// When the responder is up for an hour.
    hour: UnixTime,
    requests: u64,
    asked: Option<UnixTime>,
    has_staple: bool,
}

impl Year {
    fn new(seed: u64, valid: Duration) -> Self {
        let world = World::new(DAY * 370);
        let (numbers, hour) = (Numbers(seed), after(HOUR * 5));
        Self { world, numbers, valid, hour, requests: 0, asked: None, has_staple: false }
    }

    fn run(&mut self, check: &Check<'_>, mut schedule: Schedule) -> Schedule {
        let mut at = now();
        while at <= after(DAY * 365) {
            schedule.handle_time(at);
            if schedule.poll_fetch(at).is_some() {
                self.answer(&mut schedule, check, at);
            }
            // The program restarts now and then.
            if let Some(saved) = schedule.poll_saved().filter(|_| self.numbers.one_in(10)) {
                let saved = Saved::parse(&saved.to_bytes()).unwrap();
                schedule = Schedule::new(check.certificate(), at);
                schedule.handle_saved(saved, check, at);
            }
            let stapled = schedule.staple(at);
            assert!(stapled.is_some() || !self.has_staple, "a gap at {at:?}");
            if let ScheduleState::Good { until } = schedule.state(at) {
                assert!(at <= until && stapled.is_some());
            }
            at = schedule.wake_at().unwrap().max(later(at, SECOND));
        }
        assert!(self.has_staple);
        // Half the longest backoff at least is between two of them, but for the first few.
        let proofs = DAY.as_secs() * 365 * 2 / self.valid.as_secs();
        let most = DAY.as_secs() * 365 / (45 * 60 / 2) + proofs * 20;
        assert!(self.requests <= most, "{} requests", self.requests);
        schedule
    }

    fn answer(&mut self, schedule: &mut Schedule, check: &Check<'_>, at: UnixTime) {
        self.requests += 1;
        let wait = self.asked.map_or(DAY, |asked| since(asked, at));
        assert!(wait >= SECOND * 29, "{wait:?} between two requests");
        self.asked = Some(at);
        let random = self.numbers.next();
        if at >= self.hour && at < later(self.hour, HOUR) || self.numbers.one_in(100) {
            let response = self.world.respond(GOOD, at, self.valid);
            schedule.handle_response(&response, None, check, at, random);
            self.has_staple = true;
            let half = (self.valid / 2).checked_sub(HOUR).unwrap().as_secs();
            let into = Duration::from_secs(u64::from(self.numbers.next()) % half);
            self.hour = later(at, self.valid / 2 + into);
            return;
        }
        match self.numbers.next() % 5 {
            0 => schedule.handle_failure(FetchError::Broken, Some(HOUR * 9), at, random),
            1 => schedule.handle_response(b"<html>", None, check, at, random),
            2 => schedule.handle_response(&[0x30, 3, 0x0a, 1, 3], None, check, at, random),
            3 => {
                let old = self.world.respond(GOOD, now(), self.valid);
                schedule.handle_response(&old, None, check, at, random);
                self.has_staple |= schedule.staple(at).is_some();
            }
            _ => schedule.handle_failure(FetchError::Status(404), None, at, random),
        }
    }

    fn revoke(&mut self, check: &Check<'_>, mut schedule: Schedule) {
        let at = after(DAY * 366);
        let response = self.world.respond(&revoked(at), at, self.valid);
        schedule.handle_response(&response, None, check, at, 0);
        assert_eq!(schedule.staple(at), None);
    }
}

/// A generator of numbers, xorshift.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 32).unwrap()
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.next().is_multiple_of(count)
    }
}
