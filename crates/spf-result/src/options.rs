//! Options and limits of a check.

use std::sync::Arc;
use std::time::Duration;

use crate::Record;

/// The choices that RFC 7208 leaves open, and the [`Limits`] of a check.
///
/// ```
/// use spf_result::{Limits, Options};
///
/// let options = Options::default()
///     .with_limits(Limits::default().with_void_lookups(4))
///     .with_guess(Some(Options::default_guess()));
/// assert_eq!(options.limits.void_lookups, 4);
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The limits of a check.
    pub limits: Limits,
    /// The record to evaluate for a domain that publishes none, as Exim's `spf_guess` does; the
    /// outcome says that it is a [guess](crate::SpfOutcome::is_guess). Its void lookups are not
    /// limited: the domain has not asked for them. By default there is no guess.
    pub guess: Option<Arc<Record>>,
    /// Lets clients on the loopback network pass without a question, as libspf2, and Exim with it,
    /// does. Off by default: RFC 7208 has no such rule.
    pub loopback_passes: bool,
    /// Does not count void lookups for the addresses of the hosts of `mx`, and of the names of
    /// `ptr` and `%{p}`. Off by default: RFC 7208 section 4.6.4 counts terms that cause a void
    /// lookup. On, it helps senders whose hosts have no IPv6 addresses.
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
    /// Returns Exim's default guess: `v=spf1 a/24 mx/24 ptr ?all`.
    #[must_use]
    pub fn default_guess() -> Arc<Record> {
        // It is valid; the empty record would be neutral too.
        Arc::new("v=spf1 a/24 mx/24 ptr ?all".parse().unwrap_or_else(|_| Record::empty()))
    }
}

/// The limits of a check: RFC 7208 section 4.6.4.
///
/// ```
/// use std::time::Duration;
///
/// use spf_result::{Limits, Options};
///
/// let limits = Limits::default()
///     .with_lookups(20)
///     .with_mx_hosts(5)
///     .with_ptr_names(5)
///     .with_explanation(200)
///     .with_questions(50)
///     .with_time(Duration::from_secs(5));
/// assert_eq!((limits.lookups, limits.void_lookups), (20, 2));
/// let options = Options::default().with_limits(limits).with_hosts_are_not_void(true);
/// assert!(options.hosts_are_not_void && options.limits.mx_hosts == 5);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most terms that cause DNS queries: `include`, `a`, `mx`, `ptr`, `exists`, `redirect` and
    /// each use of `%{p}`. By default 10. One more is a permerror. It limits the depth of includes.
    pub lookups: u8,
    /// The most void lookups. By default 2. One more is a permerror.
    pub void_lookups: u8,
    /// The most hosts in the answer to an `mx`. By default 10. More are a permerror.
    pub mx_hosts: usize,
    /// The most names of the client that are validated for `ptr` and `%{p}`. By default 10. Further
    /// names are left out.
    pub ptr_names: usize,
    /// The most octets of an explanation. By default 500. A longer one is
    /// [withheld](crate::Explanation::Withheld).
    pub explanation: usize,
    /// The most questions that [`Check::session`](crate::Check::session) asks. By default 150,
    /// which is more than the other defaults allow. Every further question has
    /// [failed](mail_types::dns::DnsFailure::OverLimit).
    pub questions: usize,
    /// The time limit of a check, for its driver. By default 20 seconds, the least that section
    /// 4.6.4 allows. After it, an open question makes a temperror.
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
