//! What a check does where the standards leave it a choice, and how much it reads.

use std::time::Duration;

/// What a check does where the standards leave it a choice, and its [`Limits`].
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::Options;
///
/// let options = Options::default().with_skew(Duration::ZERO).with_missing_next_update(true);
/// assert!(options.missing_next_update);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// How much is read.
    pub limits: Limits,
    /// How far the responder's clock may be from ours. By default five minutes, as Exim and nginx
    /// have it. It never prolongs a certificate, nor [`Proof::until`](crate::Proof::until).
    pub skew: Duration,
    /// Takes a response without `nextUpdate`, which is good as long as the certificate, unless
    /// [`Self::max_age`] ends it. Off by default: RFC 5019 section 4 refuses it, and Exim ignores it.
    pub missing_next_update: bool,
    /// How old an answer may be, from `thisUpdate` on. By default as old as it says itself.
    pub max_age: Option<Duration>,
    /// Refuses a response signed in time to come, or outside the certificate's validity. On by
    /// default.
    pub check_produced_at: bool,
    /// Refuses a response without the nonce that was sent. Off by default: most responders sign in
    /// advance (RFC 5019 section 4).
    pub require_nonce: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            skew: Duration::from_secs(300),
            missing_next_update: false,
            max_age: None,
            check_produced_at: true,
            require_nonce: false,
        }
    }
}

impl Options {
    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets [`Self::skew`].
    #[must_use]
    pub fn with_skew(self, skew: Duration) -> Self {
        Self { skew, ..self }
    }

    /// Sets [`Self::missing_next_update`].
    #[must_use]
    pub fn with_missing_next_update(self, missing_next_update: bool) -> Self {
        Self { missing_next_update, ..self }
    }

    /// Sets [`Self::max_age`].
    #[must_use]
    pub fn with_max_age(self, max_age: Option<Duration>) -> Self {
        Self { max_age, ..self }
    }

    /// Sets [`Self::check_produced_at`].
    #[must_use]
    pub fn with_check_produced_at(self, check_produced_at: bool) -> Self {
        Self { check_produced_at, ..self }
    }

    /// Sets [`Self::require_nonce`].
    #[must_use]
    pub fn with_require_nonce(self, require_nonce: bool) -> Self {
        Self { require_nonce, ..self }
    }
}

/// How much of a response is read. More is an error, and no answer.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::{Limits, Options};
///
/// let limits = Limits::default().with_response(10_000).with_certificates(2).with_responses(5);
/// let options = Options::default()
///     .with_limits(limits)
///     .with_max_age(Some(Duration::from_secs(86_400)))
///     .with_check_produced_at(false)
///     .with_require_nonce(true);
/// assert_eq!(options.limits.certificates, 2);
/// assert!(options.require_nonce && !options.check_produced_at);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most octets. By default 65,535, more than which fits no handshake.
    pub response: usize,
    /// The most certificates in it. By default 16: with each one, two signatures may be verified.
    pub certificates: usize,
    /// The most certificates that it is about. By default 256.
    pub responses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { response: 65_535, certificates: 16, responses: 256 }
    }
}

impl Limits {
    /// Sets [`Self::response`].
    #[must_use]
    pub fn with_response(self, response: usize) -> Self {
        Self { response, ..self }
    }

    /// Sets [`Self::certificates`].
    #[must_use]
    pub fn with_certificates(self, certificates: usize) -> Self {
        Self { certificates, ..self }
    }

    /// Sets [`Self::responses`].
    #[must_use]
    pub fn with_responses(self, responses: usize) -> Self {
        Self { responses, ..self }
    }
}
