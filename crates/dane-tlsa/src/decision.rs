//! The decision about the mail for a next hop: RFC 7672 section 2, RFC 5321 section 5.1.

use std::fmt;

use mail_types::dns::DnsFailure;
use thiserror::Error;

use crate::host_policy::{Action, HostPolicy, NoDane, Skip};

/// The decision about a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a sender must handle all three")]
pub enum Decision {
    /// Try these hosts in this order. If none of them can be used, [`Disposition`] tells what follows.
    Hosts(Vec<HostPolicy>),
    /// Defer the message: its hosts are not known now.
    Defer(Deferral),
    /// Return the message: no host takes it.
    Bounce(Bounce),
}

/// The disposition of a message by a [`Decision`], before any host is tried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.5.4.1 has just these three")]
pub enum Disposition {
    /// At least one host can be tried.
    Try,
    /// The message is deferred.
    Defer,
    /// The message is returned.
    Bounce,
}

impl Decision {
    /// Returns the hosts, skipped ones too.
    #[must_use]
    pub fn hosts(&self) -> &[HostPolicy] {
        match self {
            Self::Hosts(hosts) => hosts,
            Self::Defer(_) | Self::Bounce(_) => &[],
        }
    }

    /// Tells what follows: a message is deferred if all hosts are skipped, and returned if none of them
    /// has an address.
    ///
    /// ```
    /// use dane_tlsa::mail_types::dns::{Answer, DnsFailure, Zone};
    /// use dane_tlsa::{Disposition, NextHop, Policy};
    ///
    /// let policy = Policy::new(NextHop::Domain("example.com".parse()?), 25);
    /// let zone = Zone::parse("example.com. MX 0 .")?;
    /// let decision = policy.session().run(|question| zone.answer(question));
    /// assert_eq!(decision.disposition(), Disposition::Bounce, "a null MX");
    /// let decision = policy.session().run(|_| Answer::Failed(DnsFailure::ServFail));
    /// assert_eq!(decision.disposition(), Disposition::Defer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        let Self::Hosts(hosts) = self else {
            let defers = matches!(self, Self::Defer(_));
            return if defers { Disposition::Defer } else { Disposition::Bounce };
        };
        let is_skipped = |host: &HostPolicy| matches!(host.action, Action::Skip(_));
        let has_none = |host: &HostPolicy| {
            matches!(host.action, Action::Skip(Skip::NoAddress | Skip::AddressInMx))
        };
        if !hosts.is_empty() && hosts.iter().all(has_none) {
            Disposition::Bounce
        } else if hosts.iter().all(is_skipped) {
            Disposition::Defer
        } else {
            Disposition::Try
        }
    }
}

impl fmt::Display for Decision {
    /// Writes a line for a log, without CR and LF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(hosts) => hosts
                .iter()
                .enumerate()
                .try_for_each(|(at, host)| write!(f, "{}{host}", if at == 0 { "" } else { "; " })),
            Self::Defer(reason) => write!(f, "defer-message: {reason}"),
            Self::Bounce(reason) => write!(f, "bounce: {reason}"),
        }
    }
}

/// Why a message is deferred before a host is tried.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Deferral {
    /// The lookup of MX records failed.
    #[error("the MX lookup failed: {0}")]
    MxLookup(DnsFailure),
    /// DANE is required, and does not apply.
    #[error("DANE is required: {0}")]
    Required(NoDane),
    /// The configured list of hosts is empty, or [`Limits::hosts`](crate::Limits::hosts) is 0.
    #[error("no host to try: the list of hosts, or the limit of hosts, is empty")]
    NoHosts,
}

/// Why a message is returned.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Bounce {
    /// The domain is an address, and has no MX records: in a mailbox an address is in brackets.
    #[error("the domain is an address without brackets, and has no MX records")]
    AddressAsDomain,
    /// The domain does not exist.
    #[error("the domain does not exist")]
    NoDomain,
    /// The domain accepts no mail (RFC 7505).
    #[error("the domain accepts no mail (null MX)")]
    NullMx,
}
