//! Options of a stub resolver.

use std::time::Duration;

use mail_types::dns::Name;

use crate::CacheLimits;

/// The options of a [`Stub`](crate::Stub).
///
/// ```
/// use std::time::Duration;
///
/// use dane_tlsa::{CacheLimits, StubOptions};
///
/// let options = StubOptions::default()
///     .with_trusted(true)
///     .with_signed_name("example.com".parse()?)
///     .with_bogus_name(Some("dnssec-failed.org".parse()?))
///     .with_patience(Duration::from_secs(2), 3)
///     .with_probe_times(Duration::from_secs(600), Duration::from_secs(10))
///     .with_cache(CacheLimits::default());
/// assert!(options.trusted && options.rounds == 3);
/// # Ok::<(), dane_tlsa::mail_types::dns::NameError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct StubOptions {
    /// Whether the servers are trusted to validate though they are not on this host (no).
    pub trusted: bool,
    /// A name in a signed zone, for the probe (the root).
    pub signed_name: Name,
    /// A name whose validation must fail, for the probe (none).
    pub bogus_name: Option<Name>,
    /// How long a server may take for a response (5 s).
    pub patience: Duration,
    /// How often a silent server is asked (2): the last time without EDNS.
    pub rounds: u32,
    /// How long a probe that succeeded counts (1 hour).
    pub probe_interval: Duration,
    /// The time to the next probe, after one that did not succeed (1 minute).
    pub probe_retry: Duration,
    /// The limits of the cache.
    pub cache: CacheLimits,
}

impl StubOptions {
    /// Trusts the servers by explicit word, as `options trust-ad` of resolv.conf does. The way to them must be
    /// as safe as this host: whoever is on it decides what is secure.
    #[must_use]
    pub fn with_trusted(self, trusted: bool) -> Self {
        Self { trusted, ..self }
    }

    /// Takes another signed name for the probe, for networks without the root.
    #[must_use]
    pub fn with_signed_name(self, signed_name: Name) -> Self {
        Self { signed_name, ..self }
    }

    /// Takes a name for the probe whose validation must fail, such as `dnssec-failed.org`.
    #[must_use]
    pub fn with_bogus_name(self, bogus_name: Option<Name>) -> Self {
        Self { bogus_name, ..self }
    }

    /// Takes another time for a response, and another number of times that a silent server is asked.
    #[must_use]
    pub fn with_patience(self, patience: Duration, rounds: u32) -> Self {
        Self { patience, rounds: rounds.max(1), ..self }
    }

    /// Takes other times between probes: after success, and after anything else.
    #[must_use]
    pub fn with_probe_times(self, interval: Duration, retry: Duration) -> Self {
        Self { probe_interval: interval, probe_retry: retry, ..self }
    }

    /// Takes other limits of the cache.
    #[must_use]
    pub fn with_cache(self, cache: CacheLimits) -> Self {
        Self { cache, ..self }
    }
}

impl Default for StubOptions {
    fn default() -> Self {
        Self {
            trusted: false,
            signed_name: Name::root(),
            bogus_name: None,
            patience: Duration::from_secs(5),
            rounds: 2,
            probe_interval: Duration::from_secs(3600),
            probe_retry: Duration::from_secs(60),
            cache: CacheLimits::default(),
        }
    }
}
