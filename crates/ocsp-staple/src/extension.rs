//! Extensions of responses and certificates: RFC 5280 section 4.1, RFC 6960 section 4.4.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Reader as _, SliceReader, Tag};

use crate::fields::{self, DerError, DerFault, Field};

/// The extensions of a response, or of what it says about one certificate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Extensions<'a>(&'a [u8]);

/// The start of one extension; its value comes next.
pub(crate) struct Start<'a> {
    /// Where its identifier is.
    at: usize,
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
}

/// The most extensions in one place of a response. Each is compared with all before it.
const MOST: usize = 32;
/// The most extensions of a certificate.
pub(crate) const MOST_OF_CERTIFICATE: usize = 256;

impl<'a> Extensions<'a> {
    /// Reads the list, of which no extension may be there twice.
    pub(crate) fn read(reader: &mut SliceReader<'a>, field: &'static str) -> Field<Self> {
        let list = Self(fields::contents(&mut reader.clone(), Tag::Sequence, field)?);
        fields::sequence(reader, field, |reader| {
            let mut seen = Seen::default();
            while !reader.is_finished() {
                fields::sequence(reader, "Extension", |reader| {
                    let start = Start::read(reader, Defaults::Omitted)?;
                    seen.take(&start, MOST)?;
                    fields::contents(reader, Tag::OctetString, "extnValue")
                })?;
            }
            Ok(list)
        })
    }

    /// Returns the value of the extension.
    pub(crate) fn value(&self, oid: &ObjectIdentifier) -> Option<&'a [u8]> {
        self.iter().find(|(start, _)| start.oid == oid.as_bytes()).map(|(_, value)| value)
    }

    /// Returns a critical extension that is not among these.
    pub(crate) fn unknown_critical(&self, known: &[ObjectIdentifier]) -> Option<Oid> {
        let unknown = |start: &Start<'_>| {
            start.critical && known.iter().all(|known| known.as_bytes() != start.oid)
        };
        self.iter().find(|(start, _)| unknown(start)).map(|(start, _)| Oid::new(start.oid))
    }

    fn iter(self) -> impl Iterator<Item = (Start<'a>, &'a [u8])> {
        let mut rest = SliceReader::new(self.0).ok();
        std::iter::from_fn(move || {
            let reader = rest.as_mut().filter(|reader| !reader.is_finished())?;
            let extension = fields::sequence(reader, "Extension", |reader| {
                let start = Start::read(reader, Defaults::Omitted)?;
                Ok((start, fields::contents(reader, Tag::OctetString, "extnValue")?))
            });
            debug_assert!(extension.is_ok(), "extensions were read before: {extension:?}");
            extension.ok()
        })
    }
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let critical = if self.critical { ", critical" } else { "" };
        write!(f, "{}{critical}", Oid::new(self.oid))
    }
}

/// Whether a value that is the default may be written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Defaults {
    /// It is left out, as DER wants it.
    Omitted,
    /// It may be there, as in some certificates that are in use.
    Written,
}

impl<'a> Start<'a> {
    pub(crate) fn read(reader: &mut SliceReader<'a>, defaults: Defaults) -> Field<Self> {
        let at = fields::place_of(reader);
        let oid = fields::oid(reader, "extnID")?;
        let mut critical = false;
        if fields::next(reader, "critical")? == Some(Tag::Boolean) {
            let invalid = fields::fault(reader, "critical", DerFault::Value);
            critical = bool::decode(reader).map_err(|_| invalid)?;
            if !critical && defaults == Defaults::Omitted {
                return Err(invalid);
            }
        }
        Ok(Self { at, oid, critical })
    }
}

/// The extensions that have been read.
#[derive(Default)]
pub(crate) struct Seen<'a> {
    first: [&'a [u8]; MOST],
    count: usize,
    /// Behind the first: few certificates have so many.
    more: Vec<&'a [u8]>,
}

impl<'a> Seen<'a> {
    /// Notes an extension, unless it was there before, or there are so many already.
    pub(crate) fn take(&mut self, start: &Start<'a>, most: usize) -> Result<(), DerError> {
        let wrong = |fault| Err(DerError::new(start.at, "extnID", fault));
        let mut seen = self.first.iter().take(self.count).chain(&self.more);
        if seen.any(|seen| *seen == start.oid) {
            return wrong(DerFault::Repeated);
        }
        if self.count + self.more.len() == most {
            return wrong(DerFault::Limit(most));
        }
        match self.first.get_mut(self.count) {
            Some(place) => {
                *place = start.oid;
                self.count += 1;
            }
            None => self.more.push(start.oid),
        }
        Ok(())
    }
}

/// An object identifier that was found, for messages: `1.3.6.1.5.5.7.48.1.2`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Oid(Option<ObjectIdentifier>);

impl Oid {
    pub(crate) fn new(contents: &[u8]) -> Self {
        Self(ObjectIdentifier::from_bytes(contents).ok())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(oid) => oid.fmt(f),
            None => f.write_str("(a long identifier)"), // Of more octets than are kept.
        }
    }
}
