//! A list of hosts, by address or name, as Exim's host lists.

use std::net::IpAddr;

use thiserror::Error;

use crate::{List, Name};

/// The hosts that an option is for.
///
/// Items are `*`, an address, a block such as `192.0.2.0/24`, a host's name, or `*.` and the name
/// of a domain for the hosts below it; `!` before one takes its hosts out. The first item that fits
/// decides. If none does, the host is in the set only if the last item has a `!`. An empty list
/// holds nobody.
///
/// An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address in it, on both sides.
///
/// ```
/// use mail_types::{HostSet, List};
///
/// let hosts = HostSet::new(List::new("!192.0.2.9 : 192.0.2.0/24 : *.example.com"))?;
/// assert!(hosts.contains("::ffff:192.0.2.1".parse()?, None));
/// assert!(!hosts.contains("192.0.2.9".parse()?, None));
/// assert!(hosts.contains("198.51.100.1".parse()?, Some(&"mx.example.com".parse()?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostSet {
    items: Vec<Item>,
}

impl HostSet {
    /// The most items that a list may have.
    pub const MAX_ITEMS: usize = 10_000;

    /// Takes a list of hosts.
    ///
    /// # Errors
    ///
    /// [`HostSetError`] if an item is none of the above, or there are too many.
    pub fn new(list: List<'_>) -> Result<Self, HostSetError> {
        let mut items = Vec::new();
        for (at, text) in list.enumerate() {
            if at == Self::MAX_ITEMS {
                return Err(HostSetError::TooMany);
            }
            let (negated, host) = match text.strip_prefix('!') {
                Some(host) => (true, host.trim_start()),
                None => (false, &*text),
            };
            let pattern = Pattern::parse(host, at + 1)?;
            items.push(Item { negated, pattern });
        }
        Ok(Self { items })
    }

    /// Tells whether the set holds the host with this address and, if it is known, this name.
    ///
    /// Without a name, an item that needs one ends the search, and the host is not in the set: what
    /// stands behind that item may be true only of hosts that it does not fit.
    #[must_use]
    pub fn contains(&self, address: IpAddr, name: Option<&Name>) -> bool {
        let address = address.to_canonical();
        for item in &self.items {
            match (&item.pattern, name) {
                (Pattern::Name(_) | Pattern::Below(_), None) => return false,
                (pattern, _) if pattern.fits(address, name) => return !item.negated,
                _ => {}
            }
        }
        self.items.last().is_some_and(|item| item.negated)
    }

    /// Tells whether the name of a host could matter, so that it is worth a look in the DNS.
    #[must_use]
    pub fn needs_names(&self) -> bool {
        let named = |item: &Item| matches!(item.pattern, Pattern::Name(_) | Pattern::Below(_));
        self.items.iter().any(named)
    }

    /// Tells whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Why a list is not a [`HostSet`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HostSetError {
    /// An item that is neither an address, a block nor a name. In a list with colons between its
    /// items, each colon of an IPv6 address is written twice; or the list begins with `<;`.
    #[error("item {item} is neither an address, a block nor a name")]
    Item {
        /// Which, from 1.
        item: usize,
    },
    /// A block whose prefix is longer than its address, or whose address has bits behind it.
    #[error("item {item} is no block of addresses")]
    Block {
        /// Which, from 1.
        item: usize,
    },
    /// More than [`HostSet::MAX_ITEMS`].
    #[error("more than 10000 items")]
    TooMany,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Item {
    negated: bool,
    pattern: Pattern,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Pattern {
    Any,
    /// The addresses whose bits, from the left, are the first `prefix` of `bits`.
    Block {
        v4: bool,
        bits: u128,
        prefix: u32,
    },
    Name(Name),
    Below(Name),
}

impl Pattern {
    fn parse(text: &str, item: usize) -> Result<Self, HostSetError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        if let Ok(address) = address.parse::<IpAddr>() {
            return Self::block(address, prefix).ok_or(HostSetError::Block { item });
        }
        let below = text.strip_prefix("*.");
        let name: Name = below
            .unwrap_or(text)
            .parse()
            .ok()
            .filter(is_host_name)
            .ok_or(HostSetError::Item { item })?;
        Ok(if below.is_some() { Self::Below(name) } else { Self::Name(name) })
    }

    fn block(address: IpAddr, prefix: Option<&str>) -> Option<Self> {
        let (full, mapped) = (width(address), address.to_canonical());
        let prefix = match prefix {
            None => full,
            Some(p) if p.bytes().all(|c| c.is_ascii_digit()) => p.parse().ok()?,
            Some(_) => return None,
        };
        // A block of IPv4-mapped addresses is the IPv4 block, if it is not wider than those.
        let prefix = match mapped {
            IpAddr::V4(_) => prefix.checked_sub(full - 32)?,
            IpAddr::V6(_) => prefix,
        };
        let (v4, bits) = (mapped.is_ipv4(), bits(mapped));
        let within = prefix <= width(mapped) && bits.checked_shl(prefix).unwrap_or(0) == 0;
        within.then_some(Self::Block { v4, bits, prefix })
    }

    fn fits(&self, address: IpAddr, name: Option<&Name>) -> bool {
        match self {
            Self::Any => true,
            Self::Block { v4, bits: block, prefix } => {
                let differ = bits(address) ^ block;
                *v4 == address.is_ipv4() && differ.leading_zeros() >= *prefix
            }
            Self::Name(host) => name == Some(host),
            Self::Below(domain) => name.is_some_and(|n| n != domain && n.is_within(domain)),
        }
    }
}

/// The bits of an address, from the left of 128.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Keeps out what is more likely a piece of an address: a last label of digits only.
fn is_host_name(name: &Name) -> bool {
    let host = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let last = name.labels().last();
    name.labels().all(|label| label.iter().all(host))
        && last.is_some_and(|label| !label.iter().all(u8::is_ascii_digit))
}
