//! One item of a host list: an address, a block, a name, or `*`.

use std::net::IpAddr;

use thiserror::Error;

use crate::dns::Name;

/// The hosts that an item of a host list matches.
///
/// It is `*`, an address, a block such as `192.0.2.0/24`, a host name, or `*.` and a domain for the
/// hosts below it. An empty item matches no host with an address: in Exim it stands for messages
/// from a program on the same host.
///
/// An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address in it, on both sides.
///
/// ```
/// use mail_types::exim::HostPattern;
///
/// let below = HostPattern::parse("*.example.com")?;
/// assert_eq!(below.fits("192.0.2.1".parse()?, Some(&"mx.example.com".parse()?)), Some(true));
/// assert_eq!(below.fits("192.0.2.1".parse()?, None), None, "the name is unknown");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HostPattern(Form);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Form {
    Nobody,
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

impl HostPattern {
    /// Parses an item, without the `!` before it and without blanks around it.
    ///
    /// # Errors
    ///
    /// [`HostPatternError`] if it has none of these forms.
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        match text {
            "" => return Ok(Self(Form::Nobody)),
            "*" => return Ok(Self(Form::Any)),
            _ => {}
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        if let Ok(address) = address.parse::<IpAddr>() {
            return block(address, prefix).map(Self);
        }
        let below = text.strip_prefix("*.");
        let name = below.unwrap_or(text).parse().ok().filter(is_host_name);
        let wrong = if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
            HostPatternError::NotAscii
        } else {
            HostPatternError::Item
        };
        let name: Name = name.ok_or(wrong)?;
        Ok(Self(if below.is_some() { Form::Below(name) } else { Form::Name(name) }))
    }

    /// Tells whether a host matches, by its address and, if known, its name; returns `None` if the
    /// result depends on an unknown name.
    #[must_use]
    pub fn fits(&self, address: IpAddr, name: Option<&Name>) -> Option<bool> {
        Some(match &self.0 {
            Form::Nobody => false,
            Form::Any => true,
            Form::Block { v4, bits: block, prefix } => {
                let address = address.to_canonical();
                let differ = bits(address) ^ block;
                *v4 == address.is_ipv4() && differ.leading_zeros() >= *prefix
            }
            Form::Name(host) => name? == host,
            Form::Below(domain) => {
                let name = name?;
                name != domain && name.is_within(domain)
            }
        })
    }

    /// The pattern `*`.
    pub(crate) fn any() -> Self {
        Self(Form::Any)
    }

    /// Tells whether it is `*`.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == Form::Any
    }

    /// Tells whether it is empty.
    pub(crate) fn is_nobody(&self) -> bool {
        self.0 == Form::Nobody
    }

    /// Tells whether the match depends on the host's name.
    ///
    /// ```
    /// use mail_types::exim::HostPattern;
    ///
    /// assert!(HostPattern::parse("*.example.com")?.needs_name());
    /// assert!(!HostPattern::parse("192.0.2.0/24")?.needs_name());
    /// # Ok::<(), mail_types::exim::HostPatternError>(())
    /// ```
    #[must_use]
    pub fn needs_name(&self) -> bool {
        matches!(self.0, Form::Name(_) | Form::Below(_))
    }
}

/// The reason why a text is not a [`HostPattern`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum HostPatternError {
    /// It is not an address, a block of addresses or a host name.
    #[error("not an IP address, an address block such as 192.0.2.0/24, or a host name")]
    Item,
    /// A host name has letters that are not ASCII.
    #[error("not ASCII; write a host name with its A-labels (xn--…)")]
    NotAscii,
    /// The prefix length is not a number, or is longer than the address.
    #[error("invalid prefix length in an address block: it must be a number up to {longest}")]
    Prefix {
        /// The longest prefix, in bits.
        longest: u32,
    },
    /// The address has bits after the prefix: the block differs from the one that the address
    /// suggests.
    #[error("the address of an address block has bits set after its prefix of {prefix} bits")]
    HostBits {
        /// The prefix length, in bits.
        prefix: u32,
    },
}

fn block(address: IpAddr, prefix: Option<&str>) -> Result<Form, HostPatternError> {
    let (full, mapped) = (width(address), address.to_canonical());
    let wrong = HostPatternError::Prefix { longest: full };
    let prefix = match prefix {
        None => full,
        Some(p) if p.bytes().all(|c| c.is_ascii_digit()) => p.parse().map_err(|_| wrong)?,
        Some(_) => return Err(wrong),
    };
    if prefix > full {
        return Err(wrong);
    }
    // A block of IPv4-mapped addresses is the IPv4 block, if it is not wider than those.
    let within = match mapped {
        IpAddr::V4(_) => prefix.checked_sub(full - 32).ok_or(HostPatternError::HostBits { prefix }),
        IpAddr::V6(_) => Ok(prefix),
    }?;
    let (v4, bits) = (mapped.is_ipv4(), bits(mapped));
    if bits.checked_shl(within).unwrap_or(0) == 0 {
        Ok(Form::Block { v4, bits, prefix: within })
    } else {
        Err(HostPatternError::HostBits { prefix })
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

/// Excludes a name with a last label of digits, most likely part of an address.
fn is_host_name(name: &Name) -> bool {
    let host = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let last = name.labels().last();
    name.labels().all(|label| label.iter().all(host))
        && last.is_some_and(|label| !label.iter().all(u8::is_ascii_digit))
}
