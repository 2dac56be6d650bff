//! A rate limit for failure reports, which RFC 9991 sections 2 and 7.1 ask for.

use std::collections::HashMap;
use std::time::Duration;

/// A limit on the reports to each destination, without a clock.
///
/// A period begins with the first report to a destination, and has at most the limit's number of
/// reports. Reports beyond it are counted, and the next report includes their number. No order of
/// calls panics, and a clock that runs backwards permits no additional report.
///
/// ```
/// use std::time::Duration;
///
/// use dmarc_policy::{FailureRate, FailureRateLimits, Pace};
///
/// let limits = FailureRateLimits::default().with_reports(1).with_period(Duration::from_secs(60));
/// let mut rate = FailureRate::new(limits.with_destinations(1));
/// let at = Duration::from_secs;
/// assert_eq!(rate.handle_report("ruf@example.com", at(0)), Pace::Send { incidents: 1 });
/// assert_eq!(rate.handle_report("ruf@example.com", at(59)), Pace::Held);
/// assert_eq!(rate.handle_report("ruf@example.com", at(60)), Pace::Send { incidents: 2 });
/// assert_eq!(rate.handle_report("other@example.com", at(61)), Pace::Full);
/// ```
#[derive(Clone, Debug)]
pub struct FailureRate {
    limits: FailureRateLimits,
    destinations: HashMap<Box<str>, Window>,
}

impl FailureRate {
    /// Starts without any report sent.
    #[must_use]
    pub fn new(limits: FailureRateLimits) -> Self {
        Self { limits, destinations: HashMap::new() }
    }

    /// Decides whether a report may go to a destination, and counts it as sent if so. `now` is the
    /// time since a fixed moment.
    pub fn handle_report(&mut self, destination: &str, now: Duration) -> Pace {
        let FailureRateLimits { reports, period, .. } = self.limits;
        if let Some(window) = self.destinations.get_mut(destination) {
            window.renew(now, period);
            return window.take(reports);
        }
        if self.destinations.len() >= self.limits.destinations {
            // Removing expired destinations loses at most their counts of reports held back.
            self.destinations.retain(|_, window| !window.is_over(now, period));
        }
        if self.destinations.len() >= self.limits.destinations {
            return Pace::Full;
        }
        let mut window = Window { began: now, sent: 0, held: 0 };
        let pace = window.take(reports);
        self.destinations.insert(destination.into(), window);
        pace
    }
}

/// Limits on the number of failure reports.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FailureRateLimits {
    /// The reports to one destination in a period. Default: 10.
    pub reports: u32,
    /// The length of a period. Default: an hour.
    pub period: Duration,
    /// The number of remembered destinations; while all of them are in their period, other
    /// destinations get no report. Default: 10 000.
    pub destinations: usize,
}

impl FailureRateLimits {
    /// Sets [`Self::reports`].
    #[must_use]
    pub fn with_reports(self, reports: u32) -> Self {
        Self { reports, ..self }
    }

    /// Sets [`Self::period`].
    #[must_use]
    pub fn with_period(self, period: Duration) -> Self {
        Self { period, ..self }
    }

    /// Sets [`Self::destinations`].
    #[must_use]
    pub fn with_destinations(self, destinations: usize) -> Self {
        Self { destinations, ..self }
    }
}

impl Default for FailureRateLimits {
    fn default() -> Self {
        Self { reports: 10, period: Duration::from_secs(3600), destinations: 10_000 }
    }
}

/// The decision on a failure report.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a program must handle all three")]
pub enum Pace {
    /// Send it for this number of incidents: the field `Incidents` (RFC 5965 section 3.2).
    Send {
        /// This incident, and those held back before.
        incidents: u32,
    },
    /// Do not send it; the next report includes it.
    Held,
    /// Do not send it: there are too many destinations. It is not counted.
    Full,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Duration,
    sent: u32,
    held: u32,
}

impl Window {
    fn is_over(self, now: Duration, period: Duration) -> bool {
        now.saturating_sub(self.began) >= period
    }

    fn renew(&mut self, now: Duration, period: Duration) {
        if self.is_over(now, period) {
            (self.began, self.sent) = (now, 0);
        }
    }

    fn take(&mut self, reports: u32) -> Pace {
        if self.sent >= reports {
            self.held = self.held.saturating_add(1);
            return Pace::Held;
        }
        self.sent += 1;
        Pace::Send { incidents: std::mem::take(&mut self.held).saturating_add(1) }
    }
}
