//! One TLSA record, in wire and presentation form: RFC 6698 section 2.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::certificate::Certificate;
use crate::matching_type::MatchingType;
use crate::numbers::Numbers;
use crate::selector::Selector;
use crate::usage::Usage;

/// A TLSA record. It may be one that [cannot be used](Self::check_usable).
///
/// ```
/// use dane_tlsa::{TlsaRecord, Usage};
///
/// let text = "3 1 1 8A9A70596E869BED72C69D97A8895DFA D86F300A343FECEFF19E89C27C896BC9";
/// let record: TlsaRecord = text.parse()?;
/// assert_eq!(record.usage, Usage::DANE_EE);
/// assert_eq!(record.check_usable(), Ok(()));
/// assert_eq!(TlsaRecord::from_wire(&record.to_wire())?, record);
///
/// // The commonest fault: a digit is missing.
/// let error = text[..text.len() - 1].parse::<TlsaRecord>().unwrap_err();
/// assert_eq!(error.to_string(), "odd number of hexadecimal digits, at byte 70");
/// # Ok::<(), dane_tlsa::RecordError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the wire format")]
pub struct TlsaRecord {
    /// Which certificate it is about.
    pub usage: Usage,
    /// Which part of the certificate it is about.
    pub selector: Selector,
    /// How that part stands in the data.
    pub matching_type: MatchingType,
    /// The certificate association data.
    pub data: Box<[u8]>,
}

impl TlsaRecord {
    /// The most octets of the data: those of a record's, less three.
    pub const MAX_DATA: usize = 65_532;

    /// Makes the record of a certificate.
    ///
    /// # Errors
    ///
    /// [`NotAssigned`] if the selector or the matching type is not one of RFC 6698.
    pub fn of_certificate(
        certificate: &Certificate<'_>,
        usage: Usage,
        selector: Selector,
        matching_type: MatchingType,
    ) -> Result<Self, NotAssigned> {
        let selected = match selector {
            Selector::CERT => certificate.as_der(),
            Selector::SPKI => certificate.key(),
            _ => return Err(NotAssigned),
        };
        let data = matching_type.data_of(selected).ok_or(NotAssigned)?;
        Ok(Self { usage, selector, matching_type, data })
    }

    /// Makes the record of a key, with selector SPKI(1), from the DER of its `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// [`KeyRecordError`] if that is not one key, or the matching type is not one of RFC 6698.
    pub fn of_key(
        key: &[u8],
        usage: Usage,
        matching_type: MatchingType,
    ) -> Result<Self, KeyRecordError> {
        crate::certificate::check_whole_key(key)?;
        let data = matching_type.data_of(key).ok_or(NotAssigned)?;
        Ok(Self { usage, selector: Selector::SPKI, matching_type, data })
    }

    /// Reads a record from its data in wire format, as `mail_types::dns::Records::Tlsa` has it.
    ///
    /// # Errors
    ///
    /// [`RecordError::Missing`] or [`RecordError::TooLong`].
    pub fn from_wire(wire: &[u8]) -> Result<Self, RecordError> {
        let [usage, selector, matching_type, data @ ..] = wire else {
            return Err(RecordError::Missing { at: wire.len() });
        };
        if data.len() > Self::MAX_DATA {
            return Err(RecordError::TooLong);
        }
        Ok(Self {
            usage: Usage::new(*usage),
            selector: Selector::new(*selector),
            matching_type: MatchingType::new(*matching_type),
            data: data.into(),
        })
    }

    /// Returns the record's data in wire format.
    #[must_use]
    pub fn to_wire(&self) -> Box<[u8]> {
        let mut wire = self.numbers().to_vec();
        wire.extend_from_slice(&self.data);
        wire.into()
    }

    /// Returns the usage, the selector and the matching type as numbers.
    #[must_use]
    pub fn numbers(&self) -> [u8; 3] {
        [self.usage.number(), self.selector.number(), self.matching_type.number()]
    }
}

impl FromStr for TlsaRecord {
    type Err = RecordError;

    /// Reads the presentation form: three numbers, and hexadecimal digits with blanks anywhere between
    /// them. Parentheses may be around any of it, as in master files, and the generic form of RFC 3597,
    /// `\# 35 0301…`, is read too.
    fn from_str(text: &str) -> Result<Self, RecordError> {
        let mut words = Words::new(text.as_bytes());
        if words.peek()?.is_some_and(|(_, word)| word == b"\\#") {
            words.next()?;
            let length = usize::from(number(&mut words, u16::MAX)?);
            let at = words.at;
            let wire = hexadecimal(&mut words)?;
            if wire.len() != length {
                return Err(RecordError::Length { at, found: wire.len() });
            }
            return Self::from_wire(&wire).map_err(|error| match error {
                RecordError::Missing { .. } => RecordError::Missing { at: words.at },
                other => other,
            });
        }
        let mut octet = || number(&mut words, 255).map(|n| u8::try_from(n).unwrap_or(u8::MAX));
        let (usage, selector, matching_type) = (octet()?, octet()?, octet()?);
        let data = hexadecimal(&mut words)?;
        if data.len() > Self::MAX_DATA {
            return Err(RecordError::TooLong);
        }
        Ok(Self {
            usage: Usage::new(usage),
            selector: Selector::new(selector),
            matching_type: MatchingType::new(matching_type),
            data: data.into(),
        })
    }
}

impl fmt::Display for TlsaRecord {
    /// Writes the presentation form: `3 1 1 ab…`, in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Numbers(self.numbers()))?;
        for (at, octet) in self.data.iter().enumerate() {
            let blank = if at == 0 { " " } else { "" };
            write!(f, "{blank}{octet:02x}")?;
        }
        Ok(())
    }
}

/// The words of a text, and where each begins.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
    /// Where a parenthesis was opened that is not yet closed.
    open: Option<usize>,
}

impl<'a> Words<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: None }
    }

    fn next(&mut self) -> Result<Option<(usize, &'a [u8])>, RecordError> {
        let word = self.peek()?;
        self.at = word.map_or(self.at, |(at, word)| at + word.len());
        Ok(word)
    }

    /// Goes to the next word, and returns it.
    fn peek(&mut self) -> Result<Option<(usize, &'a [u8])>, RecordError> {
        let found = |at| RecordError::Parenthesis { at };
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => {}
                Some(b'(') if self.open.is_none() => self.open = Some(self.at),
                Some(b')') if self.open.is_some() => self.open = None,
                Some(b'(' | b')') => return Err(found(self.at)),
                Some(_) => break,
                None => return self.open.map_or(Ok(None), |at| Err(found(at))),
            }
            self.at += 1;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_end = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')');
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        Ok(Some((self.at, rest.get(..length).unwrap_or_default())))
    }
}

fn number(words: &mut Words<'_>, most: u16) -> Result<u16, RecordError> {
    let (at, word) = words.next()?.ok_or(RecordError::Missing { at: words.at })?;
    let digits = std::str::from_utf8(word).ok();
    let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| *number <= most);
    number.ok_or(RecordError::Number { at, most })
}

fn hexadecimal(words: &mut Words<'_>) -> Result<Vec<u8>, RecordError> {
    let (mut octets, mut half) = (Vec::new(), None);
    while let Some((at, word)) = words.next()? {
        for (digit, at) in word.iter().zip(at..) {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            let value = value.ok_or(RecordError::Digit { at, found: *digit })?;
            half = match half {
                Some(high) => {
                    octets.push(high << 4 | value);
                    None
                }
                None => Some(value),
            };
        }
    }
    if half.is_some() {
        return Err(RecordError::OddDigits { at: words.at });
    }
    Ok(octets)
}

/// Why a text or data is not a [`TlsaRecord`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// It ends before the third number.
    #[error("usage, selector or matching type is missing, at byte {at}")]
    Missing {
        /// Its end, in bytes.
        at: usize,
    },
    /// A number is not one, or too great.
    #[error("not a number from 0 to {most}, at byte {at}")]
    Number {
        /// Where it begins, in bytes.
        at: usize,
        /// The greatest that may be there.
        most: u16,
    },
    /// A character is not a hexadecimal digit.
    #[error("not a hexadecimal digit: '{}', at byte {at}", [*.found].escape_ascii())]
    Digit {
        /// Its position, in bytes.
        at: usize,
        /// Its first octet.
        found: u8,
    },
    /// The last octet has one digit only.
    #[error("odd number of hexadecimal digits, at byte {at}")]
    OddDigits {
        /// The end of the text, in bytes.
        at: usize,
    },
    /// A parenthesis is opened twice, or not closed, or not opened.
    #[error("unmatched parenthesis, at byte {at}")]
    Parenthesis {
        /// Its position, in bytes.
        at: usize,
    },
    /// The data of the generic form has another length than it says.
    #[error("the data has {found} octets, not as many as written before it, at byte {at}")]
    Length {
        /// Where the data begins, in bytes.
        at: usize,
        /// Its length in octets.
        found: usize,
    },
    /// The data has more octets than a record can have.
    #[error("the data is longer than {} octets", TlsaRecord::MAX_DATA)]
    TooLong,
}

/// A selector or matching type is not one of RFC 6698, so that no record can be made with it.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("the selector or the matching type is not assigned")]
#[non_exhaustive]
pub struct NotAssigned;

/// Why no record can be made of a key.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// The input is not one public key.
    #[error("not a public key: {0}")]
    Key(#[from] crate::DerError),
    /// The matching type is not one of RFC 6698.
    #[error(transparent)]
    NotAssigned(#[from] NotAssigned),
}
