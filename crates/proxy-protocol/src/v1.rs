//! Parses the line of text, version 1: section 2.1 of `proxy-protocol.txt`, 2026-04-27.
//!
//! A valid line is read once, from left to right; functions outside this path classify every
//! invalid or incomplete line.

use std::net::{IpAddr, SocketAddr};

use crate::{Endpoints, Header, HeaderError, Options, Transport, Version, v1_address};

/// The longest line, with its CRLF.
pub(crate) const MAX_LINE: usize = 107;

#[inline]
pub(crate) fn parse<'a>(
    input: &'a [u8],
    options: &Options,
) -> Result<(&'a [u8], Header<'a>), HeaderError> {
    let parsed = match input {
        [b'P', b'R', b'O', b'X', b'Y', b' ', b'T', b'C', b'P', b'4', b' ', text @ ..] => {
            endpoints(text, |text| v1_address::ipv4(text).map(|(text, ip)| (text, ip.into())))
        }
        [b'P', b'R', b'O', b'X', b'Y', b' ', b'T', b'C', b'P', b'6', b' ', text @ ..] => {
            if options.ipv4_in_tcp6 {
                endpoints(text, v1_address::either)
            } else {
                endpoints(text, |text| v1_address::ipv6(text).map(|(text, ip)| (text, ip.into())))
            }
        }
        _ => return other(input, options),
    };
    match parsed {
        Ok((rest, endpoints)) => Ok((rest, Header::new(Version::V1, endpoints))),
        Err(stop) => Err(stop.into_error(input)),
    }
}

/// The position where a line cannot be read further, in bytes before its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineFault(pub(crate) usize);

pub(crate) type Parsed<'a, T> = Result<(&'a [u8], T), LineFault>;

impl LineFault {
    #[cold]
    fn into_error(self, input: &[u8]) -> HeaderError {
        let at = input.len() - self.0;
        match input.get(at) {
            Some(b'.') if begins_ipv4_in_tcp6(input, at) => HeaderError::Ipv4InTcp6 { at },
            Some(&found) => HeaderError::Line { at, found },
            None => HeaderError::incomplete(least_needed(input)),
        }
    }
}

/// Tells whether the unexpected dot in a `TCP6` line follows the first number of an IPv4 address.
fn begins_ipv4_in_tcp6(input: &[u8], dot: usize) -> bool {
    let before = input.get(..dot).unwrap_or_default();
    let words = before.split(|&c| c == b' ').count();
    let number = before.rsplit(|&c| c == b' ').next().unwrap_or_default();
    // Behind the two addresses are the ports.
    words <= 4 && input.starts_with(TCP6) && matches!(v1_address::octet(number), Ok(([], _)))
}

#[inline]
fn endpoints(
    text: &[u8],
    address: impl Fn(&[u8]) -> Parsed<'_, IpAddr>,
) -> Parsed<'_, Endpoints<'_>> {
    let (text, source) = address(text)?;
    let (text, destination) = address(byte(text, b' ')?)?;
    let (text, source_port) = v1_address::port(byte(text, b' ')?)?;
    let (text, destination_port) = v1_address::port(byte(text, b' ')?)?;
    let text = byte(byte(text, b'\r')?, b'\n')?;
    let source = SocketAddr::new(source, source_port);
    let destination = SocketAddr::new(destination, destination_port);
    Ok((text, Endpoints::Inet { transport: Transport::Stream, source, destination }))
}

#[inline]
pub(crate) fn byte(text: &[u8], wanted: u8) -> Result<&[u8], LineFault> {
    match text {
        [found, text @ ..] if *found == wanted => Ok(text),
        _ => Err(LineFault(text.len())),
    }
}

/// A line that is `UNKNOWN`, incomplete, or invalid.
#[cold]
fn other<'a>(input: &'a [u8], options: &Options) -> Result<(&'a [u8], Header<'a>), HeaderError> {
    let starts = [(UNKNOWN, UNKNOWN.len() + 2), (TCP6, 22), (TCP4, 32)];
    let alike = starts.map(|(start, _)| alike(input, start));
    let at = alike.into_iter().max().unwrap_or(0);
    if !options.unknown && at > TCP_AT && input.get(TCP_AT) == UNKNOWN.get(TCP_AT) {
        return Err(HeaderError::Unknown { at: TCP_AT });
    }
    if let Some(behind) = input.strip_prefix(UNKNOWN) {
        let rest = unknown(input, behind)?;
        return Ok((rest, Header::new(Version::V1, Endpoints::Unknown)));
    }
    match input.get(at) {
        Some(&found) if at < TCP_AT => Err(HeaderError::Signature { at, found }),
        Some(&found) => Err(HeaderError::Line { at, found }),
        None => {
            let known = |start: &[u8]| options.unknown || start != UNKNOWN;
            let whole = starts.iter().find(|(start, _)| start.starts_with(input) && known(start));
            let least = whole.map_or(0, |(_, least)| least - input.len());
            Err(HeaderError::incomplete(least))
        }
    }
}

const UNKNOWN: &[u8] = b"PROXY UNKNOWN";
const TCP4: &[u8] = b"PROXY TCP4 ";
const TCP6: &[u8] = b"PROXY TCP6 ";

/// The position of the protocol's name, after the signature.
const TCP_AT: usize = 6;

/// The length of the common prefix.
fn alike(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Reads up to the first CRLF within `MAX_LINE`; a single CR or LF is ordinary text, since
/// everything before the CRLF is ignored. Returns the bytes after it.
fn unknown<'a>(input: &'a [u8], behind: &'a [u8]) -> Result<&'a [u8], HeaderError> {
    let at = UNKNOWN.len();
    match behind {
        [] => return Err(HeaderError::incomplete(2)),
        [b'\r'] => return Err(HeaderError::incomplete(1)),
        [b'\r', b'\n', rest @ ..] => return Ok(rest),
        [b'\r', found, ..] => return Err(HeaderError::Line { at: at + 1, found: *found }),
        [b' ', ..] => {}
        [found, ..] => return Err(HeaderError::Line { at, found: *found }),
    }
    let line = input.get(..MAX_LINE).unwrap_or(input);
    if let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") {
        return Ok(input.get(end + 2..).unwrap_or_default());
    }
    match line.len() {
        MAX_LINE if line.get(MAX_LINE - 2) == Some(&b'\r') => {
            Err(HeaderError::LineTooLong { at: MAX_LINE - 1 })
        }
        length if length > MAX_LINE - 2 && line.get(MAX_LINE - 2) != Some(&b'\r') => {
            Err(HeaderError::LineTooLong { at: MAX_LINE - 2 })
        }
        _ if line.ends_with(b"\r") => Err(HeaderError::incomplete(1)),
        _ => Err(HeaderError::incomplete(2)),
    }
}

/// The number of bytes to add to this valid prefix for the shortest line.
fn least_needed(line: &[u8]) -> usize {
    if line.ends_with(b"\r") {
        return 1;
    }
    let v4 = line.starts_with(TCP4);
    let fields = line.get(TCP4.len()..).unwrap_or_default();
    let (last, text) = fields.split(|&c| c == b' ').enumerate().last().unwrap_or_default();
    let here = match last {
        0 | 1 if v4 => v1_address::least_ipv4(text),
        0 | 1 => v1_address::least_ipv6(text),
        _ => usize::from(text.is_empty()),
    };
    // A field after this one is a space, and `::`, `0.0.0.0` or `0`.
    let address = if v4 { 8 } else { 3 };
    here + match last {
        0 => address + 2 + 2,
        1 => 2 + 2,
        2 => 2,
        _ => 0,
    } + "\r\n".len()
}
