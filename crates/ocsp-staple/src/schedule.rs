//! When a certificate's proof is to be fetched, kept and dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::UnixTime;

use crate::asking::{Asking, is_unknown};
use crate::certificate::Certificate;
use crate::check::Check;
use crate::event::{Event, ScheduleState};
use crate::fetch::{Fetch, FetchError, Method};
use crate::pace::Pace;
use crate::proof::{Proof, ProofError, Staple};
use crate::saved::Saved;
use crate::status::CertificateStatus;
use crate::time::{between, later};

/// The staple of one certificate, from the first request to the certificate's end.
///
/// It is a state machine without I/O. Make one for each certificate, hand in what was
/// [saved](Self::handle_saved), then take turns: tell the [time](Self::handle_time), fetch what [`poll_fetch`](Self::poll_fetch) says,
/// hand in the [response](Self::handle_response) or the [failure](Self::handle_failure), save what
/// [`poll_saved`](Self::poll_saved) hands out, log [events](Self::poll_event), and wait until
/// [`wake_at`](Self::wake_at). No order of calls panics. `random` is any number, for a jitter.
///
/// - The responder is asked again before half of a proof's time is over, or earlier if it says so.
/// - After a failure it is asked again with a backoff, at most a quarter of the time that is left.
/// - A good staple is not given up for an error, an older response or an unknown status, but at its
///   end and for a revocation.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::rustls_pki_types::UnixTime;
/// use ocsp_staple::{Certificate, Check, Event, FetchError, Issuer, Pace, Schedule, ScheduleState};
///
/// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
/// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
/// # let response = include_bytes!("../tests/data/responses/good_delegated.der");
/// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
/// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
/// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
/// let check = Check::new(&leaf, [Issuer::from(&issuer)], algorithms)?;
/// let mut schedule = Schedule::new(&leaf, now).with_pace(Pace::default());
/// assert!(schedule.poll_fetch(now).is_some() && schedule.state(now) == ScheduleState::Pending);
/// schedule.handle_failure(FetchError::Broken, None, now, 0);
/// assert!(matches!(schedule.poll_event(), Some(Event::Failed { failures: 1, .. })));
/// let later = schedule.wake_at().ok_or("it waits for nothing")?;
/// schedule.handle_time(later);
/// let fetch = schedule.poll_fetch(later).ok_or("nothing is due")?;
/// // The program fetches a response from fetch.responder.
/// schedule.handle_response(response, None, &check, later, 0);
/// assert!(schedule.staple(later).is_some());
/// let saved = schedule.poll_saved().ok_or("nothing to save")?;
/// let mut next_start = Schedule::new(&leaf, later);
/// next_start.handle_saved(saved, &check, later);
/// assert!(next_start.staple(later).is_some() && next_start.poll_fetch(later).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    responders: Vec<Arc<str>>,
    pace: Pace,
    /// The last second of the certificate.
    end: UnixTime,
    /// Whether that was over, at the last time that was told.
    ended: bool,
    since: UnixTime,
    next: UnixTime,
    failures: u32,
    fetching: bool,
    held: Option<Held>,
    asking: Asking,
    unsaved: bool,
    events: VecDeque<Event>,
}

/// A verified response, good or revoked.
#[derive(Clone, Debug)]
struct Held {
    proof: Proof,
    response: Arc<[u8]>,
}

impl Schedule {
    /// Starts for a certificate, at the responders that it names.
    #[must_use]
    pub fn new(certificate: &Certificate<'_>, now: UnixTime) -> Self {
        let responders = certificate.responders().filter(|url| is_http(url)).map(Arc::from);
        let mut new = Self {
            responders: Vec::new(),
            pace: Pace::default(),
            end: certificate.not_after(),
            ended: now > certificate.not_after(),
            since: now,
            next: now,
            failures: 0,
            fetching: false,
            held: None,
            asking: Asking::default(),
            unsaved: false,
            events: VecDeque::new(),
        };
        new.set_responders(responders.collect());
        new
    }

    /// Asks these responders instead.
    #[must_use]
    pub fn with_responders(mut self, responders: impl IntoIterator<Item = Arc<str>>) -> Self {
        self.set_responders(responders.into_iter().collect());
        self
    }

    fn set_responders(&mut self, responders: Vec<Arc<str>>) {
        self.responders = responders;
        self.events.retain(|event| *event != Event::NoResponder);
        if self.responders.is_empty() {
            self.tell(Event::NoResponder);
        }
    }

    /// Sets how often the responder is asked.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Takes a saved state, and verifies the response in it anew.
    pub fn handle_saved(&mut self, saved: Saved, check: &Check<'_>, now: UnixTime) {
        self.since = saved.since.min(now);
        self.failures = saved.failures;
        self.next = saved.next;
        if let Some(response) = saved.response {
            match check.verify(&response, now) {
                // It proves itself good within the skew of the clocks, but not for us.
                Ok(Proof { status: CertificateStatus::Good, until, .. }) if now > until => {
                    self.tell(Event::SavedRefused(ProofError::Expired(until)));
                }
                Ok(proof) => self.hold(proof, response),
                Err(error) => self.tell(Event::SavedRefused(error)),
            }
        }
        self.handle_time(now);
    }

    /// Takes the body of an HTTP response of status 200, and for how long it may be cached
    /// (`max-age`), which makes the next request earlier, but not later.
    pub fn handle_response(
        &mut self,
        response: &[u8],
        max_age: Option<Duration>,
        check: &Check<'_>,
        now: UnixTime,
        random: u32,
    ) {
        let proof = match check.verify(response, now) {
            Ok(proof) => proof,
            Err(error) => return self.handle_failure(error.into(), None, now, random),
        };
        let held = self.held.as_ref().map(|held| held.proof);
        let revoked = matches!(proof.status, CertificateStatus::Revoked(_));
        let older = held.is_some_and(|held| match held.status {
            // Of two that are equally old, the stricter counts.
            CertificateStatus::Revoked(_) => proof.this_update <= held.this_update,
            _ => (proof.this_update, proof.until) < (held.this_update, held.until),
        });
        match proof.status {
            CertificateStatus::Unknown => {
                return self.handle_failure(FetchError::Unknown, None, now, random);
            }
            _ if older && !revoked => {
                return self.handle_failure(FetchError::Older, None, now, random);
            }
            // It proves itself good within the skew of the clocks, but not for us.
            CertificateStatus::Good if now > proof.until => {
                let error = ProofError::Expired(proof.until).into();
                return self.handle_failure(error, None, now, random);
            }
            _ => {}
        }
        let same = held.is_some_and(|held| {
            (proof.this_update, proof.until, proof.status)
                == (held.this_update, held.until, held.status)
        });
        self.fetching = false;
        self.failures = 0;
        self.asking.bypass_caches = false;
        self.unsaved = true;
        self.next = self.refresh(&proof, same, max_age, now, random);
        if !same {
            self.hold(proof, response.into());
        }
    }

    /// Takes note that no answer was got, and for how long the responder wants to be left alone
    /// (`Retry-After`), which counts up to the longest backoff.
    pub fn handle_failure(
        &mut self,
        error: FetchError,
        retry_after: Option<Duration>,
        now: UnixTime,
        random: u32,
    ) {
        self.fetching = false;
        let responder = self.responder().unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        self.unsaved = true;
        self.asking.turn(&error);
        let longest = self.longest_backoff(now);
        let mut wait = self.pace.backoff(self.failures);
        if is_unknown(&error) {
            let new = between(self.since, now) < self.pace.newcomer;
            wait = if new { wait.min(self.pace.newcomer_backoff) } else { longest };
        }
        let wait = jittered(wait.min(longest), random).max(retry_after.unwrap_or_default());
        self.next = later(now, wait.min(longest).max(SECOND));
        let (failures, next) = (self.failures, self.next);
        self.tell(Event::Failed { responder, error, failures, next });
    }

    /// Takes note of the time: a proof that has ended is dropped, and a next request that is later than
    /// it would now be set, since the clock was wrong or the machine slept, becomes earlier.
    pub fn handle_time(&mut self, now: UnixTime) {
        self.ended = now > self.end;
        let ended = |held: &mut Held| {
            held.proof.status == CertificateStatus::Good && now > held.proof.until
        };
        if let Some(Held { proof, .. }) = self.held.take_if(ended) {
            self.tell(Event::Ended { until: proof.until });
            self.unsaved = true;
        }
        self.next = self.next.min(self.latest(now));
    }

    /// Takes note of the time, and returns the request that is due, if there is one. Until its outcome
    /// has been handed in, there is no other.
    #[must_use = "a request taken is not handed out again"]
    pub fn poll_fetch(&mut self, now: UnixTime) -> Option<Fetch> {
        self.handle_time(now);
        if self.fetching || now < self.next || now > self.end {
            return None;
        }
        let responder = self.responder()?;
        self.fetching = true;
        let hash = if self.asking.other_hash { self.pace.hash.other() } else { self.pace.hash };
        let method = if self.asking.post { Method::Post } else { Method::Get };
        Some(Fetch { responder, hash, method, bypass_caches: self.asking.bypass_caches })
    }

    /// Returns the state to save, if it has changed.
    #[must_use = "a state is handed out only once"]
    pub fn poll_saved(&mut self) -> Option<Saved> {
        std::mem::take(&mut self.unsaved).then(|| Saved {
            since: self.since,
            failures: self.failures,
            next: self.next,
            response: self.held.as_ref().map(|held| Arc::clone(&held.response)),
        })
    }

    /// Takes the next event.
    #[must_use = "an event taken is not handed out again"]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Returns the staple, while there is one that is good.
    #[must_use]
    pub fn staple(&self, now: UnixTime) -> Option<Staple> {
        let held = self.held.as_ref().filter(|held| held.proof.is_to_be_stapled(now))?;
        Some(Staple { response: Arc::clone(&held.response), until: held.proof.until })
    }

    /// Returns the time at which to call again, or `None` if nothing is to come, as after the end of
    /// the certificate.
    #[must_use]
    pub fn wake_at(&self) -> Option<UnixTime> {
        if self.ended {
            return None;
        }
        let asks = !self.fetching && !self.responders.is_empty() && self.next <= self.end;
        let good = self.held.as_ref().filter(|held| held.proof.status == CertificateStatus::Good);
        let ends = good.map(|held| later(held.proof.until, SECOND));
        [asks.then_some(self.next), ends].into_iter().flatten().min()
    }

    /// Returns how it stands.
    #[must_use]
    pub fn state(&self, now: UnixTime) -> ScheduleState {
        match self.held.as_ref().map(|held| held.proof) {
            _ if now > self.end => ScheduleState::Ended,
            Some(proof) if proof.is_to_be_stapled(now) => {
                ScheduleState::Good { until: proof.until }
            }
            Some(Proof { status: CertificateStatus::Revoked(_), .. }) => ScheduleState::Revoked,
            _ if self.responders.is_empty() => ScheduleState::NoResponder,
            _ => ScheduleState::Pending,
        }
    }

    /// The responder whose turn it is.
    fn responder(&self) -> Option<Arc<str>> {
        let at = self.asking.responder.checked_rem(self.responders.len())?;
        self.responders.get(at).cloned()
    }

    fn hold(&mut self, proof: Proof, response: Arc<[u8]>) {
        let event = match proof.status {
            CertificateStatus::Good => Event::Good { until: proof.until },
            CertificateStatus::Revoked(revocation) => Event::Revoked(revocation),
            CertificateStatus::Unknown => return,
        };
        self.held = Some(Held { proof, response });
        self.tell(event);
    }

    /// Keeps an event until it is taken; of very many, the last.
    fn tell(&mut self, event: Event) {
        self.events.push_back(event);
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// Returns when to ask again after an answer.
    fn refresh(
        &self,
        proof: &Proof,
        same: bool,
        max_age: Option<Duration>,
        now: UnixTime,
        random: u32,
    ) -> UnixTime {
        // Up to a tenth before the half, and not behind: the second half is for failures.
        let half = between(proof.this_update, proof.until) / 2;
        let early = half / 10 / JITTER * (random % JITTER);
        let mut wait = between(now, later(proof.this_update, half.saturating_sub(early)));
        if wait.is_zero() || same {
            wait = wait.max(self.pace.longest_backoff.min(between(now, proof.until) / 4));
        }
        let wait = max_age.map_or(wait, |age| wait.min(age)).min(self.pace.longest);
        let shortest = match proof.status {
            CertificateStatus::Good => self.pace.shortest.min(between(now, proof.until) / 2),
            _ => self.pace.shortest, // There is nothing to staple in time.
        };
        later(now, wait.max(shortest).max(SECOND))
    }

    /// Returns the latest time to ask again that would be set now.
    fn latest(&self, now: UnixTime) -> UnixTime {
        let backoff = self.longest_backoff(now);
        match &self.held {
            _ if self.failures > 0 => later(now, backoff),
            Some(held) if held.proof.this_update <= later(now, backoff) => {
                self.refresh(&held.proof, true, None, now, 0)
            }
            // Of a time to come: the clock was ahead.
            Some(_) => later(now, backoff),
            None => now,
        }
    }

    /// The longest backoff: the less is left of a staple, the shorter.
    fn longest_backoff(&self, now: UnixTime) -> Duration {
        let good = self.held.as_ref().filter(|held| held.proof.is_to_be_stapled(now));
        let left = good.map_or(Duration::MAX, |held| between(now, held.proof.until) / 4);
        self.pace.longest_backoff.min(left).max(self.pace.first_backoff).max(SECOND)
    }
}

fn is_http(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}

/// From the half to the whole of it.
fn jittered(wait: Duration, random: u32) -> Duration {
    wait / 2 + wait / 2 / JITTER * (random % JITTER)
}

/// The shortest wait.
const SECOND: Duration = Duration::from_secs(1);
/// The most events that are kept.
const EVENTS: usize = 64;
/// Into how many steps a jitter is divided.
const JITTER: u32 = 1 << 10;
