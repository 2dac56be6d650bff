//! The header, in either version: section 2 of `proxy-protocol.txt`, 2026-04-27.

use std::num::NonZeroUsize;

use thiserror::Error;

use crate::{Endpoints, Options, TlvKind, Tlvs, v1, v2};

/// A header, borrowing from the bytes it was parsed from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Header<'a> {
    /// The format of the header.
    pub version: Version,
    /// The two ends of the connection.
    pub endpoints: Endpoints<'a>,
    /// The type-length-value vectors of version 2; empty in version 1.
    ///
    /// If the block after the fixed part has no known layout (the command LOCAL, an unspecified
    /// family), these are its vectors, provided that it consists of vectors only. With a known
    /// family but an unspecified transport they are always empty, since the end of the addresses is
    /// unknown.
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
    /// returns the bytes after it, and the header.
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
    /// The same as of [`Header::parse`].
    #[inline]
    pub fn parse_with(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        match input.first() {
            Some(b'\r') => v2::parse(input, options),
            // The shortest header is LOCAL unless UNKNOWN is accepted.
            None if !options.unknown => v2::parse(input, options),
            _ => v1::parse(input, options),
        }
    }

    /// Parses the line of version 1 at the start of `input`.
    ///
    /// # Errors
    ///
    /// The same as of [`Header::parse`]; a header of version 2 is [`HeaderError::Signature`].
    #[inline]
    pub fn parse_v1(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        v1::parse(input, options)
    }

    /// Parses the block of version 2 at the start of `input`.
    ///
    /// # Errors
    ///
    /// The same as of [`Header::parse`]; a header of version 1 is [`HeaderError::Signature`].
    #[inline]
    pub fn parse_v2(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Self), HeaderError> {
        v2::parse(input, options)
    }

    /// Parses the header at the start of a datagram; returns the payload after it, and the header.
    ///
    /// # Errors
    ///
    /// The same as of [`Header::parse`], except that an incomplete header is
    /// [`HeaderError::Truncated`]: a header must not be split over datagrams (section 2).
    ///
    /// ```
    /// use proxy_protocol::{Header, HeaderError, Options, Version};
    ///
    /// let line = b"PROXY UDP4 192.0.2.1";
    /// let options = Options::default();
    /// assert!(Header::parse_v1(b"PROXY TCP4 192.0.2.1", &options).unwrap_err().is_incomplete());
    /// assert!(matches!(Header::parse_v2(line, &options), Err(HeaderError::Signature { at: 0, .. })));
    /// let cut = Header::parse_datagram(b"\r\n\r\n\0\r\nQUIT", &options);
    /// assert_eq!(cut, Err(HeaderError::Truncated { at: 11 }));
    /// let datagram = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0payload";
    /// let (payload, header) = Header::parse_datagram(datagram, &options)?;
    /// assert_eq!((payload, header.version), (&b"payload"[..], Version::V2));
    /// # Ok::<(), HeaderError>(())
    /// ```
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
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Version {
    /// A line of text: section 2.1.
    V1,
    /// A binary block: section 2.2.
    V2,
}

/// A fault that keeps bytes from being a [`Header`].
///
/// Positions are in bytes from the start of the header; the first byte is 0.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes so far are valid, but the header continues.
    #[error("incomplete PROXY header: at least {needed} more bytes needed")]
    Incomplete {
        /// The least number of bytes to wait for. It never reaches beyond the header.
        needed: NonZeroUsize,
    },
    /// The bytes are not the start of a header.
    #[error("not a PROXY header: byte {at} is {found:#04x}")]
    Signature {
        /// The first byte that differs.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// A byte is not allowed at its position in a line of version 1.
    #[error("invalid PROXY version 1 line: byte {at} is {found:#04x}")]
    Line {
        /// The position of the byte.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// A `TCP6` line of version 1 has an IPv4 address, as some balancers write it, and
    /// [`Options::ipv4_in_tcp6`] is off.
    #[error("IPv4 address in a PROXY TCP6 line, at byte {at}")]
    Ipv4InTcp6 {
        /// The position of its first dot.
        at: usize,
    },
    /// A line of version 1 does not end within 107 bytes.
    #[error("PROXY version 1 line too long: it cannot end within 107 bytes (byte {at})")]
    LineTooLong {
        /// The first byte after which the line can no longer end in time.
        at: usize,
    },
    /// The version, command, family or transport has a value that section 2.2 does not assign.
    #[error("unassigned value {found:#04x} in the PROXY version 2 header, at byte {at}")]
    Unassigned {
        /// The position of the byte.
        at: usize,
        /// The byte there.
        found: u8,
    },
    /// The header gives no addresses, and [`Options::unknown`] is off.
    #[error("PROXY header without addresses (UNKNOWN or unspecified), at byte {at}")]
    Unknown {
        /// The position of the byte that says so.
        at: usize,
    },
    /// The length field of version 2 is less than the length of the family's addresses.
    #[error(
        "PROXY version 2 length field (bytes 14 and 15) is less than the {least} bytes of the addresses"
    )]
    Length {
        /// The length of the addresses in bytes.
        least: usize,
    },
    /// The length field of version 2 exceeds [`Limits::header`](crate::Limits::header).
    #[error(
        "PROXY version 2 header exceeds the limit of {limit} bytes, by its length field (bytes 14 and 15)"
    )]
    TooLong {
        /// The limit, in bytes of the whole header.
        limit: usize,
    },
    /// A type-length-value vector exceeds the header, or the vector around it.
    #[error("malformed PROXY TLV at byte {at}")]
    Tlv {
        /// The position of its type byte, or of the byte that should be one.
        at: usize,
    },
    /// The value of a vector has a length that its type does not allow.
    #[error("PROXY TLV {kind} has the invalid length {length}, at byte {at}")]
    TlvLength {
        /// The position of its type byte.
        at: usize,
        /// Its type.
        kind: TlvKind,
        /// The length of its value in bytes.
        length: usize,
    },
    /// The checksum differs from the checksum of the header.
    #[error("wrong CRC32c checksum in the PROXY header, at byte {at}")]
    Checksum {
        /// The position of the checksum.
        at: usize,
    },
    /// The header has a second checksum: each would have to count as zeros for the other.
    #[error("second CRC32c checksum in the PROXY header, at byte {at}")]
    SecondChecksum {
        /// The position of its type byte.
        at: usize,
    },
    /// A datagram ends before its header.
    #[error("datagram ends within its PROXY header, at byte {at}")]
    Truncated {
        /// The length of the datagram in bytes.
        at: usize,
    },
}

impl HeaderError {
    /// An incomplete header; at least one more byte is needed.
    pub(crate) fn incomplete(needed: usize) -> Self {
        Self::Incomplete { needed: NonZeroUsize::new(needed).unwrap_or(NonZeroUsize::MIN) }
    }

    /// Returns the position of the invalid byte, or the length of a truncated datagram. For the
    /// length field, it is the first of the two bytes.
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

    /// Tells whether the header is only incomplete so far.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }
}
