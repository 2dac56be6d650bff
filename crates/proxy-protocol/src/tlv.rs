//! Type-length-value vectors: section 2.2 of `proxy-protocol.txt`, 2026-04-27.

use std::fmt;
use std::str::{self, Utf8Error};

use crate::{HeaderError, Ssl, checksum, ssl, v2};

/// The vectors of a header, or of the TLS vector in it, in their order.
///
/// Their framing was checked when the header was parsed. If a type occurs twice, the accessors give
/// the first vector; iteration gives all.
///
/// ```
/// use proxy_protocol::{Header, HeaderError, TlvKind};
///
/// let input = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19\x01\0\x02h2";
/// let (_, header) = Header::parse(input)?;
/// assert_eq!(header.tlvs.alpn(), Some(&b"h2"[..]));
/// assert_eq!(header.tlvs.iter().map(|tlv| tlv.kind).collect::<Vec<_>>(), [TlvKind::ALPN]);
/// # Ok::<(), HeaderError>(())
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Tlvs<'a>(&'a [u8]);

impl<'a> Tlvs<'a> {
    /// Returns an iterator over the vectors.
    #[inline]
    #[must_use]
    pub fn iter(self) -> TlvIter<'a> {
        TlvIter(self.0)
    }

    /// Returns the encoded vectors.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Tells whether there are no vectors.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of the first vector of a type.
    #[inline]
    #[must_use]
    pub fn get(self, kind: TlvKind) -> Option<&'a [u8]> {
        self.iter().find(|tlv| tlv.kind == kind).map(|tlv| tlv.value)
    }

    /// Returns the protocol that the client and the proxy agreed on, such as `h2` (RFC 7301).
    #[must_use]
    pub fn alpn(self) -> Option<&'a [u8]> {
        self.get(TlvKind::ALPN)
    }

    /// Returns the host name that the client asked for, as by TLS's server name indication.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] if the name is not UTF-8; [`Tlvs::get`] has its bytes.
    pub fn authority(self) -> Result<Option<&'a str>, Utf8Error> {
        self.text(TlvKind::AUTHORITY)
    }

    /// Returns the checksum; a wrong one is an error of [`Header::parse`](crate::Header::parse).
    ///
    /// ```
    /// use proxy_protocol::{Endpoints, Header, TlvKind, TlvRange, Writer};
    ///
    /// let mut buffer = [0; 256];
    /// let mut writer = Writer::new(&mut buffer, Endpoints::Local)?;
    /// writer.checksum()?.tlv(TlvKind::AUTHORITY, b"mx.example.com")?.tlv(TlvKind::UNIQUE_ID, b"17")?;
    /// writer.tlv(TlvKind::NETNS, b"blue")?.tlv(TlvKind::AWS, b"\x01vpce-0")?;
    /// writer.tlv(TlvKind::AZURE, &[1, 7, 0, 0, 0])?.tlv(TlvKind::GCP, &[0, 0, 0, 0, 0, 0, 0, 9])?;
    /// let (_, header) = Header::parse(writer.finish())?;
    /// let tlvs = header.tlvs;
    /// assert!(tlvs.crc32c().is_some() && !tlvs.is_empty() && tlvs.as_bytes().len() > 40);
    /// assert_eq!((tlvs.authority()?, tlvs.netns()?), (Some("mx.example.com"), Some("blue")));
    /// assert_eq!((tlvs.unique_id(), tlvs.aws_vpce_id()), (Some(&b"17"[..]), Some(&b"vpce-0"[..])));
    /// assert_eq!((tlvs.azure_link_id(), tlvs.gcp_psc_connection_id()), (Some(7), Some(9)));
    /// assert_eq!((TlvKind::AWS.range(), TlvKind::ALPN.range()), (TlvRange::Custom, TlvRange::Protocol));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn crc32c(self) -> Option<u32> {
        self.get(TlvKind::CRC32C)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// Returns the proxy's identifier of the connection, at most 128 bytes.
    #[must_use]
    pub fn unique_id(self) -> Option<&'a [u8]> {
        self.get(TlvKind::UNIQUE_ID)
    }

    /// Returns the client's TLS, as the proxy reports it.
    #[must_use]
    pub fn ssl(self) -> Option<Ssl<'a>> {
        self.iter().find_map(Tlv::ssl)
    }

    /// Returns the name of the network namespace.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] if the name is not UTF-8; [`Tlvs::get`] has its bytes.
    pub fn netns(self) -> Result<Option<&'a str>, Utf8Error> {
        self.text(TlvKind::NETNS)
    }

    /// Returns Amazon's identifier of the VPC endpoint, such as `vpce-08d2bf15fac5001c9`.
    #[must_use]
    pub fn aws_vpce_id(self) -> Option<&'a [u8]> {
        self.get(TlvKind::AWS)?.strip_prefix(&[1])
    }

    /// Returns Azure's link identifier of the private endpoint.
    #[must_use]
    pub fn azure_link_id(self) -> Option<u32> {
        let id = self.get(TlvKind::AZURE)?.strip_prefix(&[1])?;
        id.try_into().ok().map(u32::from_le_bytes)
    }

    /// Returns Google's connection identifier of Private Service Connect.
    #[must_use]
    pub fn gcp_psc_connection_id(self) -> Option<u64> {
        self.get(TlvKind::GCP)?.try_into().ok().map(u64::from_be_bytes)
    }

    pub(crate) fn text(self, kind: TlvKind) -> Result<Option<&'a str>, Utf8Error> {
        self.get(kind).map(str::from_utf8).transpose()
    }

    /// Takes vectors whose framing was checked.
    pub(crate) fn framed(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes the vectors of a complete header, from byte `at` on, if they are valid.
    #[inline]
    pub(crate) fn check(header: &'a [u8], at: usize) -> Result<Self, HeaderError> {
        let block = header.get(at..).unwrap_or_default();
        let mut sum = None;
        let mut rest = block;
        while let Some((behind, Tlv { kind, value })) = split(rest) {
            let at = header.len() - rest.len();
            let wrong = HeaderError::TlvLength { at, kind, length: value.len() };
            match kind {
                TlvKind::CRC32C if sum.is_some() => return Err(HeaderError::SecondChecksum { at }),
                // Summed up at once: the processor can do that beside what follows.
                TlvKind::CRC32C => {
                    let field = value.try_into().map_err(|_| wrong)?;
                    sum = Some((at + TLV, checksum::fits(header, at + TLV, field)));
                }
                TlvKind::UNIQUE_ID if value.len() > MAX_UNIQUE_ID => return Err(wrong),
                TlvKind::SSL => match ssl::check(value) {
                    Ok(()) => {}
                    Err(0) => return Err(wrong),
                    Err(within) => return Err(HeaderError::Tlv { at: at + TLV + within }),
                },
                _ => {}
            }
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(HeaderError::Tlv { at: header.len() - rest.len() });
        }
        match sum {
            Some((at, false)) => Err(HeaderError::Checksum { at }),
            _ => Ok(Self(block)),
        }
    }

    /// Takes the vectors of a header whose block may hold anything; returns no vectors unless the
    /// block consists of valid vectors only. A checksum among them is verified.
    pub(crate) fn check_opaque(header: &'a [u8]) -> Result<Self, HeaderError> {
        match Self::check(header, v2::START) {
            Err(HeaderError::Checksum { at }) => Err(HeaderError::Checksum { at }),
            checked => Ok(checked.unwrap_or_default()),
        }
    }
}

impl fmt::Debug for Tlvs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    #[inline]
    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

/// An iterator over the vectors of a header.
#[derive(Clone, Debug)]
pub struct TlvIter<'a>(&'a [u8]);

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    #[inline]
    fn next(&mut self) -> Option<Tlv<'a>> {
        let (rest, tlv) = split(self.0)?;
        self.0 = rest;
        Some(tlv)
    }
}

/// A type and a value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Tlv<'a> {
    /// The type.
    pub kind: TlvKind,
    /// The value, undecoded.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Returns the client's TLS, if this is its vector.
    #[inline]
    #[must_use]
    pub fn ssl(self) -> Option<Ssl<'a>> {
        if self.kind == TlvKind::SSL { Ssl::new(self.value) } else { None }
    }
}

/// Takes the vector at the start, if it is complete.
#[inline]
pub(crate) fn split(input: &[u8]) -> Option<(&[u8], Tlv<'_>)> {
    let (&[kind, high, low], behind) = input.split_first_chunk()?;
    let (value, rest) = behind.split_at_checked(u16::from_be_bytes([high, low]).into())?;
    Some((rest, Tlv { kind: TlvKind(kind), value }))
}

/// The type of a vector: section 2.2 and, for the vendors', their documentation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TlvKind(u8);

impl TlvKind {
    /// The protocol that the client and the proxy agreed on.
    pub const ALPN: Self = Self(0x01);
    /// The host name that the client asked for.
    pub const AUTHORITY: Self = Self(0x02);
    /// The checksum of the header.
    pub const CRC32C: Self = Self(0x03);
    /// Padding, to be ignored.
    pub const NOOP: Self = Self(0x04);
    /// The proxy's identifier of the connection.
    pub const UNIQUE_ID: Self = Self(0x05);
    /// The client's TLS: an [`Ssl`].
    pub const SSL: Self = Self(0x20);
    /// Within [`TlvKind::SSL`], the version of TLS.
    pub const SSL_VERSION: Self = Self(0x21);
    /// Within [`TlvKind::SSL`], the common name in the client's certificate.
    pub const SSL_CN: Self = Self(0x22);
    /// Within [`TlvKind::SSL`], the cipher.
    pub const SSL_CIPHER: Self = Self(0x23);
    /// Within [`TlvKind::SSL`], the algorithm that the proxy's certificate is signed with.
    pub const SSL_SIG_ALG: Self = Self(0x24);
    /// Within [`TlvKind::SSL`], the algorithm of the key in the proxy's certificate.
    pub const SSL_KEY_ALG: Self = Self(0x25);
    /// Within [`TlvKind::SSL`], the group of the key exchange.
    pub const SSL_GROUP: Self = Self(0x26);
    /// Within [`TlvKind::SSL`], the scheme that the proxy signed the handshake with.
    pub const SSL_SIG_SCHEME: Self = Self(0x27);
    /// Within [`TlvKind::SSL`], the client's certificate in DER.
    pub const SSL_CLIENT_CERT: Self = Self(0x28);
    /// The name of the network namespace.
    pub const NETNS: Self = Self(0x30);
    /// Google's connection identifier of Private Service Connect.
    pub const GCP: Self = Self(0xe0);
    /// Amazon's identifiers; the first byte of the value is their kind.
    pub const AWS: Self = Self(0xea);
    /// Azure's identifiers; the first byte of the value is their kind.
    pub const AZURE: Self = Self(0xee);

    /// Takes the number of a type.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Returns the range that the type belongs to.
    #[must_use]
    pub const fn range(self) -> TlvRange {
        match self.0 {
            0xe0..=0xef => TlvRange::Custom,
            0xf0..=0xf7 => TlvRange::Experimental,
            0xf8..=0xff => TlvRange::Future,
            _ => TlvRange::Protocol,
        }
    }
}

impl fmt::Display for TlvKind {
    /// Writes the number, as `0x20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// The ranges of types: section 2.2.8.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TlvRange {
    /// Types of the protocol, assigned or not.
    Protocol,
    /// Types of applications, never of the protocol; vendors use these.
    Custom,
    /// Types for experiments.
    Experimental,
    /// Types reserved for an extension of the protocol.
    Future,
}

/// The length of a vector's type and length field.
pub(crate) const TLV: usize = 3;

/// The most bytes of a unique identifier: section 2.2.5.
pub(crate) const MAX_UNIQUE_ID: usize = 128;
