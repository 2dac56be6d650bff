//! A mailbox and a reverse-path: RFC 5321 section 4.1.2, RFC 6531 section 3.3.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use crate::smtp::{Domain, DomainError};

/// An address: a local part, and a domain or an address literal.
///
/// The local part is stored without quotes, in its own case; it may be UTF-8 (RFC 6531).
/// [`Display`](fmt::Display) quotes it only if necessary: `"ann"@example.com` is written as
/// `ann@example.com`, which is the same mailbox (RFC 5321 section 4.1.2).
///
/// ```
/// use mail_types::smtp::Mailbox;
///
/// let mailbox: Mailbox = r#""Ann \"A\" Lee"@Example.com"#.parse()?;
/// assert_eq!(mailbox.local_part(), r#"Ann "A" Lee"#);
/// assert_eq!(mailbox.to_string(), r#""Ann \"A\" Lee"@example.com"#);
/// # Ok::<(), mail_types::smtp::MailboxError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mailbox {
    local_part: Box<str>,
    host: MailHost,
}

impl Mailbox {
    /// The longest local part, in octets as written (RFC 5321 section 4.5.3.1.1).
    pub const MAX_LOCAL_PART: usize = 64;

    /// Makes a mailbox from a local part without quotes and a host.
    ///
    /// # Errors
    ///
    /// [`MailboxError`] if the local part has a control character, in ASCII or Unicode, or has more
    /// than 64 octets as written.
    pub fn new(local_part: &str, host: MailHost) -> Result<Self, MailboxError> {
        if let Some((at, _)) = local_part.char_indices().find(|(_, c)| c.is_control()) {
            return Err(MailboxError::Character { at });
        }
        let mailbox = Self { local_part: local_part.into(), host };
        let octets = Quoted(local_part).len();
        if octets > Self::MAX_LOCAL_PART {
            return Err(MailboxError::LocalPartTooLong { octets });
        }
        Ok(mailbox)
    }

    /// Returns the local part, without quotes, in its own case.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// Returns the local part as written, with quotes if it needs them.
    #[must_use]
    pub fn written_local_part(&self) -> Cow<'_, str> {
        let quoted = Quoted(&self.local_part);
        if quoted.is_plain() {
            return Cow::Borrowed(&self.local_part);
        }
        Cow::Owned(quoted.to_string())
    }

    /// Returns the host after the `@`.
    #[must_use]
    pub fn host(&self) -> &MailHost {
        &self.host
    }

    /// Returns the domain, or `None` for an address literal.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.host {
            MailHost::Domain(domain) => Some(domain),
            MailHost::Address(_) => None,
        }
    }

    /// Tells whether the mailbox needs SMTPUTF8 (RFC 6531 section 3.1).
    #[must_use]
    pub fn needs_utf8(&self) -> bool {
        !self.local_part.is_ascii()
    }

    pub(crate) fn parse_with(text: &str, host: ParseHost) -> Result<Self, MailboxError> {
        let (local_part, written) = if text.starts_with('"') {
            let (local_part, end) = quoted_string(text)?;
            (Cow::Owned(local_part), end)
        } else {
            let local_part = dot_string(text)?;
            (Cow::Borrowed(local_part), local_part.len())
        };
        if written > Self::MAX_LOCAL_PART {
            return Err(MailboxError::LocalPartTooLong { octets: written });
        }
        let domain = text.get(written..).and_then(|rest| rest.strip_prefix('@'));
        let domain = domain.ok_or(MailboxError::At { at: written })?;
        let host = host(domain).map_err(|source| MailboxError::Host { at: written + 1, source })?;
        Self::new(&local_part, host)
    }
}

impl FromStr for Mailbox {
    type Err = MailboxError;

    fn from_str(text: &str) -> Result<Self, MailboxError> {
        Self::parse_with(text, str::parse)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", Quoted(&self.local_part), self.host)
    }
}

/// The host after the `@` of a [`Mailbox`], or the argument of `EHLO`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.1.2 has just these two")]
pub enum MailHost {
    /// A domain.
    Domain(Domain),
    /// An address literal: `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
    Address(IpAddr),
}

impl FromStr for MailHost {
    type Err = MailHostError;

    fn from_str(text: &str) -> Result<Self, MailHostError> {
        let Some(literal) = text.strip_prefix('[') else { return Ok(Self::Domain(text.parse()?)) };
        let literal = literal.strip_suffix(']').ok_or(MailHostError::Literal)?;
        let v6 = literal.split_at_checked(5).filter(|(tag, _)| tag.eq_ignore_ascii_case("IPv6:"));
        let address = match v6 {
            Some((_, address)) => address.parse::<Ipv6Addr>().map(IpAddr::from),
            None => literal.parse::<Ipv4Addr>().map(IpAddr::from),
        };
        address.map(Self::Address).map_err(|_| MailHostError::Literal)
    }
}

impl From<Domain> for MailHost {
    fn from(domain: Domain) -> Self {
        Self::Domain(domain)
    }
}

impl fmt::Display for MailHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Address(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

/// The reverse-path of a message, in angle brackets; `<>` for a message that must not cause
/// another.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.1.2 has just these two")]
pub enum ReversePath {
    /// `<>`: a notification (RFC 5321 section 4.5.5).
    Null,
    /// The sender.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Returns the sender, or `None` for `<>`.
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }

    pub(crate) fn parse_with(text: &str, host: ParseHost) -> Result<Self, MailboxError> {
        let inner = text.strip_prefix('<').ok_or(MailboxError::Bracket { at: 0 })?;
        let inner = inner.strip_suffix('>').ok_or(MailboxError::Bracket { at: text.len() })?;
        if inner.is_empty() {
            return Ok(Self::Null);
        }
        let start = 1 + if inner.starts_with('@') { source_route(inner)? } else { 0 };
        let mailbox = text.get(start..=inner.len()).unwrap_or_default();
        let mailbox = Mailbox::parse_with(mailbox, host).map_err(|error| error.moved(start))?;
        Ok(Self::Mailbox(mailbox))
    }
}

impl FromStr for ReversePath {
    type Err = MailboxError;

    /// Takes a path in angle brackets. A source route is checked and dropped (RFC 5321 appendix C).
    fn from_str(text: &str) -> Result<Self, MailboxError> {
        Self::parse_with(text, str::parse)
    }
}

impl From<Mailbox> for ReversePath {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// The reason why a text is not a [`Mailbox`] or [`ReversePath`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum MailboxError {
    /// A character is not allowed at its position in a local part.
    #[error("invalid character in the local part, at byte {at}")]
    Character {
        /// The position of the character, in bytes.
        at: usize,
    },
    /// The local part, or a part of it between dots, is empty.
    #[error("empty local part, or two dots in a row in it, at byte {at}")]
    Empty {
        /// The position after the empty part, in bytes.
        at: usize,
    },
    /// The quote of a local part is not closed.
    #[error("unclosed quote in the local part, at byte {at}")]
    Quote {
        /// The position of the quote, in bytes.
        at: usize,
    },
    /// The `@` after the local part is missing.
    #[error("no @ after the local part, at byte {at}")]
    At {
        /// The position where the `@` should be, in bytes.
        at: usize,
    },
    /// The local part has more than 64 octets (RFC 5321 section 4.5.3.1.1).
    #[error("local part has {octets} octets, more than 64")]
    LocalPartTooLong {
        /// The length of the local part as written, in octets.
        octets: usize,
    },
    /// The text after the `@` is not a host.
    #[error("invalid domain or address literal after the @, at byte {at}")]
    Host {
        /// The position of the host, in bytes.
        at: usize,
        /// Its fault.
        source: MailHostError,
    },
    /// An angle bracket of a path is missing.
    #[error("no angle bracket around the path, at byte {at}")]
    Bracket {
        /// The position where it should be, in bytes.
        at: usize,
    },
    /// A source route is malformed, or has no mailbox after it.
    #[error("invalid source route, at byte {at}")]
    Route {
        /// The position of the fault, in bytes.
        at: usize,
    },
}

impl MailboxError {
    fn moved(self, by: usize) -> Self {
        match self {
            Self::Character { at } => Self::Character { at: at + by },
            Self::Empty { at } => Self::Empty { at: at + by },
            Self::Quote { at } => Self::Quote { at: at + by },
            Self::At { at } => Self::At { at: at + by },
            Self::Host { at, source } => Self::Host { at: at + by, source },
            other => other,
        }
    }
}

/// The reason why a text is not a [`MailHost`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum MailHostError {
    /// The text is neither a literal nor a domain.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The square brackets contain neither an IPv4 address nor `IPv6:` and an IPv6 address.
    #[error("invalid address literal in square brackets")]
    Literal,
}

pub(crate) type ParseHost = fn(&str) -> Result<MailHost, MailHostError>;

/// A local part as written.
struct Quoted<'a>(&'a str);

impl Quoted<'_> {
    /// The length as written, in octets.
    fn len(&self) -> usize {
        let escaped = |c: &u8| matches!(c, b'"' | b'\\');
        let quoting = if self.is_plain() { 0 } else { 2 + self.0.bytes().filter(escaped).count() };
        self.0.len() + quoting
    }

    fn is_plain(&self) -> bool {
        dot_string(self.0).is_ok_and(|plain| plain.len() == self.0.len())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// Reads a dot-string: atoms with dots between them.
fn dot_string(text: &str) -> Result<&str, MailboxError> {
    let end = text.find('@').unwrap_or(text.len());
    let local_part = text.get(..end).unwrap_or_default();
    let mut empty = true;
    for (at, c) in local_part.char_indices() {
        empty = match c {
            '.' if empty => return Err(MailboxError::Empty { at }),
            '.' => true,
            _ if atom_text(c) => false,
            _ => return Err(MailboxError::Character { at }),
        };
    }
    if empty { Err(MailboxError::Empty { at: end }) } else { Ok(local_part) }
}

/// Reads a quoted string; returns its content and its end.
fn quoted_string(text: &str) -> Result<(String, usize), MailboxError> {
    let (mut meant, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if c.is_control() => return Err(MailboxError::Character { at }),
            '\\' | '"' if escaped => meant.push(c),
            _ if escaped && !c.is_ascii() => return Err(MailboxError::Character { at }),
            '"' => return Ok((meant, at + 1)),
            '\\' => {
                escaped = true;
                continue;
            }
            _ => meant.push(c),
        }
        escaped = false;
    }
    Err(MailboxError::Quote { at: 0 })
}

/// `atext` of RFC 5322 section 3.2.3, with the characters that RFC 6531 section 3.3 adds, except
/// the control characters U+0080 to U+009F: no mailbox has them, and some of them break lines.
fn atom_text(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii() && !c.is_control())
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// Checks `@one,@two:` at the start; returns its length.
fn source_route(path: &str) -> Result<usize, MailboxError> {
    let (route, _) = path.split_once(':').ok_or(MailboxError::Route { at: 1 })?;
    let good = |hop: &str| hop.strip_prefix('@').is_some_and(|d| d.parse::<Domain>().is_ok());
    if route.split(',').all(good) {
        Ok(route.len() + 1)
    } else {
        Err(MailboxError::Route { at: 1 })
    }
}
