//! How often a responder is asked.

use std::time::Duration;

use crate::cert_id::IssuerHash;

/// How often a responder is asked, and how. No wait is shorter than a second, whatever is set here.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::{IssuerHash, Pace};
///
/// let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
/// let pace = Pace::default()
///     .with_hash(IssuerHash::Sha256)
///     .with_shortest(minutes(10))
///     .with_first_backoff(minutes(2))
///     .with_longest_backoff(minutes(30))
///     .with_longest(minutes(24 * 60))
///     .with_newcomer(minutes(120))
///     .with_newcomer_backoff(minutes(10));
/// assert_eq!((pace.hash, pace.longest), (IssuerHash::Sha256, minutes(24 * 60)));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// By which digest the first request names the issuer; if the responder does not know the
    /// certificate by it, the next has the other. SHA-1 by default.
    pub hash: IssuerHash,
    /// The shortest time from an answer to the next request, unless its proof ends before twice that.
    /// By default five minutes.
    pub shortest: Duration,
    /// The backoff after a failure, at most, of which each is twice the one before; at least, each is
    /// half of that. By default a minute.
    pub first_backoff: Duration,
    /// The longest backoff. By default 45 minutes: so a responder that is up for an hour is asked.
    pub longest_backoff: Duration,
    /// The longest time from an answer to the next request. By default a week.
    pub longest: Duration,
    /// For how long a certificate that the responder does not know may be too new for it. By default
    /// an hour. Until then the backoff is at most [`Self::newcomer_backoff`], from then on the
    /// longest.
    pub newcomer: Duration,
    /// The longest backoff for a certificate that may be too new. By default five minutes.
    pub newcomer_backoff: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            hash: IssuerHash::Sha1,
            shortest: minutes(5),
            first_backoff: minutes(1),
            longest_backoff: minutes(45),
            longest: minutes(7 * 24 * 60),
            newcomer: minutes(60),
            newcomer_backoff: minutes(5),
        }
    }
}

impl Pace {
    /// Sets [`Self::hash`].
    #[must_use]
    pub fn with_hash(self, hash: IssuerHash) -> Self {
        Self { hash, ..self }
    }

    /// Sets [`Self::shortest`].
    #[must_use]
    pub fn with_shortest(self, shortest: Duration) -> Self {
        Self { shortest, ..self }
    }

    /// Sets [`Self::first_backoff`].
    #[must_use]
    pub fn with_first_backoff(self, first_backoff: Duration) -> Self {
        Self { first_backoff, ..self }
    }

    /// Sets [`Self::longest_backoff`].
    #[must_use]
    pub fn with_longest_backoff(self, longest_backoff: Duration) -> Self {
        Self { longest_backoff, ..self }
    }

    /// Sets [`Self::longest`].
    #[must_use]
    pub fn with_longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Sets [`Self::newcomer`].
    #[must_use]
    pub fn with_newcomer(self, newcomer: Duration) -> Self {
        Self { newcomer, ..self }
    }

    /// Sets [`Self::newcomer_backoff`].
    #[must_use]
    pub fn with_newcomer_backoff(self, newcomer_backoff: Duration) -> Self {
        Self { newcomer_backoff, ..self }
    }

    /// Returns how long to wait after so many failures in a row.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_backoff.saturating_mul(doubled).min(self.longest_backoff)
    }
}
