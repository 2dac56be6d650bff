//! How many failure reports go out: RFC 9991 sections 2 and 7.1 ask for a limit.

use std::collections::HashMap;
use std::time::Duration;

/// A limit on the reports to each destination, without a clock.
///
/// In each period, which begins with a destination's first report, no more go out than the limit
/// says. Those held back are counted, and the next that goes out tells how many incidents it stands
/// for. No order of calls panics, and a time that runs backwards lets nothing more out.
///
/// ```
/// use std::time::Duration;
///
/// use dmarc_policy::{FailureRate, FailureRateLimits, Pace};
///
/// let mut limits = FailureRateLimits::default();
/// (limits.reports, limits.period) = (1, Duration::from_secs(60));
/// let mut rate = FailureRate::new(limits);
/// let at = Duration::from_secs;
/// assert_eq!(rate.handle_report("ruf@example.com", at(0)), Pace::Send { incidents: 1 });
/// assert_eq!(rate.handle_report("ruf@example.com", at(59)), Pace::Held);
/// assert_eq!(rate.handle_report("ruf@example.com", at(60)), Pace::Send { incidents: 2 });
/// ```
#[derive(Clone, Debug)]
pub struct FailureRate {
    limits: FailureRateLimits,
    destinations: HashMap<Box<str>, Window>,
}

impl FailureRate {
    /// Begins without having sent anything.
    #[must_use]
    pub fn new(limits: FailureRateLimits) -> Self {
        Self { limits, destinations: HashMap::new() }
    }

    /// Says whether a report may go to a destination, and takes it as gone if it may. `now` is the
    /// time since any moment that stays the same.
    pub fn handle_report(&mut self, destination: &str, now: Duration) -> Pace {
        let FailureRateLimits { reports, period, .. } = self.limits;
        if let Some(window) = self.destinations.get_mut(destination) {
            window.renew(now, period);
            return window.take(reports);
        }
        if self.destinations.len() >= self.limits.destinations {
            // What goes with those that are over is at most their count of reports held back.
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

/// How many failure reports may go out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FailureRateLimits {
    /// The reports to one destination in a period. Default: 10.
    pub reports: u32,
    /// How long a period is. Default: an hour.
    pub period: Duration,
    /// The destinations that are remembered; while as many have had a report in their period,
    /// others get none. Default: 10 000.
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

/// Whether a failure report may go out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a program must tell these apart")]
pub enum Pace {
    /// It may, and stands for so many incidents: the field `Incidents` (RFC 5965 section 3.2).
    Send {
        /// Itself, and those held back before.
        incidents: u32,
    },
    /// It may not; the next that may will stand for it too.
    Held,
    /// It may not, since there are too many destinations; it is not counted.
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
