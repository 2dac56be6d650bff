//! Distinguished names, compared by their encoding and written for people: RFC 5280, 4514.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use der::oid::ObjectIdentifier;
use der::{Encode as _, Header, Length, SliceReader, Tag};

use crate::escaped::{LONGEST, escape};
use crate::fields::{self, Field};

/// A distinguished name, as the contents of its DER.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Name<'a>(Cow<'a, [u8]>);

impl<'a> Name<'a> {
    pub(crate) fn read(reader: &mut SliceReader<'a>, field: &'static str) -> Field<Self> {
        fields::contents(reader, Tag::Sequence, field).map(Self::from_contents)
    }

    pub(crate) fn from_contents(contents: &'a [u8]) -> Self {
        Self(Cow::Borrowed(contents))
    }

    pub(crate) fn into_owned(self) -> Name<'static> {
        Name(Cow::Owned(self.0.into_owned()))
    }

    /// Hands the whole encoding out, in two parts: a trust anchor has the contents only.
    pub(crate) fn each_part(&self, mut take: impl FnMut(&[u8])) {
        let mut header = [0; 8];
        let length = Length::try_from(self.0.len()).unwrap_or_default();
        if let Ok(header) = Header::new(Tag::Sequence, length).encode_to_slice(&mut header) {
            take(header);
        }
        take(&self.0);
    }

    fn attributes(&self, mut write: impl FnMut(&[u8], Tag, &[u8]) -> fmt::Result) -> fmt::Result {
        let mut written = Ok(());
        let read = fields::whole(&self.0, "Name", |reader| {
            while fields::next(reader, "Name")?.is_some() {
                fields::nested(reader, Tag::Set, "RelativeDistinguishedName", |reader| {
                    while fields::next(reader, "RelativeDistinguishedName")?.is_some() {
                        fields::sequence(reader, "AttributeTypeAndValue", |reader| {
                            let kind = fields::oid(reader, "type")?;
                            let Some(tag) = fields::next(reader, "value")? else { return Ok(()) };
                            let value = fields::contents(reader, tag, "value")?;
                            written = written.and_then(|()| write(kind, tag, value));
                            Ok(())
                        })?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        });
        read.map_err(|_| fmt::Error).and(written)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl fmt::Display for Name<'_> {
    /// Writes its attributes as `O=Example, CN=OCSP signer`, in the order of the encoding, at most
    /// 512 characters of them; unprintable characters are escaped, and those that RFC 4514 section 2.4
    /// lists, so that no value looks like two attributes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let attributes = self.attributes(|kind, tag, value| {
            let separator = if text.is_empty() { "" } else { ", " };
            let value: Cow<'_, str> = match tag {
                Tag::BmpString => wide(value).into(),
                _ => String::from_utf8_lossy(value),
            };
            let known = KINDS.iter().find(|(oid, _)| oid.as_bytes() == kind);
            write!(text, "{separator}")?;
            match (known, ObjectIdentifier::from_bytes(kind)) {
                (Some((_, name)), _) => write!(text, "{name}")?,
                (None, Ok(oid)) => write!(text, "{oid}")?,
                (None, Err(_)) => {}
            }
            text.push('=');
            write_value(&mut text, &value)
        });
        match attributes {
            Ok(()) if text.is_empty() => f.write_str("(an empty name)"),
            Ok(()) => text.chars().take(LONGEST).try_for_each(|character| f.write_char(character)),
            Err(_) => f.write_str("(a malformed name)"),
        }
    }
}

/// Writes the value of an attribute: RFC 4514 section 2.4.
fn write_value(text: &mut String, value: &str) -> fmt::Result {
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        let special = match character {
            '"' | '+' | ',' | ';' | '<' | '>' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        if special {
            text.push('\\');
        }
        escape(text, character)?;
    }
    Ok(())
}

/// UTF-16, in network order.
fn wide(octets: &[u8]) -> String {
    let units = octets.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

const KINDS: [(ObjectIdentifier, &str); 8] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.5"), "serialNumber"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
    (ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25"), "DC"),
];
