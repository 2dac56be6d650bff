//! The next hop as `route_data` writes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use mail_types::dns::Name;
use mail_types::smtp::Domain;
use thiserror::Error;

use crate::gateway::dns::numeric_name::NumericName;

/// A next hop with the port of its servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RouteData {
    pub(crate) to: RouteTo,
    pub(crate) port: u16,
}

/// The kinds of a next hop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RouteTo {
    /// The hosts in the MX records of a domain.
    Domain(Domain),
    /// One host.
    Host(Domain),
    Address(IpAddr),
}

impl RouteData {
    /// The port of SMTP.
    pub(crate) const SMTP: u16 = 25;

    /// Returns the next hop for the search of hosts.
    #[cfg(feature = "gateway")]
    pub(crate) fn next_hop(&self) -> dane_tlsa::NextHop {
        match &self.to {
            RouteTo::Domain(domain) => dane_tlsa::NextHop::Domain(Name::from(domain)),
            RouteTo::Host(host) => dane_tlsa::NextHop::Relay(Name::from(host)),
            RouteTo::Address(address) => dane_tlsa::NextHop::Literal(*address),
        }
    }

    /// Returns the name of the domain or host.
    pub(crate) fn name(&self) -> Option<Name> {
        match &self.to {
            RouteTo::Domain(name) | RouteTo::Host(name) => Some(Name::from(name)),
            RouteTo::Address(_) => None,
        }
    }
}

/// Reads `host`, `host:port`, `192.0.2.1:port`, `[2001:db8::1]:port`, or `domain/MX` and `domain/MX:port` for the
/// hosts in the MX records of a domain, as Exim's `route_data` has it.
impl FromStr for RouteData {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let (host, port) = split(text)?;
        let name = |text| match NumericName::of(text, ":") {
            Some(number) => Err(RouteError::Number(number)),
            None => Domain::from_unicode(text).map_err(|_| RouteError::Name),
        };
        let address_of = |text: &str| match text.strip_prefix('[') {
            Some(literal) => literal.strip_suffix(']')?.parse::<IpAddr>().ok(),
            None => text.parse().ok(),
        };
        if let Some((domain, _)) = split_mx(host) {
            if let Some(address) = address_of(domain) {
                return Err(RouteError::AddressOfMx(address));
            }
            return Ok(Self { to: RouteTo::Domain(name(domain)?), port });
        }
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let to = match (literal, host.parse()) {
            (Some(address), _) => {
                RouteTo::Address(address.parse().map_err(|_| RouteError::Address)?)
            }
            (None, Ok(address @ IpAddr::V4(_))) => RouteTo::Address(address),
            // Its end may be a port.
            (None, Ok(IpAddr::V6(_))) => return Err(RouteError::Port),
            (None, Err(_)) => RouteTo::Host(name(host)?),
        };
        Ok(Self { to, port })
    }
}

/// Splits off the port, which comes after the brackets of an address.
fn split(text: &str) -> Result<(&str, u16), RouteError> {
    let after = text.rfind(']').map_or(0, |at| at + 1);
    match text.get(after..).and_then(|tail| tail.rfind(':')) {
        Some(at) => {
            let (host, port) = text.split_at(after + at);
            let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
            Ok((host, port.filter(|port| *port > 0).ok_or(RouteError::Port)?))
        }
        None => Ok((text, RouteData::SMTP)),
    }
}

fn split_mx(host: &str) -> Option<(&str, &str)> {
    host.rsplit_once('/').filter(|(_, word)| word.eq_ignore_ascii_case("mx"))
}

impl fmt::Display for RouteTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) | Self::Host(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Why a text is not a next hop.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum RouteError {
    #[error("{0}")]
    Number(NumericName),
    #[error("{0} is an address, which has no MX records; write it without /MX")]
    AddressOfMx(IpAddr),
    #[error("the next hop is not the name of a host, a domain with /MX, or an address")]
    Name,
    #[error("the next hop in brackets is not an IP address")]
    Address,
    #[error(
        "the port of the next hop is not a number from 1 to 65535; an IPv6 address needs brackets"
    )]
    Port,
}
