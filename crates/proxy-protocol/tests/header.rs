//! Headers cut short, wrong ones, and how much of them it takes to tell.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::net::SocketAddr;

use proxy_protocol::{Endpoints, Header, HeaderError, Options, TlvKind, Transport, Version};

const TCP4: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19";

#[test]
fn version_1() {
    let (rest, header) = Header::parse(b"PROXY TCP6 2001:db8::1 ::25 56324 25\r\nEHLO").unwrap();
    assert_eq!(rest, b"EHLO");
    assert_eq!(header.version, Version::V1);
    assert!(header.tlvs.is_empty());
    let source: SocketAddr = "[2001:db8::1]:56324".parse().unwrap();
    let destination: SocketAddr = "[::25]:25".parse().unwrap();
    let transport = Transport::Stream;
    assert_eq!(header.endpoints, Endpoints::Inet { transport, source, destination });
}

#[test]
fn the_two_versions_can_be_told_apart_by_name() {
    let (options, line) = (Options::default(), b"PROXY UNKNOWN\r\n");
    assert!(Header::parse_v1(line, &options).is_ok());
    assert!(Header::parse_v2(TCP4, &options).is_ok());
    let error = HeaderError::Signature { at: 0, found: b'P' };
    assert_eq!(Header::parse_v2(line, &options), Err(error));
    let error = HeaderError::Signature { at: 0, found: b'\r' };
    assert_eq!(Header::parse_v1(TCP4, &options), Err(error));
}

#[test]
fn what_is_needed_at_least() {
    for (input, needed) in [
        (&b""[..], 15), // PROXY UNKNOWN and CRLF
        (b"P", 14),
        (b"\r", 15), // LOCAL
        (b"PROXY ", 9),
        (b"PROXY U", 8),
        (b"PROXY T", 15), // TCP6 :: :: 0 0
        (b"PROXY TCP4", 22),
        (b"PROXY TCP4 ", 21), // 0.0.0.0 0.0.0.0 0 0
        (b"PROXY TCP4 1", 20),
        (b"PROXY TCP4 1.", 19),
        (b"PROXY TCP4 1.2.3.4", 14),
        (b"PROXY TCP4 1.2.3.4 ", 13), // 0.0.0.0 0 0
        (b"PROXY TCP4 1.2.3.4 1.2.3.4", 6),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 ", 5),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1", 4),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 ", 3),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2", 2),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r", 1),
        (b"PROXY TCP6 ", 11),
        (b"PROXY TCP6 :", 10),
        (b"PROXY TCP6 ::", 9),
        (b"PROXY TCP6 ::1:", 10),
        (b"PROXY TCP6 1", 11),
        (b"PROXY TCP6 1:2:3:4:5:6:7", 11),
        (b"PROXY TCP6 1:2:3:4:5:6:7:", 10),
        (b"PROXY TCP6 1:2:3:4:5:6:7:8", 9),
        (b"PROXY TCP6 ::ffff:1.", 14),
        (b"PROXY TCP6 :: ", 8),
        (b"PROXY TCP6 :: ::", 6),
        (b"PROXY TCP6 :: :: ", 5),
        (b"PROXY UNKNOWN", 2),
        (b"PROXY UNKNOWN\r", 1),
        (b"PROXY UNKNOWN ", 2),
        (b"PROXY UNKNOWN a\r", 1),
        (&TCP4[..15], 1),
        (&TCP4[..16], 12),
        (&TCP4[..20], 8),
    ] {
        let error = Header::parse(input).unwrap_err();
        let name = input.escape_ascii();
        let HeaderError::Incomplete { needed: found } = error else { panic!("{name}: {error}") };
        assert_eq!(found.get(), needed, "{name}");
    }
}

#[test]
fn every_prefix_is_incomplete() {
    for header in [
        TCP4,
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        b"PROXY TCP6 2001:DB8:0:1:1:1:1:1 ::ffff:192.0.2.1 1 2\r\n",
        b"PROXY UNKNOWN \r \n \xff\r\n",
    ] {
        for end in 0..header.len() {
            let error = Header::parse(&header[..end]).unwrap_err();
            assert!(
                matches!(error, HeaderError::Incomplete { needed } if end + needed.get() <= header.len()),
                "after {end} bytes: {error}"
            );
        }
    }
}

/// Lines, and the byte that cannot belong.
const BAD_LINES: &[(&str, usize)] = &[
    ("EHLO", 0),
    ("PROXI", 4),
    ("PROXY\r\n", 5),
    ("PROXYTCP4 ", 5),
    ("PROXY  TCP4", 6),
    ("PROXY tcp4", 6),
    ("PROXY UDP4", 7),
    ("PROXY TCP5", 9),
    ("PROXY TCP44", 10),
    ("PROXY TCP4\r", 10),
    ("PROXY UNKNOWNX", 13),
    ("PROXY UNKNOWN\n", 13),
    ("PROXY UNKNOWN\rx", 14),
    ("PROXY TCP4  1", 11),
    ("PROXY TCP4 256", 13), // the third digit is one too many
    ("PROXY TCP4 1921", 14),
    ("PROXY TCP4 01", 12), // no leading zero
    ("PROXY TCP4 1..", 13),
    ("PROXY TCP4 1.2.3 ", 16),
    ("PROXY TCP4 1.2.3.4.", 18),
    ("PROXY TCP4 ::1", 11),
    ("PROXY TCP4 1.2.3.4\t", 18),
    ("PROXY TCP4 1.2.3.4 1.2.3.4\r", 26),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 +", 27),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 65536", 31),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 123456", 32),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 00", 28),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 ", 30),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", 30),
    ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rE", 31),
    ("PROXY TCP6 :1", 12),
    ("PROXY TCP6 :::", 13),
    ("PROXY TCP6 1::2::", 16),
    ("PROXY TCP6 1:2:3 ", 16),
    ("PROXY TCP6 1:2:3:4:5:6:7:8:", 26),
    ("PROXY TCP6 1:2:3:4:5:6:7: ", 25),
    ("PROXY TCP6 1:2:3:4:5:6:7::8", 26), // `::` stands for one group at least
    ("PROXY TCP6 ::1:2:3:4:5:6:7:", 26),
    ("PROXY TCP6 12345", 15),
    ("PROXY TCP6 g", 11),
    ("PROXY TCP6 1:2:3:4:5:1.", 22),
    ("PROXY TCP6 1:2:3:4:5:6:7:1.", 26),
    ("PROXY TCP6 ::1:2:3:4:5:6:1.", 26),
    ("PROXY TCP6 ::256.", 16),
    ("PROXY TCP6 ::a.", 14),
    ("PROXY TCP6 ::1.256", 17),
    ("PROXY TCP6 ::1.2.3 ", 18),
    ("PROXY TCP6 ::1%", 14),
    ("PROXY TCP6 [", 11),
];

/// The byte that is named is the first that cannot belong: the bytes before it are incomplete, and
/// with it the error occurs, with any rest.
#[test]
fn bad_lines() {
    for (line, at) in BAD_LINES.iter().copied() {
        let found = line.as_bytes()[at];
        let error = if at < 6 {
            HeaderError::Signature { at, found }
        } else {
            HeaderError::Line { at, found }
        };
        assert_final(line.as_bytes(), at, error);
    }
}

#[test]
fn a_line_ends_within_107_bytes() {
    let line = [&b"PROXY UNKNOWN "[..], &[b'x'; 120]].concat();
    assert_final(&line, 105, HeaderError::LineTooLong { at: 105 });
    let line = [&line[..105], b"\rx"].concat();
    assert_final(&line, 106, HeaderError::LineTooLong { at: 106 });
    let line = [&line[..105], b"\r\n"].concat();
    assert_eq!(Header::parse(&line).unwrap().0, b"");
    let (rest, header) = Header::parse(b"PROXY UNKNOWN some text\r\nEHLO a.test\r\n").unwrap();
    assert_eq!((rest, header.endpoints), (&b"EHLO a.test\r\n"[..], Endpoints::Unknown));
}

#[test]
fn bad_blocks() {
    let body = |body: &[u8]| {
        let length = u16::try_from(12 + body.len()).unwrap().to_be_bytes();
        [&TCP4[..14], &length, &TCP4[16..], body].concat()
    };
    let ssl = TlvKind::SSL;
    for (input, at, error) in [
        (with(0, b'\n'), 0, HeaderError::Signature { at: 0, found: b'\n' }),
        (with(4, b' '), 4, HeaderError::Signature { at: 4, found: b' ' }),
        (with(12, 0x11), 12, HeaderError::Unassigned { at: 12, found: 0x11 }),
        (with(12, 0x22), 12, HeaderError::Unassigned { at: 12, found: 0x22 }),
        (with(13, 0x41), 13, HeaderError::Unassigned { at: 13, found: 0x41 }),
        (with(13, 0x13), 13, HeaderError::Unassigned { at: 13, found: 0x13 }),
        (with(14, 0x10), 14, HeaderError::TooLong { limit: 4096 }),
        (with(15, 11), 15, HeaderError::Length { least: 12 }),
        (with(13, 0x21), 15, HeaderError::Length { least: 36 }),
        (with(13, 0x32), 15, HeaderError::Length { least: 216 }),
        (body(b"\x04"), 28, HeaderError::Tlv { at: 28 }),
        (body(b"\x04\0\x01"), 30, HeaderError::Tlv { at: 28 }),
        (body(b"\x04\0\0\x04\0"), 32, HeaderError::Tlv { at: 31 }),
        (
            body(b"\x20\0\x04\x01\0\0\0"),
            34,
            HeaderError::TlvLength { at: 28, kind: ssl, length: 4 },
        ),
        (body(b"\x20\0\x07\x01\0\0\0\0\x21\0"), 37, HeaderError::Tlv { at: 36 }),
        (
            body(b"\x03\0\x03\0\0\0"),
            33,
            HeaderError::TlvLength { at: 28, kind: TlvKind::CRC32C, length: 3 },
        ),
        (
            body(&[&b"\x05\0\x81"[..], &[0; 129]].concat()),
            159,
            HeaderError::TlvLength { at: 28, kind: TlvKind::UNIQUE_ID, length: 129 },
        ),
        (body(b"\x03\0\x04\0\0\0\0"), 34, HeaderError::Checksum { at: 31 }),
        (body(b"\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0"), 41, HeaderError::SecondChecksum { at: 35 }),
    ] {
        assert_final(&input, at, error);
    }
}

/// The sender sums up, then one byte goes wrong, whichever.
#[test]
fn no_byte_of_a_header_with_a_checksum_can_change() {
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19\x03\0\x04\x7f\xab\x4a\xb2";
    assert!(Header::parse(header).is_ok());
    for at in 16..header.len() {
        for bit in 0..8 {
            let mut header = *header;
            header[at] ^= 1 << bit;
            let parsed = Header::parse(&header);
            // The type alone can turn it into a NOOP vector: then there is no checksum.
            assert!(parsed.is_err() || at == 28, "bit {bit} of byte {at}: {parsed:?}");
        }
    }
}

#[test]
fn the_size_limit() {
    let block = |length: u16| {
        let noop = (length - 15).to_be_bytes();
        let (length, value) = (length.to_be_bytes(), vec![0; usize::from(length - 15)]);
        [&TCP4[..14], &length, &TCP4[16..], b"\x04", &noop, &value].concat()
    };
    assert_eq!(Header::parse(&block(4080)).unwrap().0, b"");
    assert_final(&block(4081), 15, HeaderError::TooLong { limit: 4096 });

    let mut options = Options::default();
    options.limits.header = 200;
    assert!(Header::parse_with(&block(184), &options).is_ok());
    let error = Err(HeaderError::TooLong { limit: 200 });
    assert_eq!(Header::parse_with(&block(185), &options), error);
    // The limit is for version 2: a line may always have its 107 bytes.
    for (limit, length) in [(28, 12), (31, 15), (106, 90)] {
        options.limits.header = limit;
        let block = |length: u16| if length > 14 { block(length) } else { TCP4[..28].to_vec() };
        assert!(Header::parse_with(&block(length), &options).is_ok(), "{limit}");
        options.limits.header = limit - 1;
        let error = Err(HeaderError::TooLong { limit: limit - 1 });
        assert_eq!(Header::parse_with(&block(length), &options), error);
    }
    options.limits.header = 0;
    let line = b"PROXY TCP6 2001:db8:1111:2222:3333:4444:5555:6666 2001:db8:1111:2222:3333:4444:5555:7777 65535 65535\r\n";
    assert!(Header::parse_with(line, &options).is_ok());
}

#[test]
fn unknown_can_be_refused() {
    let mut options = Options::default();
    options.unknown = false;
    for (input, at) in [
        (&b"PROXY U"[..], 6),
        (b"PROXY UNKNOWN\r\n", 6),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x00", 13),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x10\0\0", 13),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x02\0\0", 13),
    ] {
        let error = Err(HeaderError::Unknown { at });
        assert_eq!(Header::parse_with(input, &options), error, "{}", input.escape_ascii());
    }
    // Nor is it what the least that is needed is for.
    for (input, least) in [(&b""[..], 16), (b"P", 21), (b"PROXY ", 16)] {
        let needed = std::num::NonZeroUsize::new(least).unwrap();
        let error = Err(HeaderError::Incomplete { needed });
        assert_eq!(Header::parse_with(input, &options), error, "{}", input.escape_ascii());
    }
    for input in [&b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0"[..], TCP4] {
        assert!(Header::parse_with(input, &options).is_ok());
    }
}

#[test]
fn ipv4_in_tcp6_is_refused_by_its_name() {
    for (line, at) in [
        ("PROXY TCP6 2001:db8::1 127.0.0.1 56324 25\r\n", 26),
        ("PROXY TCP6 127.0.0.1 2001:db8::1 56324 25\r\n", 14),
        ("PROXY TCP6 9.9.9.9 9.9.9.9 1 2\r\n", 12),
        ("PROXY TCP6 1.", 12),
    ] {
        assert_final(line.as_bytes(), at, HeaderError::Ipv4InTcp6 { at });
    }
    // These are not the beginning of an IPv4 address, or not in such a line.
    for (line, at) in [
        ("PROXY TCP6 1234.0.0.1 ::1 1 2\r\n", 15),
        ("PROXY TCP6 256.0.0.1 ::1 1 2\r\n", 14),
        ("PROXY TCP6 01.0.0.1 ::1 1 2\r\n", 13),
        ("PROXY TCP6 ::1 ::2 1.2 2\r\n", 20),
        ("PROXY TCP6 ab::1.2 ::2 1 2\r\n", 18),
    ] {
        let found = line.as_bytes()[at];
        assert_final(line.as_bytes(), at, HeaderError::Line { at, found });
    }
}

#[test]
fn ipv4_in_tcp6_can_be_taken() {
    let mut options = Options::default();
    options.ipv4_in_tcp6 = true;
    for (line, source, destination) in [
        ("PROXY TCP6 ::1 192.0.2.1 1 2\r\n", "[::1]:1", "192.0.2.1:2"),
        ("PROXY TCP6 192.0.2.1 ::ffff:1.2.3.4 1 2\r\n", "192.0.2.1:1", "[::ffff:1.2.3.4]:2"),
    ] {
        let (_, header) = Header::parse_with(line.as_bytes(), &options).unwrap();
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        let transport = Transport::Stream;
        assert_eq!(header.endpoints, Endpoints::Inet { transport, source, destination });
        for end in 0..line.len() {
            let error = Header::parse_with(&line.as_bytes()[..end], &options).unwrap_err();
            assert!(
                matches!(error, HeaderError::Incomplete { needed } if end + needed.get() <= line.len()),
                "after {end} bytes: {error}"
            );
        }
    }
    for (line, at) in [("PROXY TCP6 192.0.2.256", 21), ("PROXY TCP6 19g", 13)] {
        let found = line.as_bytes()[at];
        let error = Err(HeaderError::Line { at, found });
        assert_eq!(Header::parse_with(line.as_bytes(), &options), error);
    }
    assert!(Header::parse_with(b"PROXY TCP4 ::1 ::2 1 2\r\n", &options).is_err());
}

#[test]
fn a_header_is_not_split_over_datagrams() {
    let options = Options::default();
    for end in 0..TCP4.len() {
        let error = HeaderError::Truncated { at: end };
        assert_eq!(Header::parse_datagram(&TCP4[..end], &options), Err(error));
    }
    let datagram = [TCP4, b"payload"].concat();
    assert_eq!(Header::parse_datagram(&datagram, &options).unwrap().0, b"payload");
}

#[test]
fn it_is_small() {
    assert!(size_of::<Endpoints<'_>>() <= 72, "{}", size_of::<Endpoints<'_>>());
    assert!(size_of::<Header<'_>>() <= 96, "{}", size_of::<Header<'_>>());
}

fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = TCP4.to_vec();
    bytes[at] = byte;
    bytes
}

/// With the byte `at` the error occurs, with any rest; without it there is no error.
fn assert_final(input: &[u8], at: usize, error: HeaderError) {
    let name = input.escape_ascii();
    for end in 0..=at {
        let error = Header::parse(&input[..end]).unwrap_err();
        assert!(error.is_incomplete(), "{name}, {end} bytes: {error}");
    }
    for end in at + 1..=input.len() {
        assert_eq!(Header::parse(&input[..end]), Err(error), "{name}, {end} bytes");
    }
    for more in [&b"\r\n"[..], b"0", b" :: :: 0 0\r\n", &[0; 300]] {
        assert_eq!(Header::parse(&[input, more].concat()), Err(error), "{name}, and more");
    }
}
