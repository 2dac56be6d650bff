//! Reading DER, X.690, as far as certificates need it.

use thiserror::Error;

/// The place where input is not the DER of the certificate or key that it should be.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("{field}: not valid DER at byte {at}")]
#[non_exhaustive]
pub struct DerError {
    /// Where, in bytes from the start of the input.
    pub at: usize,
    /// The ASN.1 field there, by its name in RFC 5280.
    pub field: &'static str,
}

/// A reader of elements, one behind the other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

/// An element.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// With its tag and length.
    pub(crate) encoded: &'a [u8],
    pub(crate) contents: &'a [u8],
    /// The place of its contents in the input.
    pub(crate) at: usize,
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Returns the tag of a field with this number.
pub(crate) const fn context(number: u8, constructed: bool) -> u8 {
    0x80 | number | if constructed { 0x20 } else { 0 }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { rest: input, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns the tag of the next element.
    pub(crate) fn next_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads an element, whatever its tag is.
    pub(crate) fn any(&mut self, field: &'static str) -> Result<Element<'a>, DerError> {
        let error = DerError { at: self.at, field };
        let element = element(self.rest, self.at).ok_or(error)?;
        self.rest = self.rest.get(element.encoded.len()..).unwrap_or_default();
        self.at += element.encoded.len();
        Ok(element)
    }

    /// Reads an element with this tag.
    pub(crate) fn read(&mut self, tag: u8, field: &'static str) -> Result<Element<'a>, DerError> {
        let error = DerError { at: self.at, field };
        if self.next_tag() == Some(tag) { self.any(field) } else { Err(error) }
    }

    /// Reads an element with this tag, if it comes next.
    pub(crate) fn optional(
        &mut self,
        tag: u8,
        field: &'static str,
    ) -> Result<Option<Element<'a>>, DerError> {
        if self.next_tag() == Some(tag) { self.any(field).map(Some) } else { Ok(None) }
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self, field: &'static str) -> Result<(), DerError> {
        if self.is_empty() { Ok(()) } else { Err(DerError { at: self.at, field }) }
    }
}

impl<'a> Element<'a> {
    /// Returns a reader of what is in it.
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader { rest: self.contents, at: self.at }
    }
}

/// Reads an `INTEGER` that is not negative and fits.
pub(crate) fn small(integer: &Element<'_>) -> Option<u32> {
    match *integer.contents {
        [a @ 0..=0x7f] | [0, a @ 0x80..=0xff] => Some(a.into()),
        [a @ 1..=0x7f, b] | [0, a @ 0x80..=0xff, b] => Some(u32::from(a) << 8 | u32::from(b)),
        _ => None,
    }
}

/// Reads one value that is the whole input.
pub(crate) fn whole<'a>(
    input: &'a [u8],
    tag: u8,
    field: &'static str,
) -> Result<Element<'a>, DerError> {
    let mut reader = Reader::new(input);
    let element = reader.read(tag, field)?;
    reader.end(field)?;
    Ok(element)
}

fn element(input: &[u8], at: usize) -> Option<Element<'_>> {
    let (&tag, rest) = input.split_first()?;
    if tag & 0x1f == 0x1f {
        return None; // A tag of several octets: X.509 has none.
    }
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The length of a length: certificates of more than 16 MiB do not occur.
        0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
            let shortest = length > 0x7f && octets.first() != Some(&0);
            (shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    let contents = rest.get(..length)?;
    let header = input.len() - rest.len();
    let encoded = input.get(..header + length)?;
    Some(Element { tag, encoded, contents, at: at + header })
}
