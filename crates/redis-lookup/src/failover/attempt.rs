//! An attempt to execute a command.

use std::time::Duration;

use crate::{Command, DeferReason, Effect, Refusal, slot};

/// The state of one command for [`Failover`](crate::Failover): its effect, and the servers that had it.
#[derive(Clone, Debug)]
pub struct Attempt {
    effect: Effect,
    pub(super) slot: Option<u16>,
    pub(super) server: usize,
    /// The number of repetitions at this server.
    again: usize,
    redirects: usize,
    /// The target of a redirection.
    pub(super) redirect: Option<usize>,
    pub(super) asking: bool,
    /// Whether this attempt has asked for the map of slots.
    pub(super) refreshed: bool,
    pub(super) last: Option<DeferReason>,
    pub(super) over: Over,
}

#[derive(Clone, Debug)]
pub(super) enum Over {
    No,
    Yes(DeferReason),
}

impl Attempt {
    /// The maximum number of redirections of a command.
    pub const MAX_REDIRECTS: usize = 5;

    /// Starts for a command with this effect and the slot of its key.
    #[must_use]
    pub fn new(effect: Effect, slot: Option<u16>) -> Self {
        Self {
            effect,
            slot,
            server: 0,
            again: 0,
            redirects: 0,
            redirect: None,
            asking: false,
            refreshed: false,
            last: None,
            over: Over::No,
        }
    }

    /// Starts for a command.
    ///
    /// ```
    /// use mail_types::exim::Query;
    /// use redis_lookup::{Attempt, Command};
    ///
    /// let mut query = Query::default();
    /// query.push_literal(b"GET a");
    /// let attempt = Attempt::of(&Command::new(&query)?);
    /// assert!(format!("{attempt:?}").contains("slot: Some(15495)"));
    /// # Ok::<(), redis_lookup::CommandError>(())
    /// ```
    #[must_use]
    pub fn of(command: &Command) -> Self {
        Self::new(command.effect(), command.key().map(slot))
    }

    /// Repeats it once at the same server, then at the next.
    pub(super) fn again(&mut self, reason: DeferReason) {
        self.last = Some(reason);
        self.again += 1;
        if self.again > 1 {
            self.server += 1;
            self.again = 0;
        }
    }

    pub(super) fn again_if_read(&mut self, reason: DeferReason) {
        match self.effect {
            Effect::Read => self.again(reason),
            Effect::Write => self.over = Over::Yes(reason),
        }
    }

    pub(super) fn next_server(&mut self, reason: DeferReason) {
        self.last = Some(reason);
        self.server += 1;
        self.again = 0;
        self.refreshed = false;
        self.redirect = None;
        self.asking = false;
    }

    /// Follows a redirection; `node` is `None` where the number of nodes is at its maximum.
    pub(super) fn redirect(&mut self, node: Option<usize>, asking: bool, reason: DeferReason) {
        self.redirects += 1;
        if self.redirects > Self::MAX_REDIRECTS {
            self.over = Over::Yes(DeferReason::Redirects { limit: Self::MAX_REDIRECTS });
        } else if node.is_none() {
            self.over = Over::Yes(reason);
        } else {
            (self.redirect, self.asking) = (node, asking);
        }
    }
}

/// The cause of a missing answer to a command.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// The connection was closed before the command was sent.
    NotSent,
    /// The connection closed after the command was sent.
    Cut,
    /// The deadline has passed.
    TimedOut {
        /// Whether the connection received nothing since the command was sent.
        silent: bool,
        /// The time limit.
        limit: Duration,
    },
    /// The server answered with an error.
    Refused(Refusal),
}

impl Failure {
    /// Tells whether it proves that the command was not executed.
    ///
    /// ```
    /// use redis_lookup::{Failure, Refusal};
    ///
    /// assert!(Failure::NotSent.proves_nothing_done());
    /// assert!(Failure::Refused(Refusal::new(b"READONLY You can't write")).proves_nothing_done());
    /// assert!(!Failure::Cut.proves_nothing_done());
    /// ```
    #[must_use]
    pub fn proves_nothing_done(&self) -> bool {
        match self {
            Self::NotSent => true,
            Self::Cut | Self::TimedOut { .. } => false,
            // A script may have changed data before its error.
            Self::Refused(refusal) => refusal.meaning() != crate::Meaning::Final,
        }
    }
}
