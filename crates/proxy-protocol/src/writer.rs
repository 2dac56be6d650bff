//! Writes headers: section 2 of `proxy-protocol.txt`, 2026-04-27.

use thiserror::Error;

use crate::tlv::{MAX_UNIQUE_ID, TLV};
use crate::{Endpoints, Header, TlvKind, Version, checksum, line, ssl, v2};

impl Header<'_> {
    /// Writes the header at the start of `out`; returns its length.
    ///
    /// It is the inverse of [`Header::parse`], with two exceptions: version 1 writes datagrams and
    /// UNIX sockets as `UNKNOWN`, since it has no form for them (section 2.1); a checksum among the
    /// vectors is computed anew. To make vectors, use a [`Writer`].
    ///
    /// # Errors
    ///
    /// [`WriteError`] if `out` is too small, or the header cannot be written; the content of `out`
    /// is then undefined.
    #[inline]
    pub fn write(&self, out: &mut [u8]) -> Result<usize, WriteError> {
        match self.version {
            Version::V1 => {
                if !self.tlvs.is_empty() {
                    return Err(WriteError::NotInVersion1);
                }
                line::write(self.endpoints, out)
            }
            Version::V2 => {
                let (tlvs, needed) = (self.tlvs.as_bytes(), v2::length(self.endpoints));
                let at = v2::write(self.endpoints, tlvs.len(), out)?;
                if tlvs.is_empty() {
                    return Ok(at);
                }
                let needed = needed + tlvs.len();
                let small = WriteError::BufferTooSmall { needed };
                out.get_mut(at..needed).ok_or(small)?.copy_from_slice(tlvs);
                let mut sum = at;
                for tlv in self.tlvs {
                    if tlv.kind == TlvKind::CRC32C {
                        let header = out.get_mut(..needed).ok_or(small)?;
                        checksum::put(header, sum + TLV);
                        break;
                    }
                    sum += TLV + tlv.value.len();
                }
                Ok(needed)
            }
        }
    }

    /// Appends the header to `out`.
    ///
    /// # Errors
    ///
    /// The same as of [`Header::write`]; `out` is then unchanged.
    ///
    /// ```
    /// use proxy_protocol::{Endpoints, Header, Transport, Version};
    ///
    /// let (source, destination) = ("192.0.2.1:5555".parse()?, "198.51.100.2:25".parse()?);
    /// let header = Header::new(Version::V1, Endpoints::Inet { transport: Transport::Stream, source, destination });
    /// let mut out = Vec::new();
    /// header.write_to(&mut out)?;
    /// assert_eq!(out, b"PROXY TCP4 192.0.2.1 198.51.100.2 5555 25\r\n");
    /// assert_eq!(header.write(&mut [0; 128])?, out.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(&self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let (before, room) = (out.len(), self.tlvs.as_bytes().len() + MAX_ADDRESSES);
        out.resize(before + room, 0);
        let written = self.write(out.get_mut(before..).unwrap_or_default());
        out.truncate(before + *written.as_ref().unwrap_or(&0));
        written.map(|_| ())
    }
}

/// Writes a header of version 2 into a buffer, vector by vector.
///
/// ```
/// use proxy_protocol::{Endpoints, Header, Ssl, TlvKind, Transport, Writer};
///
/// let endpoints = Endpoints::Inet {
///     transport: Transport::Stream,
///     source: "192.0.2.1:56324".parse()?,
///     destination: "198.51.100.2:25".parse()?,
/// };
/// let mut buffer = [0; 256];
/// let mut writer = Writer::new(&mut buffer, endpoints)?;
/// writer.checksum()?;
/// writer.tlv(TlvKind::ALPN, b"h2")?;
/// writer.ssl(Ssl::CLIENT_SSL, 1)?.tlv(TlvKind::SSL_VERSION, b"TLSv1.3")?;
/// writer.pad_to(64)?;
/// let header = writer.finish();
///
/// assert_eq!(header.len(), 64);
/// let (_, header) = Header::parse(header)?;
/// assert_eq!(header.endpoints, endpoints);
/// assert_eq!(header.tlvs.ssl().unwrap().version()?, Some("TLSv1.3"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    /// The number of bytes written.
    end: usize,
    /// The position of the checksum, if any.
    sum: Option<usize>,
}

impl<'b> Writer<'b> {
    /// Starts a header at the start of `out`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if `out` is too small, or the addresses belong to two families.
    #[inline]
    pub fn new(out: &'b mut [u8], endpoints: Endpoints<'_>) -> Result<Self, WriteError> {
        let end = v2::write(endpoints, 0, out)?;
        Ok(Self { out, end, sum: None })
    }

    /// Adds a vector. For [`TlvKind::CRC32C`] the value does not matter: [`Writer::finish`]
    /// computes it, as for [`Writer::checksum`].
    ///
    /// # Errors
    ///
    /// [`WriteError`] if it does not fit into the buffer, or the type does not allow the value: an
    /// identifier of more than 128 bytes, a malformed value of [`TlvKind::SSL`]. The header is then
    /// unchanged.
    #[inline]
    pub fn tlv(&mut self, kind: TlvKind, value: &[u8]) -> Result<&mut Self, WriteError> {
        match kind {
            TlvKind::CRC32C => return self.checksum(),
            TlvKind::UNIQUE_ID if value.len() > MAX_UNIQUE_ID => {
                return Err(WriteError::TlvLength { kind, length: value.len() });
            }
            TlvKind::SSL if ssl::check(value).is_err() => return Err(WriteError::Ssl),
            _ => {}
        }
        self.put(kind, value)?;
        Ok(self)
    }

    /// Adds a vector for the checksum, which [`Writer::finish`] computes.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if it does not fit into the buffer, or the header has a checksum. The header
    /// is then unchanged.
    pub fn checksum(&mut self) -> Result<&mut Self, WriteError> {
        if self.sum.is_some() {
            return Err(WriteError::SecondChecksum);
        }
        let at = self.end + TLV;
        self.put(TlvKind::CRC32C, &[0; 4])?;
        self.sum = Some(at);
        Ok(self)
    }

    /// Adds a vector for the client's TLS, with a writer for the vectors inside it.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if it does not fit into the buffer. The header is then unchanged.
    pub fn ssl(&mut self, client: u8, verify: u32) -> Result<SslWriter<'_, 'b>, WriteError> {
        let start = self.end;
        let [a, b, c, d] = verify.to_be_bytes();
        self.put(TlvKind::SSL, &[client, a, b, c, d])?;
        Ok(SslWriter { writer: self, start })
    }

    /// Adds padding up to a header of `length` bytes; adds nothing to a header of that length.
    ///
    /// # Errors
    ///
    /// [`WriteError::Padding`] if one or two bytes are missing, which no vector can fill, or the
    /// header is longer already; otherwise as for [`Writer::tlv`].
    pub fn pad_to(&mut self, length: usize) -> Result<&mut Self, WriteError> {
        let missing = length.checked_sub(self.end).ok_or(WriteError::Padding)?;
        if missing == 0 {
            return Ok(self);
        }
        let value = missing.checked_sub(TLV).ok_or(WriteError::Padding)?;
        let (place, value) = self.room(value)?;
        value.fill(0);
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
        *place = [TlvKind::NOOP.get(), length[0], length[1]];
        self.end += missing;
        Ok(self)
    }

    /// Ends the header, and returns it.
    #[must_use]
    pub fn finish(self) -> &'b [u8] {
        let header = self.out.get_mut(..self.end).unwrap_or_default();
        if let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, body @ ..] = header {
            let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
            [*high, *low] = length.to_be_bytes();
        }
        if let Some(at) = self.sum {
            checksum::put(header, at);
        }
        header
    }

    #[inline]
    fn put(&mut self, kind: TlvKind, value: &[u8]) -> Result<(), WriteError> {
        let (place, room) = self.room(value.len())?;
        room.copy_from_slice(value);
        let [high, low] = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
        *place = [kind.get(), high, low];
        self.end += TLV + value.len();
        Ok(())
    }

    /// The next vector's type and length, and its value, as parts of the buffer.
    #[inline]
    fn room(&mut self, value: usize) -> Result<(&mut [u8; TLV], &mut [u8]), WriteError> {
        let needed = self.end.saturating_add(TLV).saturating_add(value);
        if needed > v2::START + usize::from(u16::MAX) {
            return Err(WriteError::TooLong);
        }
        let small = WriteError::BufferTooSmall { needed };
        let room = self.out.get_mut(self.end..needed).ok_or(small)?;
        room.split_first_chunk_mut().ok_or(small)
    }
}

/// A writer for the vectors inside the vector of the client's TLS.
#[derive(Debug)]
pub struct SslWriter<'w, 'b> {
    writer: &'w mut Writer<'b>,
    /// The position of the outer vector's type.
    start: usize,
}

impl SslWriter<'_, '_> {
    /// Adds a vector.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if it does not fit into the buffer. The header is then unchanged.
    #[inline]
    pub fn tlv(&mut self, kind: TlvKind, value: &[u8]) -> Result<&mut Self, WriteError> {
        self.writer.put(kind, value)?;
        let length = self.writer.end - self.start - TLV;
        // No vector is longer than the header, whose length was checked.
        let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        if let Some([_, h, l]) = self.writer.out.get_mut(self.start..self.start + TLV) {
            (*h, *l) = (high, low);
        }
        Ok(self)
    }
}

/// The reason why a header cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The buffer is too small.
    #[error("buffer too small for the PROXY header: {needed} bytes needed")]
    BufferTooSmall {
        /// The number of bytes needed for the header so far and the next part.
        needed: usize,
    },
    /// The vectors exceed the 65 535 bytes that a header can hold after its fixed part.
    #[error("PROXY header too long for its 16-bit length field")]
    TooLong,
    /// One address is IPv4, the other IPv6: map the former (`Ipv4Addr::to_ipv6_mapped`).
    #[error("source and destination address belong to different families")]
    MixedFamilies,
    /// Version 1 has neither LOCAL nor vectors.
    #[error("PROXY version 1 has neither LOCAL nor vectors")]
    NotInVersion1,
    /// The type does not allow a value of this length.
    #[error("PROXY TLV {kind} cannot have the length {length}")]
    TlvLength {
        /// The type.
        kind: TlvKind,
        /// The length of the value in bytes.
        length: usize,
    },
    /// The value for [`TlvKind::SSL`] is malformed.
    #[error("malformed value for the PROXY TLV of type SSL (0x20)")]
    Ssl,
    /// The header already has a checksum.
    #[error("the PROXY header already has a checksum")]
    SecondChecksum,
    /// No vector fits the missing bytes: it has at least three.
    #[error("no padding can give the PROXY header the requested length")]
    Padding,
}

/// The most bytes of a header without vectors: one with UNIX sockets.
const MAX_ADDRESSES: usize = v2::START + 216;
