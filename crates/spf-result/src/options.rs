//! What a check does where RFC 7208 leaves it a choice, and how much it does.

use std::sync::Arc;
use std::time::Duration;

use crate::Record;

/// What a check does where RFC 7208 leaves it a choice, and its [`Limits`].
///
/// ```
/// use spf_result::{Limits, Options};
///
/// let options = Options::default()
///     .with_limits(Limits::default().with_void_lookups(4))
///     .with_guess(Some(Options::default_guess()));
/// assert_eq!(options.limits.void_lookups, 4);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// How much is done.
    pub limits: Limits,
    /// What is evaluated for a domain that publishes nothing, as Exim's `spf_guess` does; the
    /// outcome says that it is a [guess](crate::Outcome::is_guess). What it looks up in vain is not
    /// limited: its domain has not asked for it. By default nothing is evaluated.
    pub guess: Option<Arc<Record>>,
    /// Lets clients on the loopback network pass without a question, as libspf2, and Exim with it,
    /// does. Off by default: RFC 7208 knows no such rule.
    pub loopback_passes: bool,
    /// Leaves the addresses of the hosts of `mx`, and of the names of `ptr` and `%{p}`, out of the
    /// count of void lookups. Off by default: RFC 7208 section 4.6.4 counts terms that meet a void
    /// answer. On, it helps senders whose hosts have no IPv6 addresses.
    pub hosts_are_not_void: bool,
}

impl Options {
    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets [`Self::guess`].
    #[must_use]
    pub fn with_guess(self, guess: Option<Arc<Record>>) -> Self {
        Self { guess, ..self }
    }

    /// Sets [`Self::loopback_passes`].
    #[must_use]
    pub fn with_loopback_passes(self, loopback_passes: bool) -> Self {
        Self { loopback_passes, ..self }
    }

    /// Sets [`Self::hosts_are_not_void`].
    #[must_use]
    pub fn with_hosts_are_not_void(self, hosts_are_not_void: bool) -> Self {
        Self { hosts_are_not_void, ..self }
    }
}

impl Options {
    /// Returns the record that Exim guesses with by default: `v=spf1 a/24 mx/24 ptr ?all`.
    #[must_use]
    pub fn default_guess() -> Arc<Record> {
        // It can be parsed; without terms it would be neutral too.
        Arc::new("v=spf1 a/24 mx/24 ptr ?all".parse().unwrap_or_else(|_| Record::empty()))
    }
}

/// How much a check does: RFC 7208 section 4.6.4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most terms that ask the DNS: `include`, `a`, `mx`, `ptr`, `exists`, `redirect` and each
    /// use of `%{p}`. By default 10. One more is a permerror. It bounds how deep includes go.
    pub lookups: u8,
    /// The most lookups that find nothing. By default 2. One more is a permerror.
    pub void_lookups: u8,
    /// The most hosts that the answer to an `mx` may have. By default 10. More are a permerror.
    pub mx_hosts: usize,
    /// The most names of the client that are looked at, for `ptr` and `%{p}`. By default 10. More
    /// are left out.
    pub ptr_names: usize,
    /// The most octets of an explanation. By default 500. A longer one is
    /// [withheld](crate::Explanation::Withheld).
    pub explanation: usize,
    /// The most questions that [`Check::session`](crate::Check::session) asks. By default 150,
    /// which is more than the other defaults allow. All others have
    /// [failed](mail_types::dns::DnsFailure::OverLimit).
    pub questions: usize,
    /// How long a check may take, for whoever drives it. By default 20 seconds, the least that
    /// section 4.6.4 allows. Then what is unanswered is a temperror.
    pub time: Duration,
}

impl Limits {
    /// Sets [`Self::lookups`].
    #[must_use]
    pub fn with_lookups(self, lookups: u8) -> Self {
        Self { lookups, ..self }
    }

    /// Sets [`Self::void_lookups`].
    #[must_use]
    pub fn with_void_lookups(self, void_lookups: u8) -> Self {
        Self { void_lookups, ..self }
    }

    /// Sets [`Self::mx_hosts`].
    #[must_use]
    pub fn with_mx_hosts(self, mx_hosts: usize) -> Self {
        Self { mx_hosts, ..self }
    }

    /// Sets [`Self::ptr_names`].
    #[must_use]
    pub fn with_ptr_names(self, ptr_names: usize) -> Self {
        Self { ptr_names, ..self }
    }

    /// Sets [`Self::explanation`].
    #[must_use]
    pub fn with_explanation(self, explanation: usize) -> Self {
        Self { explanation, ..self }
    }

    /// Sets [`Self::questions`].
    #[must_use]
    pub fn with_questions(self, questions: usize) -> Self {
        Self { questions, ..self }
    }

    /// Sets [`Self::time`].
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lookups: 10,
            void_lookups: 2,
            mx_hosts: 10,
            ptr_names: 10,
            explanation: 500,
            questions: 150,
            time: Duration::from_secs(20),
        }
    }
}
