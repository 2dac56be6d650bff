//! The next hop as `route_data` writes it.

use std::str::FromStr;

use dane_tlsa::NextHop;
use mail_types::dns::Name;
use thiserror::Error;

/// A next hop with the port of its servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Route {
    pub(crate) next_hop: NextHop,
    pub(crate) port: u16,
}

impl Route {
    /// The hosts of a recipient's domain; `port` is 25 except in tests.
    pub(crate) fn of_domain(domain: Name, port: u16) -> Self {
        Self { next_hop: NextHop::Domain(domain), port }
    }
}

/// Reads `host`, `host:port`, `192.0.2.1:port`, `[2001:db8::1]:port`, or `domain/MX` and `domain/MX:port` for the hosts
/// in the MX records of a domain, as Exim's `route_data` has it.
impl FromStr for Route {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let (host, port) = split(text)?;
        if let Some((domain, _)) = split_mx(host) {
            let domain = name(domain)?;
            return Ok(Self::of_domain(domain, port));
        }
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let next_hop = match (literal, host.parse()) {
            (Some(address), _) => {
                NextHop::Literal(address.parse().map_err(|_| RouteError::Address)?)
            }
            (None, Ok(address)) => NextHop::Literal(address),
            (None, Err(_)) => NextHop::Relay(name(host)?),
        };
        Ok(Self { next_hop, port })
    }
}

fn split(text: &str) -> Result<(&str, u16), RouteError> {
    let after = text.rfind(']').map_or(0, |at| at + 1);
    match text.get(after..).and_then(|tail| tail.rfind(':')) {
        Some(at) => {
            let (host, port) = text.split_at(after + at);
            let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
            Ok((host, port.filter(|port| *port > 0).ok_or(RouteError::Port)?))
        }
        None => Ok((text, SMTP)),
    }
}

fn split_mx(host: &str) -> Option<(&str, &str)> {
    host.rsplit_once('/').filter(|(_, word)| word.eq_ignore_ascii_case("mx"))
}

fn name(text: &str) -> Result<Name, RouteError> {
    let name = Name::from_unicode(text).map_err(|_| RouteError::Name)?;
    let has_slash = text.contains(['/', '[', ']']) || name.is_root();
    if has_slash { Err(RouteError::Name) } else { Ok(name) }
}

/// Why a text is not a next hop.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum RouteError {
    #[error("not the name of a host, of a domain with /MX, or an address")]
    Name,
    #[error("not an IP address in brackets")]
    Address,
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

const SMTP: u16 = 25;
