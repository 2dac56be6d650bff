//! Parses and writes the binary block, version 2: section 2.2 of `proxy-protocol.txt`, 2026-04-27.

use std::net::{Ipv6Addr, SocketAddr};

use crate::{
    Endpoints, Header, HeaderError, Options, Tlvs, Transport, UnixAddress, Version, WriteError,
};

pub(crate) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The length of the fixed part.
pub(crate) const START: usize = 16;

/// The length of the addresses and ports of a family.
const INET4: usize = 12;
const INET6: usize = 36;

pub(crate) const LOCAL: u8 = 0x20;
pub(crate) const PROXY: u8 = 0x21;

#[inline]
pub(crate) fn parse<'a>(
    input: &'a [u8],
    options: &Options,
) -> Result<(&'a [u8], Header<'a>), HeaderError> {
    let Some((start, behind)) = input.split_first_chunk::<START>() else {
        return Err(refuse(input, options));
    };
    let [signature @ .., command, family, high, low] = start;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some((body, rest)) = behind.split_at_checked(length) else {
        return Err(refuse(input, options));
    };
    if *signature != SIGNATURE || START + length > options.limits.header {
        return Err(refuse(input, options));
    }
    let addresses = if *command == PROXY { Addresses::split(*family, body) } else { None };
    let Some((addresses, block)) = addresses else {
        return without_addresses(input, body, options);
    };
    let tlvs = if block.is_empty() {
        Tlvs::default()
    } else {
        let header = input.get(..START + length).unwrap_or_default();
        Tlvs::check(header, header.len() - block.len())?
    };
    let header = |endpoints| Header { version: Version::V2, endpoints, tlvs };
    let transport = if *family & 0x0f == 1 { Transport::Stream } else { Transport::Datagram };
    // Read last, and each family for itself: so each is written straight to where it is wanted.
    match addresses {
        Addresses::Inet4(from, to, &[s, t, u, v]) => {
            let source = SocketAddr::new((*from).into(), u16::from_be_bytes([s, t]));
            let destination = SocketAddr::new((*to).into(), u16::from_be_bytes([u, v]));
            Ok((rest, header(Endpoints::Inet { transport, source, destination })))
        }
        Addresses::Inet6(from, to, &[s, t, u, v]) => {
            // As numbers they stay in registers; as arrays they would go through memory twice.
            let [from, to] = [from, to].map(|it| Ipv6Addr::from_bits(u128::from_be_bytes(*it)));
            let source = SocketAddr::new(from.into(), u16::from_be_bytes([s, t]));
            let destination = SocketAddr::new(to.into(), u16::from_be_bytes([u, v]));
            Ok((rest, header(Endpoints::Inet { transport, source, destination })))
        }
        Addresses::Unix(from, to) => {
            let (source, destination) = (UnixAddress::new(from), UnixAddress::new(to));
            Ok((rest, header(Endpoints::Unix { transport, source, destination })))
        }
    }
}

/// The addresses of a block, and the ports after them, as encoded.
#[derive(Clone, Copy)]
enum Addresses<'a> {
    Inet4(&'a [u8; 4], &'a [u8; 4], &'a [u8; 4]),
    Inet6(&'a [u8; 16], &'a [u8; 16], &'a [u8; 4]),
    Unix(&'a [u8; UnixAddress::LEN], &'a [u8; UnixAddress::LEN]),
}

impl<'a> Addresses<'a> {
    /// Splits the addresses of a family from the vectors after them.
    #[inline]
    fn split(family: u8, body: &'a [u8]) -> Option<(Self, &'a [u8])> {
        match family {
            0x11 | 0x12 => {
                let (source, behind) = body.split_first_chunk()?;
                let (destination, behind) = behind.split_first_chunk()?;
                let (ports, vectors) = behind.split_first_chunk()?;
                Some((Self::Inet4(source, destination, ports), vectors))
            }
            0x21 | 0x22 => {
                let (source, behind) = body.split_first_chunk()?;
                let (destination, behind) = behind.split_first_chunk()?;
                let (ports, vectors) = behind.split_first_chunk()?;
                Some((Self::Inet6(source, destination, ports), vectors))
            }
            0x31 | 0x32 => {
                let (source, behind) = body.split_first_chunk()?;
                let (destination, vectors) = behind.split_first_chunk()?;
                Some((Self::Unix(source, destination), vectors))
            }
            _ => None,
        }
    }
}

/// A complete header with the command LOCAL, without addresses, or with an invalid value.
fn without_addresses<'a>(
    input: &'a [u8],
    body: &'a [u8],
    options: &Options,
) -> Result<(&'a [u8], Header<'a>), HeaderError> {
    check_start(input, options)?;
    let (header, rest) = input.split_at_checked(START + body.len()).unwrap_or((input, &[]));
    let (endpoints, tlvs) = match (header.get(12), header.get(13)) {
        // The family is to be ignored, and with it goes the only hint at the block's layout: some
        // senders put addresses there for the family, some none.
        (Some(&LOCAL), _) => (Endpoints::Local, Tlvs::check_opaque(header)?),
        (_, Some(0x00)) => (Endpoints::Unknown, Tlvs::check_opaque(header)?),
        _ => (Endpoints::Unknown, Tlvs::default()),
    };
    Ok((rest, Header { version: Version::V2, endpoints, tlvs }))
}

/// The error of a header that cannot be accepted: its fault, or the missing bytes.
#[cold]
fn refuse(input: &[u8], options: &Options) -> HeaderError {
    if let Err(error) = check_start(input, options) {
        return error;
    }
    let length = match input {
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, ..] => {
            usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => 0,
    };
    HeaderError::incomplete((START + length).saturating_sub(input.len()))
}

/// Checks each received byte of the fixed part in order: an invalid header must not make the server
/// wait for 64 KiB.
fn check_start(input: &[u8], options: &Options) -> Result<(), HeaderError> {
    for (at, (&found, wanted)) in input.iter().zip(SIGNATURE).enumerate() {
        if found != wanted {
            return Err(HeaderError::Signature { at, found });
        }
    }
    let [command, behind @ ..] = input.get(SIGNATURE.len()..).unwrap_or_default() else {
        return Ok(());
    };
    if !matches!(*command, LOCAL | PROXY) {
        return Err(HeaderError::Unassigned { at: 12, found: *command });
    }
    let [family, behind @ ..] = behind else { return Ok(()) };
    let known = *command == PROXY; // The family of a LOCAL header is to be ignored.
    if known && !matches!((*family >> 4, *family & 0x0f), (0..=3, 0..=2)) {
        return Err(HeaderError::Unassigned { at: 13, found: *family });
    }
    let least = if known { least_body(*family) } else { Some(0) };
    let least = match least {
        Some(least) => least,
        None if options.unknown => 0,
        None => return Err(HeaderError::Unknown { at: 13 }),
    };
    let limit = options.limits.header;
    match behind {
        // The low byte can only make it longer.
        [high] | [high, _, ..] if START + (usize::from(*high) << 8) > limit => {
            Err(HeaderError::TooLong { limit })
        }
        [] | [_] => Ok(()),
        [high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
            length if START + length > limit => Err(HeaderError::TooLong { limit }),
            length if length < least => Err(HeaderError::Length { least }),
            _ => Ok(()),
        },
    }
}

/// Writes the fixed part and the addresses at the start of `out`, for this many bytes of vectors;
/// returns the number of bytes written.
#[inline]
pub(crate) fn write(
    endpoints: Endpoints<'_>,
    tlvs: usize,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    let end = length(endpoints);
    let body = u16::try_from(end - START + tlvs).map_err(|_| WriteError::TooLong)?;
    let small = WriteError::BufferTooSmall { needed: end + tlvs };
    let mut put = Put { rest: out.get_mut(..end).ok_or(small)? };
    put.bytes(&SIGNATURE);
    let [high, low] = body.to_be_bytes();
    match endpoints {
        Endpoints::Local => put.bytes(&[LOCAL, 0x00, high, low]),
        Endpoints::Unknown => put.bytes(&[PROXY, 0x00, high, low]),
        Endpoints::Inet { transport, source, destination } => {
            match (source, destination) {
                (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                    put.bytes(&[PROXY, 0x10 | bits(transport), high, low]);
                    put.bytes(&from.ip().octets());
                    put.bytes(&to.ip().octets());
                }
                (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                    put.bytes(&[PROXY, 0x20 | bits(transport), high, low]);
                    put.bytes(&from.ip().octets());
                    put.bytes(&to.ip().octets());
                }
                _ => return Err(WriteError::MixedFamilies),
            }
            put.bytes(&source.port().to_be_bytes());
            put.bytes(&destination.port().to_be_bytes());
        }
        Endpoints::Unix { transport, source, destination } => {
            put.bytes(&[PROXY, 0x30 | bits(transport), high, low]);
            put.bytes(source.as_bytes());
            put.bytes(destination.as_bytes());
        }
    }
    Ok(end)
}

/// An output buffer that ends when it is full.
struct Put<'o> {
    rest: &'o mut [u8],
}

impl Put<'_> {
    #[inline]
    fn bytes<const N: usize>(&mut self, bytes: &[u8; N]) {
        if let Some((place, rest)) = std::mem::take(&mut self.rest).split_first_chunk_mut() {
            *place = *bytes;
            self.rest = rest;
        }
    }
}

#[inline]
fn bits(transport: Transport) -> u8 {
    match transport {
        Transport::Stream => 0x01,
        Transport::Datagram => 0x02,
    }
}

/// The length of a header without vectors.
#[inline]
pub(crate) fn length(endpoints: Endpoints<'_>) -> usize {
    START
        + match endpoints {
            Endpoints::Local | Endpoints::Unknown => 0,
            Endpoints::Inet { source: SocketAddr::V4(_), .. } => INET4,
            Endpoints::Inet { source: SocketAddr::V6(_), .. } => INET6,
            Endpoints::Unix { .. } => 2 * UnixAddress::LEN,
        }
}

/// The length of the addresses, if the family has any.
fn least_body(family: u8) -> Option<usize> {
    match family {
        0x11 | 0x12 => Some(INET4),
        0x21 | 0x22 => Some(INET6),
        0x31 | 0x32 => Some(2 * UnixAddress::LEN),
        _ => None,
    }
}
