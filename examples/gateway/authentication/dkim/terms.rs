//! The tags of a signature: RFC 6376 section 3.5.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mail_types::dns::Name;
use mail_types::results::AuthResult;
use mail_types::smtp::Domain;
use thiserror::Error;

use super::canonical_header::Form;
use super::limits::DkimLimits;
use super::tag_list::{Tag, TagList, TagListError};

/// The tags of a verifiable signature.
#[derive(Clone, Debug)]
pub struct Terms {
    /// `a=`
    pub(crate) algorithm: Algorithm,
    /// `b=`
    pub(crate) signature: Vec<u8>,
    /// The range of that value in the field's body, with the white space around it.
    pub(crate) signature_at: (usize, usize),
    /// `bh=`
    pub(crate) body_hash: Vec<u8>,
    /// `c=`, for the header and for the body.
    pub(crate) forms: (Form, Form),
    /// `d=`
    pub(crate) domain: Name,
    /// The name of the key record: `s=`, `_domainkey` and `d=`.
    pub(crate) key_name: Name,
    /// `h=`, in lower case.
    pub(crate) names: Vec<String>,
    /// The domain of `i=`.
    pub(crate) identity: Name,
}

impl Terms {
    /// Reads the tags of a field.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if the signature cannot pass.
    pub fn read(
        tags: &TagList<'_>,
        limits: &DkimLimits,
        now: SystemTime,
    ) -> Result<Self, SignatureError> {
        if needed(tags, "v")?.value != "1" {
            return Err(SignatureError::wrong("v", "1"));
        }
        let algorithm = Algorithm::of(needed(tags, "a")?.value)
            .ok_or(SignatureError::wrong("a", "a known algorithm"))?;
        let signed = needed(tags, "b")?;
        let signature = octets(signed, "b")?;
        let body_hash = octets(needed(tags, "bh")?, "bh")?;
        let forms = forms(tags)?;
        let (domain, key_name) = place(tags)?;
        let names = names(needed(tags, "h")?, limits)?;
        let identity = identity(tags, &domain)?;
        if tags.get("q").is_some_and(|tag| !tag.has("dns/txt")) {
            return Err(SignatureError::wrong("q", "a known query method"));
        }
        check_times(tags, now)?;
        check_length(tags)?;
        if algorithm == Algorithm::RsaSha1 {
            return Err(SignatureError::Historic);
        }
        let signature_at = (signed.begin, signed.end);
        Ok(Self {
            algorithm,
            signature,
            signature_at,
            body_hash,
            forms,
            domain,
            key_name,
            names,
            identity,
        })
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    /// Forbidden by RFC 8301 section 3.1.
    RsaSha1,
    RsaSha256,
    /// RFC 8463.
    Ed25519Sha256,
}

impl Algorithm {
    /// Finds an algorithm by its word in `a=`.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let all = [Self::RsaSha1, Self::RsaSha256, Self::Ed25519Sha256];
        all.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(word))
    }

    /// Returns its word in `a=`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// Returns the word of its keys in `k=`.
    pub(crate) fn key_type(self) -> &'static str {
        match self {
            Self::RsaSha1 | Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}

/// A signature cannot pass.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[expect(missing_docs, reason = "each has its text")]
pub enum SignatureError {
    #[error(transparent)]
    Tags(#[from] TagListError),
    #[error("{tag}= is missing")]
    Missing { tag: &'static str },
    /// The value of a tag is invalid.
    #[error("{tag}= is not {what}")]
    Wrong { tag: &'static str, what: &'static str },
    #[error("s= and d= are too long for one DNS name")]
    KeyName,
    /// RFC 6376 section 5.4: `From` must be signed.
    #[error("From is not in h=")]
    From,
    #[error("i= is not within d=")]
    Identity,
    #[error("x= is not later than t=")]
    Times,
    #[error("the signature has expired (x=)")]
    Expired,
    #[error("the signature is from the future (t=)")]
    Future,
    #[error("rsa-sha1 is historic (RFC 8301)")]
    Historic,
    /// Anybody can append text after the signed part (RFC 6376 section 8.2).
    #[error("l= leaves the end of the body unsigned")]
    Length,
    #[error("h= has more than {limit} names")]
    Names { limit: usize },
}

impl SignatureError {
    fn wrong(tag: &'static str, what: &'static str) -> Self {
        Self::Wrong { tag, what }
    }

    /// Returns the result of the signature: RFC 8601 section 2.7.1.
    pub(crate) fn result(&self) -> AuthResult {
        match self {
            Self::Tags(_)
            | Self::Missing { .. }
            | Self::Wrong { .. }
            | Self::KeyName
            | Self::Times => AuthResult::Neutral,
            Self::From | Self::Identity | Self::Historic => AuthResult::PermError,
            Self::Expired => AuthResult::Fail,
            Self::Future | Self::Length | Self::Names { .. } => AuthResult::Policy,
        }
    }
}

/// Parses the DNS name of `d=` or `s=`: labels of letters, digits, hyphens and, as in many selectors,
/// underscores; U-labels become A-labels (RFC 8616 section 4).
pub(crate) fn dns_name(text: &str) -> Option<Name> {
    if !text.is_ascii() {
        return Domain::from_unicode(text).ok().map(|domain| Name::from(&domain));
    }
    let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let edge = |label: &str| label.starts_with('-') || label.ends_with('-');
    if !text.bytes().all(good) || text.split('.').any(edge) {
        return None;
    }
    Name::from_dotted(text.as_bytes()).ok().filter(|name| !name.is_root())
}

fn needed<'l, 'a>(tags: &'l TagList<'a>, tag: &'static str) -> Result<&'l Tag<'a>, SignatureError> {
    tags.get(tag).ok_or(SignatureError::Missing { tag })
}

fn octets(tag: &Tag<'_>, name: &'static str) -> Result<Vec<u8>, SignatureError> {
    let octets = tag.base64().filter(|octets| !octets.is_empty());
    octets.ok_or(SignatureError::wrong(name, "base64"))
}

/// Reads `c=`; a missing half means `simple`.
fn forms(tags: &TagList<'_>) -> Result<(Form, Form), SignatureError> {
    let value = tags.get("c").map_or("simple", |tag| tag.value);
    let (header, body) = value.split_once('/').unwrap_or((value, "simple"));
    let forms = Form::of(header).zip(Form::of(body));
    forms.ok_or(SignatureError::wrong("c", "a known canonicalization"))
}

/// Reads `d=` and `s=`: the domain, and the name of the key record.
fn place(tags: &TagList<'_>) -> Result<(Name, Name), SignatureError> {
    let domain = dns_name(needed(tags, "d")?.value);
    let domain = domain.ok_or(SignatureError::wrong("d", "a DNS name"))?;
    let selector = dns_name(needed(tags, "s")?.value);
    let selector = selector.ok_or(SignatureError::wrong("s", "a DNS name"))?;
    let labels = selector.labels().chain([&b"_domainkey"[..]]).chain(domain.labels());
    let key_name = Name::from_labels(labels).map_err(|_| SignatureError::KeyName)?;
    Ok((domain, key_name))
}

/// Reads `h=`: the names of the signed fields, which must include `From`.
fn names(tag: &Tag<'_>, limits: &DkimLimits) -> Result<Vec<String>, SignatureError> {
    let named = |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic());
    if !tag.items().all(named) {
        return Err(SignatureError::wrong("h", "a list of field names"));
    }
    if !tag.has("From") {
        return Err(SignatureError::From);
    }
    if tag.items().count() > limits.fields {
        return Err(SignatureError::Names { limit: limits.fields });
    }
    Ok(tag.items().map(str::to_ascii_lowercase).collect())
}

/// Reads the domain of `i=`, equal to `d=` or below it; without the tag it is `d=`.
fn identity(tags: &TagList<'_>, domain: &Name) -> Result<Name, SignatureError> {
    let Some(tag) = tags.get("i") else { return Ok(domain.clone()) };
    let text = quoted_printable(&tag.without_blanks());
    let name = text.as_deref().and_then(|text| text.rsplit_once('@'));
    let name = name.filter(|(local_part, _)| local_part.is_empty() || is_local_part(local_part));
    let name = name.and_then(|(_, name)| dns_name(name));
    let name = name.ok_or(SignatureError::wrong("i", "an address"))?;
    if name.is_within(domain) { Ok(name) } else { Err(SignatureError::Identity) }
}

/// Tells whether a text is a `Local-part` (RFC 5321 section 4.1.2, RFC 6531 section 3.3), of any length.
fn is_local_part(text: &str) -> bool {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(quoted) = quoted else {
        // RFC 5322 section 3.2.3, atext.
        let good = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || ATEXT.contains(c);
        return text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(good));
    };
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c == '"' || (c == '\\' && chars.next().is_none()) {
            return false;
        }
    }
    true
}

/// Decodes the quoted-printable form of RFC 6376 section 2.11 to text without control characters.
fn quoted_printable(text: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'=' {
            octets.push(octet);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits =
            str::from_utf8(digits).ok().filter(|d| d.bytes().all(|c| c.is_ascii_hexdigit()));
        octets.push(u8::from_str_radix(digits?, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(octets).ok().filter(|text| !text.contains(char::is_control))
}

/// Checks `t=` and `x=`. A clock may be wrong by a day; a 0 in `x=` has expired, even with a 0 in `t=`.
fn check_times(tags: &TagList<'_>, now: SystemTime) -> Result<(), SignatureError> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = |tag: &'static str| match tags.get(tag).map(|tag| tag.value) {
        Some(value) if !digits(value, 12) => Err(SignatureError::wrong(tag, "a time in seconds")),
        value => Ok(value.and_then(|value| value.parse().ok()).map(Duration::from_secs)),
    };
    let (signed, end) = (time("t")?, time("x")?);
    if end.zip(signed).is_some_and(|(end, signed)| end <= signed && !end.is_zero()) {
        return Err(SignatureError::Times);
    }
    if end.is_some_and(|end| end < now) {
        return Err(SignatureError::Expired);
    }
    match signed {
        Some(signed) if signed > now + A_DAY => Err(SignatureError::Future),
        _ => Ok(()),
    }
}

/// Refuses `l=`, with any value.
fn check_length(tags: &TagList<'_>) -> Result<(), SignatureError> {
    match tags.get("l") {
        None => Ok(()),
        Some(tag) if digits(tag.value, 76) => Err(SignatureError::Length),
        Some(_) => Err(SignatureError::wrong("l", "a number of octets")),
    }
}

/// Tells whether a value is a number of at most `most` digits.
fn digits(value: &str, most: usize) -> bool {
    (1..=most).contains(&value.len()) && value.bytes().all(|c| c.is_ascii_digit())
}

/// The characters of an atom besides letters and digits.
const ATEXT: &str = "!#$%&'*+-/=?^_`{|}~";
const A_DAY: Duration = Duration::from_hours(24);
