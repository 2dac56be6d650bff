//! Names that end in a number: an address of IPv4 with a fault, since no domain at the top is a number.

use std::fmt;
use std::net::Ipv4Addr;

/// A host that ends in a number and is not an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NumericName {
    host: String,
    /// The host and the port that were probably meant.
    meant: Option<(String, u16)>,
    /// Between these two.
    separator: &'static str,
}

impl NumericName {
    /// Looks at a host; in a list a port follows `::`, else `:`.
    pub(crate) fn of(host: &str, separator: &'static str) -> Option<Self> {
        let (before, last) = host.rsplit_once('.').unwrap_or(("", host));
        let is_number =
            |label: &str| !label.is_empty() && label.bytes().all(|c| c.is_ascii_digit());
        if !is_number(last) || host.parse::<Ipv4Addr>().is_ok() {
            return None;
        }
        let ends_in_number = before.rsplit('.').next().is_some_and(is_number);
        let is_host = before.parse::<Ipv4Addr>().is_ok() || !(before.is_empty() || ends_in_number);
        let port = last.parse().ok().filter(|port| is_host && *port > 0);
        let meant = port.map(|port| (before.to_owned(), port));
        Some(Self { host: host.to_owned(), meant, separator })
    }
}

impl fmt::Display for NumericName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, meant, separator } = self;
        write!(
            f,
            "{host} is not an IPv4 address, and the name of a host does not end in a number"
        )?;
        match meant {
            Some((host, port)) => write!(f, "; did you mean {host}{separator}{port}?"),
            None => Ok(()),
        }
    }
}
