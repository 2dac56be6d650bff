//! The name that a client gives in HELO or EHLO: RFC 5321 sections 2.3.5 and 4.1.1.1.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::smtp::{Domain, MailHost};

/// The argument of HELO or EHLO.
///
/// Clients send any text here, and a server must not refuse a message only because of it (RFC 5321
/// section 4.1.4). A text that is neither a domain nor an address literal is [`Junk`](Self::Junk).
///
/// ```
/// use mail_types::smtp::Helo;
///
/// assert_eq!(Helo::new("MX.example.com."), Helo::Domain("mx.example.com".parse()?));
/// assert_eq!(Helo::new("[192.0.2.1]"), Helo::Literal("192.0.2.1".parse()?));
/// assert_eq!(Helo::new("my pc"), Helo::Junk("my pc".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.1.1.1 has the first two")]
pub enum Helo {
    /// A domain. The text may have a dot at its end.
    Domain(Domain),
    /// An address literal: `[192.0.2.1]` or `[IPv6:2001:db8::1]`. `[2001:db8::1]`, without the tag
    /// of RFC 5321 section 4.1.3, is accepted too.
    Literal(IpAddr),
    /// Any other text, as the client sent it. It may hold any character.
    Junk(Box<str>),
}

impl Helo {
    /// Parses the argument of HELO or EHLO.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.strip_suffix('.').unwrap_or(text).parse() {
            Ok(MailHost::Domain(domain)) => return Self::Domain(domain),
            Ok(MailHost::Address(address)) if !text.ends_with('.') => {
                return Self::Literal(address);
            }
            _ => {}
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        match bare.map(str::parse) {
            Some(Ok(address)) => Self::Literal(address),
            _ => Self::Junk(text.into()),
        }
    }

    /// Returns the domain, or `None` for a literal or junk.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Literal(_) | Self::Junk(_) => None,
        }
    }

    /// Returns the text: a domain in lower case, a literal in the form of RFC 5321, junk unchanged.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Domain(domain) => Cow::Borrowed(domain.as_str()),
            Self::Literal(address) => Cow::Owned(MailHost::Address(*address).to_string()),
            Self::Junk(text) => Cow::Borrowed(text),
        }
    }
}

impl FromStr for Helo {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

impl fmt::Display for Helo {
    /// Writes [`Helo::text`]; a control character of junk becomes `?`, so that it cannot end a
    /// line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = |c: char| if c.is_control() { '?' } else { c };
        self.text().chars().try_for_each(|c| write!(f, "{}", clean(c)))
    }
}
