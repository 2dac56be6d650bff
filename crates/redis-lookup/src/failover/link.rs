//! The state of a connection.

use std::time::{Duration, Instant};

/// Identifies a connection of a [`Failover`](crate::Failover).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Link {
    /// The number of the server in the list, from 0.
    pub server: usize,
    /// The part of the server.
    pub part: Part,
}

/// A part of a server with a connection of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a driver must open each")]
pub enum Part {
    /// The server, or the master of its sentinels.
    Server,
    /// A node of a cluster.
    Node(usize),
    /// The map of a cluster's slots, from any node; not a connection.
    Slots,
}

#[derive(Clone, Debug, Default)]
pub(super) struct LinkState {
    up: bool,
    opening: bool,
    /// The number of consecutive failures to open it.
    failures: u32,
    /// The earliest time of the next attempt.
    until: Option<Instant>,
    why: String,
}

/// The decision for a connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Decision {
    Use,
    Open {
        failures: u32,
    },
    Await,
    /// It is down, for this cause.
    Skip(String),
}

impl LinkState {
    /// Returns the decision; [`Decision::Open`] only once until its result is reported.
    pub(super) fn decide(&mut self, now: Instant) -> Decision {
        match self {
            Self { up: true, .. } => Decision::Use,
            Self { opening: true, failures: 0, .. } => Decision::Await,
            Self { opening: true, .. } => Decision::Skip(self.why.clone()),
            Self { until: Some(until), .. } if now < *until => Decision::Skip(self.why.clone()),
            Self { failures, .. } => {
                self.opening = true;
                Decision::Open { failures: *failures }
            }
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// The cause of the last failure.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    pub(super) fn is_opening(&self) -> bool {
        self.opening
    }

    pub(super) fn open(&mut self) {
        *self = Self { up: true, ..Self::default() };
    }

    pub(super) fn fail(&mut self, why: String, now: Instant) {
        let pause = FIRST_PAUSE * 2_u32.pow(self.failures.min(8));
        let (failures, until) =
            (self.failures.saturating_add(1), Some(now + pause.min(LAST_PAUSE)));
        *self = Self { up: false, opening: false, failures, until, why };
    }

    /// It is closed, as after a restart or a long idle time: attempts wait for the next connection.
    pub(super) fn lose(&mut self) {
        self.up = false;
    }

    /// It is silent: one attempt opens another, and the others do not wait.
    pub(super) fn hang(&mut self, now: Instant) {
        if std::mem::take(&mut self.up) {
            self.failures = 1;
            self.until = Some(now);
            "no reply before the deadline".clone_into(&mut self.why);
        }
    }
}

/// The time limit for opening. A hung server must not delay the news of its successor; but every fourth attempt has
/// the whole time, for a slow server.
pub(super) fn patience(time: Duration, failures: u32) -> Duration {
    if failures.is_multiple_of(4) { time } else { time.min(PROBE) }
}

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LAST_PAUSE: Duration = Duration::from_millis(250);
const PROBE: Duration = Duration::from_millis(700);
