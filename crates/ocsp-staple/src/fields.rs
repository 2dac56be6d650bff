//! The elements that responses and certificates are made of, read by `der`'s readers: X.690, DER.
//!
//! One reader goes through the whole input, so that the place of an error counts from its start.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, UtcTime};
use der::oid::ObjectIdentifierRef;
use der::{
    DateTime, Decode as _, ErrorKind, Header, Reader as _, SliceReader, Tag, TagNumber, Tagged as _,
};
use rustls_pki_types::UnixTime;
use thiserror::Error;

/// The first fault of input that should be DER, and its position.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("{field}: {fault} at byte {at}")]
#[expect(clippy::exhaustive_structs, reason = "a position, and the fault there")]
pub struct DerError {
    /// Where, in bytes from the start of the input.
    pub at: usize,
    /// The innermost ASN.1 field there, by its name in the standard.
    pub field: &'static str,
    /// The fault.
    pub fault: DerFault,
}

/// A fault in the DER of a field.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum DerFault {
    /// The input ends before the element does.
    #[error("the input ends too early")]
    Incomplete,
    /// The element is followed by bytes that do not belong to it.
    #[error("there are bytes left over")]
    Trailing,
    /// The element has another tag.
    #[error("unexpected tag")]
    Tag,
    /// The length is indefinite, not in its shortest form, or wrong for the type.
    #[error("invalid length")]
    Length,
    /// The value is not one that the field may have, or not encoded as DER wants it.
    #[error("invalid value")]
    Value,
    /// The value is sound, but of a version or type that is not supported.
    #[error("unsupported value")]
    Unsupported,
    /// The extension is there already.
    #[error("repeated extension")]
    Repeated,
    /// There are more items, or bytes, than a limit allows.
    #[error("more than {0}")]
    Limit(usize),
}

/// What reading a field gives.
pub(crate) type Field<T> = Result<T, DerError>;

impl DerError {
    pub(crate) fn new(at: usize, field: &'static str, fault: DerFault) -> Self {
        Self { at, field, fault }
    }

    /// Names the field, unless a field within it has been named.
    fn within(self, field: &'static str) -> Self {
        if self.field.is_empty() { Self { field, ..self } } else { self }
    }
}

impl From<der::Error> for DerError {
    fn from(error: der::Error) -> Self {
        let fault = match error.kind() {
            ErrorKind::Incomplete { .. } => DerFault::Incomplete,
            ErrorKind::TrailingData { .. } => DerFault::Trailing,
            ErrorKind::TagUnexpected { .. }
            | ErrorKind::TagUnknown { .. }
            | ErrorKind::TagNumberInvalid => DerFault::Tag,
            ErrorKind::Length { .. }
            | ErrorKind::IndefiniteLength
            | ErrorKind::Overlength
            | ErrorKind::Overflow => DerFault::Length,
            _ => DerFault::Value,
        };
        Self::new(error.position().map_or(0, place), "", fault)
    }
}

fn place(length: der::Length) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Reads an input that is one value and nothing else.
pub(crate) fn whole<'a, T>(
    input: &'a [u8],
    field: &'static str,
    read: impl FnOnce(&mut SliceReader<'a>) -> Field<T>,
) -> Field<T> {
    let named = |error: DerError| error.within(field);
    let mut reader = SliceReader::new(input).map_err(|error| named(error.into()))?;
    let value = read(&mut reader).map_err(named)?;
    reader.finish().map_err(|error| named(error.into()))?;
    Ok(value)
}

/// Reads the first part of a certificate from its start, and nothing behind what it reads.
#[cfg(feature = "rustls")]
pub(crate) fn first_of_certificate<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> Field<T>,
) -> Field<T> {
    whole(der, "Certificate", |reader| {
        sequence(reader, "Certificate", |reader| {
            let value = sequence(reader, "tbsCertificate", |reader| {
                let value = read(reader)?;
                rest(reader)?;
                Ok(value)
            })?;
            rest(reader)?;
            Ok(value)
        })
    })
}

/// Returns where the reader has come to.
pub(crate) fn place_of(reader: &SliceReader<'_>) -> usize {
    place(reader.position())
}

/// Returns an error at the place that the reader has come to: before what is wrong is read.
pub(crate) fn fault(reader: &SliceReader<'_>, field: &'static str, fault: DerFault) -> DerError {
    DerError::new(place_of(reader), field, fault)
}

/// Skips what is left, whatever it is.
pub(crate) fn rest(reader: &mut SliceReader<'_>) -> Field<()> {
    reader.read_slice(reader.remaining_len())?;
    Ok(())
}

/// Reads an element with this tag, and its content.
pub(crate) fn nested<'a, T>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
    field: &'static str,
    read: impl FnOnce(&mut SliceReader<'a>) -> Field<T>,
) -> Field<T> {
    let named = |error: DerError| error.within(field);
    let length = header(reader, tag, field)?;
    reader.read_nested(length, read).map_err(named)
}

/// Reads a `SEQUENCE`.
pub(crate) fn sequence<'a, T>(
    reader: &mut SliceReader<'a>,
    field: &'static str,
    read: impl FnOnce(&mut SliceReader<'a>) -> Field<T>,
) -> Field<T> {
    nested(reader, Tag::Sequence, field, read)
}

/// Reads a field with an `EXPLICIT` tag of this number, if it comes next.
pub(crate) fn explicit<'a, T>(
    reader: &mut SliceReader<'a>,
    number: u32,
    field: &'static str,
    read: impl FnOnce(&mut SliceReader<'a>) -> Field<T>,
) -> Field<Option<T>> {
    let tag = context(number, true);
    if next(reader, field)? != Some(tag) {
        return Ok(None);
    }
    nested(reader, tag, field, read).map(Some)
}

/// Returns the tag of the next element, or `None` at the end.
pub(crate) fn next(reader: &SliceReader<'_>, field: &'static str) -> Field<Option<Tag>> {
    if reader.is_finished() {
        return Ok(None);
    }
    Tag::peek(reader).map(Some).map_err(|error| DerError::from(error).within(field))
}

pub(crate) fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

/// Reads an element with this tag, and returns its contents.
pub(crate) fn contents<'a>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
    field: &'static str,
) -> Field<&'a [u8]> {
    let length = header(reader, tag, field)?;
    reader.read_slice(length).map_err(|error| DerError::from(error).within(field))
}

/// Reads an element with this tag whole.
pub(crate) fn encoded<'a>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
    field: &'static str,
) -> Field<&'a [u8]> {
    header(&mut reader.clone(), tag, field)?;
    reader.tlv_bytes().map_err(|error| DerError::from(error).within(field))
}

/// Reads an element, whatever it is.
pub(crate) fn any(reader: &mut SliceReader<'_>, field: &'static str) -> Field<Tag> {
    let any = AnyRef::decode(reader);
    any.map(|any| any.tag()).map_err(|error| DerError::from(error).within(field))
}

/// Reads an `INTEGER`, and returns its contents in their only form.
pub(crate) fn integer<'a>(reader: &mut SliceReader<'a>, field: &'static str) -> Field<&'a [u8]> {
    canonical(reader, Tag::Integer, field)
}

/// Reads an `ENUMERATED`, and returns its contents in their only form.
pub(crate) fn enumerated<'a>(reader: &mut SliceReader<'a>, field: &'static str) -> Field<&'a [u8]> {
    canonical(reader, Tag::Enumerated, field)
}

fn canonical<'a>(reader: &mut SliceReader<'a>, tag: Tag, field: &'static str) -> Field<&'a [u8]> {
    let invalid = fault(reader, field, DerFault::Value);
    match contents(reader, tag, field)? {
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(invalid),
        octets => Ok(octets),
    }
}

/// Reads a `BIT STRING` of whole octets.
pub(crate) fn bits<'a>(reader: &mut SliceReader<'a>, field: &'static str) -> Field<&'a [u8]> {
    let invalid = fault(reader, field, DerFault::Value);
    let bits = BitStringRef::decode(reader).map_err(|error| DerError::from(error).within(field))?;
    bits.as_bytes().ok_or(invalid)
}

/// Reads an `OBJECT IDENTIFIER`, and returns its contents.
pub(crate) fn oid<'a>(reader: &mut SliceReader<'a>, field: &'static str) -> Field<&'a [u8]> {
    let invalid = fault(reader, field, DerFault::Value);
    let octets = contents(reader, Tag::ObjectIdentifier, field)?;
    ObjectIdentifierRef::from_bytes(octets).map(|_| octets).map_err(|_| invalid)
}

/// Reads an `AlgorithmIdentifier`, and returns its contents.
pub(crate) fn algorithm<'a>(reader: &mut SliceReader<'a>, field: &'static str) -> Field<&'a [u8]> {
    let octets = contents(&mut reader.clone(), Tag::Sequence, field)?;
    sequence(reader, field, |reader| {
        oid(reader, field)?;
        if !reader.is_finished() {
            any(reader, field)?;
        }
        Ok(octets)
    })
}

/// Reads a `GeneralizedTime` as RFC 5280 section 4.1.2.5.2 wants it.
pub(crate) fn generalized_time(
    reader: &mut SliceReader<'_>,
    field: &'static str,
) -> Field<UnixTime> {
    let at = place_of(reader);
    let time = GeneralizedTime::decode(reader);
    unix(time.map(|time| time.to_unix_duration()), field, at)
}

/// Reads a `Time` of a certificate. One before 1970 is its start: no earlier one can be told.
pub(crate) fn time(reader: &mut SliceReader<'_>, field: &'static str) -> Field<UnixTime> {
    let (at, mut before) = (place_of(reader), reader.clone());
    let tag = next(reader, field)?;
    let time = if tag == Some(Tag::UtcTime) {
        unix(UtcTime::decode(reader).map(|time| time.to_unix_duration()), field, at)
    } else {
        generalized_time(reader, field)
    };
    let digits = if tag == Some(Tag::UtcTime) { 12 } else { 14 };
    let mut is_early = || {
        let contents = tag.and_then(|tag| contents(&mut before, tag, field).ok());
        contents.and_then(|contents| is_before_1970(contents, digits)).unwrap_or_default()
    };
    if time.is_err() && is_early() {
        *reader = before;
        return Ok(UnixTime::since_unix_epoch(Duration::ZERO));
    }
    time
}

/// Tells whether these are the contents of a time before 1970 of so many digits, of which 12 begin with the
/// last two of a year from 1950 on: RFC 5280 section 4.1.2.5.
fn is_before_1970(contents: &[u8], length: usize) -> Option<bool> {
    let digits = contents.strip_suffix(b"Z").filter(|digits| digits.len() == length)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut pairs = digits.chunks_exact(2).map(|pair| match pair {
        [tens, ones] => (tens - b'0') * 10 + (ones - b'0'),
        _ => 0,
    });
    let century = if length == 12 { 19 } else { pairs.next()? };
    let of_century = pairs.next()?;
    let year = u16::from(century) * 100 + u16::from(of_century);
    let (month, day, hour) = (pairs.next()?, pairs.next()?, pairs.next()?);
    let (minute, second) = (pairs.next()?, pairs.next()?);
    // The calendar is the same in 2000 as in 1600, and so on.
    let exists = DateTime::new(year % 400 + 2000, month, day, hour, minute, second).is_ok();
    Some(exists && year < 1970 && (length == 14 || of_century >= 50))
}

fn unix(since: Result<Duration, der::Error>, field: &'static str, at: usize) -> Field<UnixTime> {
    since.map(UnixTime::since_unix_epoch).map_err(|error| {
        let error = DerError::from(error).within(field);
        // A value that is wrong is so from its start on.
        if error.fault == DerFault::Value { DerError { at, ..error } } else { error }
    })
}

fn header(reader: &mut SliceReader<'_>, tag: Tag, field: &'static str) -> Field<der::Length> {
    let at = place(reader.position());
    let header = Header::decode(reader).map_err(|error| DerError::from(error).within(field))?;
    if header.tag() == tag {
        return Ok(header.length());
    }
    Err(DerError::new(at, field, DerFault::Tag))
}
