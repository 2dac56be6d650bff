//! How mail to one host is secured: RFC 7672 section 2.2.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mail_types::dns::{DnsFailure, Name, RecordType};
use thiserror::Error;

use crate::check::Check;
use crate::path::Algorithms;
use crate::record_set::RecordSet;
use crate::usage::Usage;

/// One host of a next hop, and how mail to it is secured.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct HostPolicy {
    /// The host as an MX record or the administrator names it.
    pub host: Host,
    /// The preference of its MX record, or its place in a configured list. Hosts of the same preference
    /// are tried in random order (RFC 5321 section 5.1): their order here is that of the answer.
    pub preference: u16,
    /// Its addresses, those of IPv6 first.
    pub addresses: Vec<IpAddr>,
    /// The action.
    pub action: Action,
}

/// A host, by its name or its address.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 2.3.5 has just these two")]
pub enum Host {
    /// Its name.
    Name(Name),
    /// Its address, which the administrator or the sender gave instead of a name.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// The action for a host.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Use TLS, and only if the server is authenticated by its TLSA records. If it is not, or offers no
    /// STARTTLS, try the next host, or defer the message: never send it in clear.
    Dane(Dane),
    /// Use TLS, without authentication: the host has TLSA records in a secure answer, but none of them can
    /// be used. Without STARTTLS, try the next host, or defer the message.
    Encrypt(Encrypt),
    /// The host has no TLSA records: do as MTA-STS says, whose mode is `enforce`.
    MtaSts(NoDane),
    /// The host has no TLSA records: use TLS if the server offers it, without authentication.
    Opportunistic(NoDane),
    /// Do not use the host now: try the next one, or defer the message.
    Skip(Skip),
}

impl Action {
    /// Returns one of the words `dane`, `encrypt`, `encrypt+mta-sts`, `mta-sts`, `opportunistic`,
    /// `unreachable-host` and `defer-host`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Dane(_) => "dane",
            Self::Encrypt(Encrypt { mta_sts: true, .. }) => "encrypt+mta-sts",
            Self::Encrypt(_) => "encrypt",
            Self::MtaSts(_) => "mta-sts",
            Self::Opportunistic(_) => "opportunistic",
            Self::Skip(Skip::NoAddress | Skip::AddressInMx) => "unreachable-host",
            Self::Skip(_) => "defer-host",
        }
    }

    /// Tells whether mail must not be sent in clear. After a handshake or an authentication that fails, the
    /// next host is tried, or the message is deferred: it is neither sent in clear nor returned.
    #[must_use]
    pub fn requires_tls(&self) -> bool {
        matches!(self, Self::Dane(_) | Self::Encrypt(_) | Self::MtaSts(_))
    }

    /// Tells whether DANE authenticates the host as one of the next hop, so that it may get a message with
    /// REQUIRETLS ([RFC 8689 section 2](https://www.rfc-editor.org/rfc/rfc8689#section-2)).
    #[must_use]
    pub fn authenticates_next_hop(&self) -> bool {
        matches!(self, Self::Dane(Dane { authenticates_next_hop: true, .. }))
    }
}

/// A server that its TLSA records authenticate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Dane {
    /// The records; at least one can be used.
    pub records: Arc<RecordSet>,
    /// The names of which the server's certificate must have one, for records of DANE-TA(2) (RFC 7672
    /// section 3.2.2). The first is the TLSA base domain, and the server name that the client sends (SNI,
    /// section 8.1).
    pub reference_names: Vec<Name>,
    /// Whether the host is known to be one of the next hop: an MX record without DNSSEC may be forged.
    pub authenticates_next_hop: bool,
}

impl Dane {
    /// Returns the TLSA base domain, which is also the server name of the TLS handshake.
    #[must_use]
    pub fn base_domain(&self) -> Option<&Name> {
        self.reference_names.first()
    }

    /// Makes the check of the server's certificates, with these algorithms of signatures.
    #[must_use]
    pub fn check<'a>(&'a self, algorithms: Algorithms<'a>) -> Check<'a> {
        Check::new(&self.records, &self.reference_names, algorithms)
    }

    /// Tells whether an open connection that was authenticated by this policy may carry mail of another
    /// next hop (RFC 7672 section 2.2): both have the same records, and also the same names unless only
    /// DANE-EE(3) counts, which does not look at names.
    ///
    /// ```
    /// use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
    /// use dane_tlsa::{Action, NextHop, Policy};
    ///
    /// let zone = Zone::parse("
    /// example.com.             MX   10 mx.example.com.
    /// mx.example.com.          A    192.0.2.1
    /// _25._tcp.mx.example.com. TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
    /// ")?.with_security(DnssecStatus::Secure);
    /// let decision = Policy::new(NextHop::Domain("example.com".parse()?), 25).session().run(|q| zone.answer(q));
    /// let action = &decision.hosts()[0].action;
    /// assert_eq!(action.as_str(), "dane");
    /// assert!(action.requires_tls() && action.authenticates_next_hop());
    /// let Action::Dane(dane) = action else { unreachable!() };
    /// assert!(dane.covers(dane));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let names = || {
            let has = |name| self.reference_names.contains(name);
            let same = self.reference_names.len() == other.reference_names.len();
            same && other.reference_names.iter().all(has)
        };
        self.base_domain() == other.base_domain()
            && self.records.has_same(&other.records)
            && (self.authenticates_next_hop || !other.authenticates_next_hop)
            && (self.records.usage_bits() == 1 << Usage::DANE_EE.number() || names())
    }
}

/// A server that must use TLS, and cannot be authenticated.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Encrypt {
    /// The records, none of which can be used.
    pub records: Arc<RecordSet>,
    /// The TLSA base domain, which is also the server name of the TLS handshake.
    pub base_domain: Name,
    /// Whether MTA-STS authenticates the server (RFC 8461 section 5), since its mode is `enforce`.
    pub mta_sts: bool,
}

/// Why DANE does not apply to a host.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum NoDane {
    /// It is an address.
    #[error("an address has no TLSA records")]
    Literal,
    /// It is not in `hosts_try_dane`.
    #[error("the host is not in hosts_try_dane")]
    NotTried,
    /// The MX records that name it are not secure.
    #[error("the MX records of the next hop are not secure")]
    InsecureMx,
    /// Its addresses are not secure, so that it has no secure TLSA records either.
    #[error("the addresses of the host are not secure")]
    InsecureAddresses,
    /// It has no TLSA records, or none that are secure.
    #[error("the host has no secure TLSA records")]
    NoRecords,
}

/// Why a host is not used now.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Skip {
    /// It has no address.
    #[error("the host has no address")]
    NoAddress,
    /// The name in the MX record is an address, which RFC 5321 section 5.1 does not allow.
    #[error("the MX record names an address instead of a host")]
    AddressInMx,
    /// A DNS lookup failed.
    #[error("the {kind} lookup of {name} failed: {failure}")]
    Lookup {
        /// The name.
        name: Name,
        /// The record type.
        kind: RecordType,
        /// The failure.
        failure: DnsFailure,
    },
    /// It has more TLSA records than [`Limits::records`](crate::Limits::records).
    #[error("{name} has more than {limit} TLSA records")]
    TooManyRecords {
        /// The owner of the records.
        name: Name,
        /// The limit.
        limit: usize,
    },
    /// DANE is required, and does not apply.
    #[error("DANE is required: {0}")]
    Required(NoDane),
    /// DANE is required, and none of the TLSA records can be used.
    #[error("DANE is required, and none of the TLSA records of {base_domain} can be used")]
    RequiredUsable {
        /// The TLSA base domain.
        base_domain: Name,
        /// The records.
        records: Arc<RecordSet>,
    },
}

impl fmt::Display for HostPolicy {
    /// Writes a line for a log, without CR and LF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, self.action.as_str())?;
        match &self.action {
            Action::Dane(dane) => {
                f.write_str(", names")?;
                dane.reference_names.iter().try_for_each(|name| write!(f, " {name}"))?;
                let note = ", not authenticated as a host of the next hop";
                f.write_str(if dane.authenticates_next_hop { "" } else { note })
            }
            Action::Encrypt(Encrypt { base_domain, .. }) => {
                write!(f, ", none of the TLSA records of {base_domain} can be used")
            }
            Action::MtaSts(reason) | Action::Opportunistic(reason) => write!(f, ", {reason}"),
            Action::Skip(reason) => write!(f, ", {reason}"),
        }
    }
}
