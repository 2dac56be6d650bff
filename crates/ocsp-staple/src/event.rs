//! Events of a staple: a new one, its end, a revocation, a failed fetch.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::UnixTime;

use crate::escaped::Escaped;
use crate::fetch::FetchError;
use crate::proof::ProofError;
use crate::status::Revocation;
use crate::time::Written;

/// Something to be logged.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The certificate names no responder, so that nothing is fetched. This is not a fault.
    NoResponder,
    /// There is a good staple, or a newer one.
    Good {
        /// The last second in which it counts.
        until: UnixTime,
    },
    /// The certificate is revoked: from now on nothing is stapled.
    Revoked(Revocation),
    /// The proof's end has come before a newer one.
    Ended {
        /// Its last second.
        until: UnixTime,
    },
    /// The fetch failed, or its response was invalid.
    Failed {
        /// The address of the responder.
        responder: Arc<str>,
        /// The reason.
        error: FetchError,
        /// The number of consecutive failures.
        failures: u32,
        /// The time of the next fetch.
        next: UnixTime,
    },
    /// The saved response is no longer valid.
    SavedRefused(ProofError),
}

impl fmt::Display for Event {
    /// Writes a line for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResponder => f.write_str("the certificate names no OCSP responder"),
            Self::Good { until } => write!(f, "OCSP staple is good until {}", Written(*until)),
            Self::Revoked(revocation) => {
                write!(f, "the certificate is {revocation}; no OCSP staple")
            }
            Self::Ended { until } => {
                write!(f, "OCSP staple ended at {} before there was a new one", Written(*until))
            }
            Self::Failed { responder, error, failures, next } => {
                write!(
                    f,
                    "no OCSP response from {}: {error} (failure {failures}, next at {})",
                    Escaped(responder),
                    Written(*next)
                )
            }
            Self::SavedRefused(error) => write!(f, "saved OCSP response is not used: {error}"),
        }
    }
}

/// How it stands with a staple.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ScheduleState {
    /// The certificate names no responder.
    NoResponder,
    /// Nothing is known, or nothing any more.
    Pending,
    /// There is a staple.
    Good {
        /// The last second in which it counts.
        until: UnixTime,
    },
    /// The certificate is revoked.
    Revoked,
    /// The certificate itself has ended.
    Ended,
}
