//! A server of a stub resolver, and whether DNSSEC can be had from it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use mail_types::dns::DnssecStatus;

/// Whether a server validates by DNSSEC.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must tell all three apart")]
pub enum DnssecState {
    /// No probe has had an answer yet: an answer with AD is secure, any other indeterminate.
    Unproven,
    /// The last probe that had an answer succeeded: an answer with AD is secure, any other insecure.
    Available,
    /// No answer is secure, whatever it claims: all are indeterminate.
    Unavailable(NoDnssec),
}

/// The reason why no answer of a server is secure.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NoDnssec {
    /// The server is on another host, and not trusted by explicit word.
    Untrusted,
    /// The answer to the probe of a signed name came without AD: the server does not validate.
    NotValidating,
    /// The server answers a name whose validation must fail.
    AcceptsBogus,
    /// The server refuses or does not understand the probe.
    Refused,
}

impl fmt::Display for DnssecState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproven => f.write_str("not proven yet: no answer to the probe"),
            Self::Available => f.write_str("available"),
            Self::Unavailable(reason) => write!(f, "not available: {reason}"),
        }
    }
}

impl fmt::Display for NoDnssec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untrusted => "the resolver is on another host, and not trusted",
            Self::NotValidating => "the resolver does not validate (no AD for a signed name)",
            Self::AcceptsBogus => "the resolver answers a name whose validation must fail",
            Self::Refused => "the resolver refuses the probe of a signed name",
        })
    }
}

/// The result of a probe.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Probed {
    /// It has no answer: nothing is known, and what was known before still counts.
    Silent,
    Known(DnssecState),
}

#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) state: DnssecState,
    /// When the next probe is due; at once without one.
    pub(super) due: Option<Instant>,
}

impl Server {
    pub(super) fn new(address: SocketAddr, trusted: bool) -> Self {
        let state = if trusted || address.ip().to_canonical().is_loopback() {
            DnssecState::Unproven
        } else {
            DnssecState::Unavailable(NoDnssec::Untrusted)
        };
        Self { address, state, due: None }
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.state != DnssecState::Unavailable(NoDnssec::Untrusted)
    }

    pub(super) fn is_available(&self) -> bool {
        !matches!(self.state, DnssecState::Unavailable(_))
    }

    pub(super) fn is_probe_due(&self, now: Instant) -> bool {
        self.is_trusted() && self.due.is_none_or(|due| due <= now)
    }

    /// The status of an answer, by its AD bit.
    pub(super) fn status(&self, authentic: bool) -> DnssecStatus {
        match (self.state, authentic) {
            (DnssecState::Available | DnssecState::Unproven, true) => DnssecStatus::Secure,
            (DnssecState::Available, false) => DnssecStatus::Insecure,
            _ => DnssecStatus::Indeterminate,
        }
    }
}
