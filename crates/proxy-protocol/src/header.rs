//! The header, in either version: section 2 of `proxy-protocol.txt`, 2026-04-27.

use std::num::NonZeroUsize;

use thiserror::Error;

use crate::{Endpoints, Options, TlvKind, Tlvs, v1, v2};

/// A header, borrowing from the bytes it was parsed from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Header<'a> {
    /// The format it is written in.
    pub version: Version,
    /// Between whom the connection is.
    pub endpoints: Endpoints<'a>,
    /// What version 2 says beyond that; in version 1, nothing.
    ///
    /// Where the block behind the fixed part has no known layout (the command LOCAL, an unspecified
    /// family), these are the vectors it holds if it holds nothing else. With a known family but an
    /// unspecified transport they are always empty, since it is unknown where the addresses end.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Header<'a> {
    /// Makes a header without vectors, to be written.
    #[inline]
    #[must_use]
    pub fn new(version: Version, endpoints: Endpoints<'a>) -> Self {
        Self { version, endpoints, tlvs: Tlvs::default() }
    }

    /// Parses the header of either version at the start of `input`, with default [`Options`];
    /// returns the bytes behind it, and the header.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Incomplete`] asks for more bytes: append them and parse again from the first
    /// byte. Every other error is final, whatever follows, and the connection must be dropped.
    #[inline]
    pub fn parse(input: &'a [u8]) -> Result<(&'a [u8], Self), HeaderError> {
        Self::parse_with(input, &Options::DEFAULT)
    }

    /// Parses the header of either version at the start of `input`.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`].
    #[inline]
    pub fn parse_with(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        match input.first() {
            Some(b'\r') => v2::parse(input, options),
            // The shortest header is LOCAL, if UNKNOWN is none.
            None if !options.unknown => v2::parse(input, options),
            _ => v1::parse(input, options),
        }
    }

    /// Parses the line of version 1 at the start of `input`.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`]; a header of version 2 is [`HeaderError::Signature`].
    #[inline]
    pub fn parse_v1(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        v1::parse(input, options)
    }

    /// Parses the block of version 2 at the start of `input`.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`]; a header of version 1 is [`HeaderError::Signature`].
    #[inline]
    pub fn parse_v2(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        v2::parse(input, options)
    }

    /// Parses the header at the start of a datagram; returns the payload behind it, and the header.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`], except that an incomplete header is [`HeaderError::Truncated`]: it
    /// must not be split over datagrams (section 2).
    pub fn parse_datagram(
        input: &'a [u8],
        options: &Options,
    ) -> Result<(&'a [u8], Self), HeaderError> {
        Self::parse_with(input, options).map_err(|error| match error {
            HeaderError::Incomplete { .. } => HeaderError::Truncated { at: input.len() },
            error => error,
        })
    }
}

/// The format of a header.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Version {
    /// A line of text: section 2.1.
    V1,
    /// A binary block: section 2.2.
    V2,
}

/// Why bytes are not a [`Header`].
///
/// Positions are in bytes from the start of the header, from 0.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes so far are sound, but the header goes on.
    #[error("the header needs at least {needed} more bytes")]
    Incomplete {
        /// How many more bytes to wait for, at least. So many never reach beyond the header.
        needed: NonZeroUsize,
    },
    /// The bytes do not begin as a header does.
    #[error("byte {at}, {found:#04x}, is not that of a PROXY header")]
    Signature {
        /// The first byte that differs.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// A byte cannot stand where it does in a line of version 1.
    #[error("byte {at}, {found:#04x}, cannot stand there in the line")]
    Line {
        /// Where.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// A line `TCP6` of version 1 has an IPv4 address, as some balancers write it, and
    /// [`Options::ipv4_in_tcp6`] is off.
    #[error("byte {at} is that of an IPv4 address in a line for IPv6 (TCP6)")]
    Ipv4InTcp6 {
        /// Where its first dot is.
        at: usize,
    },
    /// A line of version 1 does not end within 107 bytes.
    #[error("byte {at} is too far for a line that has not ended")]
    LineTooLong {
        /// The first byte that makes it impossible.
        at: usize,
    },
    /// The version, command, family or transport is not one that section 2.2 assigns.
    #[error("byte {at} has the unassigned value {found:#04x}")]
    Unassigned {
        /// Where.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// The header gives no addresses, and [`Options::unknown`] is off.
    #[error("byte {at} says that the header gives no addresses")]
    Unknown {
        /// Where.
        at: usize,
    },
    /// The length field of version 2 leaves no room for the addresses of the family.
    #[error("bytes 14 and 15 give a length below the {least} bytes of the addresses")]
    Length {
        /// How many bytes the addresses have.
        least: usize,
    },
    /// The length field of version 2 exceeds [`Limits::header`](crate::Limits::header).
    #[error("bytes 14 and 15 give a length beyond the limit of {limit} bytes")]
    TooLong {
        /// The limit, in bytes of the whole header.
        limit: usize,
    },
    /// A type-length-value vector does not fit the header, or a vector in it.
    #[error("the vector at byte {at} does not fit")]
    Tlv {
        /// Where its type is, or should be.
        at: usize,
    },
    /// The value of a vector has a length that its type does not allow.
    #[error("the vector {kind} at byte {at} has a length of {length}")]
    TlvLength {
        /// Where its type is.
        at: usize,
        /// Its type.
        kind: TlvKind,
        /// How many bytes its value has.
        length: usize,
    },
    /// The checksum is not that of the header.
    #[error("the checksum at byte {at} is wrong")]
    Checksum {
        /// Where it begins.
        at: usize,
    },
    /// There is a second checksum: each would have to be zero for the other.
    #[error("the vector at byte {at} is a second checksum")]
    SecondChecksum {
        /// Where its type is.
        at: usize,
    },
    /// A datagram ends before its header does.
    #[error("the datagram ends at byte {at}, within its header")]
    Truncated {
        /// How many bytes the datagram has.
        at: usize,
    },
}

impl HeaderError {
    /// Tells that more bytes are needed; no fewer than one.
    pub(crate) fn incomplete(needed: usize) -> Self {
        Self::Incomplete { needed: NonZeroUsize::new(needed).unwrap_or(NonZeroUsize::MIN) }
    }

    /// Returns which byte is wrong, or ends a datagram too early; of the length field, the first.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match *self {
            Self::Incomplete { .. } => None,
            Self::Signature { at, .. }
            | Self::Line { at, .. }
            | Self::Ipv4InTcp6 { at }
            | Self::LineTooLong { at }
            | Self::Unassigned { at, .. }
            | Self::Unknown { at }
            | Self::Tlv { at }
            | Self::TlvLength { at, .. }
            | Self::Checksum { at }
            | Self::SecondChecksum { at }
            | Self::Truncated { at } => Some(at),
            Self::Length { .. } | Self::TooLong { .. } => Some(14),
        }
    }

    /// Tells whether the peer just has not sent enough yet.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }
}
