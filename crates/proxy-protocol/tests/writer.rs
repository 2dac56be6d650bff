//! Headers written, and read again.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;
use proxy_protocol::{
    Endpoints, Header, Options, Ssl, TlvKind, Transport, UnixAddress, Version, WriteError, Writer,
};

fn inet(source: &str, destination: &str) -> Endpoints<'static> {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    Endpoints::Inet { transport: Transport::Stream, source, destination }
}

#[test]
fn lines() {
    for (source, destination, line) in [
        ("192.0.2.1:56324", "198.51.100.2:25", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n"),
        ("0.0.0.0:0", "255.100.10.1:65535", "PROXY TCP4 0.0.0.0 255.100.10.1 0 65535\r\n"),
        ("[::]:1", "[::1]:10", "PROXY TCP6 :: ::1 1 10\r\n"),
        ("[1::]:100", "[1::1]:9999", "PROXY TCP6 1:: 1::1 100 9999\r\n"),
        // RFC 5952 section 4.2: one zero stays, the longest run goes, the first of two alike.
        ("[1:0:2::]:1", "[1:0:2:0:0:3:0:0]:2", "PROXY TCP6 1:0:2:: 1:0:2::3:0:0 1 2\r\n"),
        ("[::1:0:0:0:0]:1", "[0:0:1:2:3:4::]:2", "PROXY TCP6 0:0:0:1:: ::1:2:3:4:0:0 1 2\r\n"),
        ("[::ffff:192.0.2.1]:1", "[ABCD:ef::]:2", "PROXY TCP6 ::ffff:c000:201 abcd:ef:: 1 2\r\n"),
    ] {
        let header = Header::new(Version::V1, inet(source, destination));
        let mut out = Vec::new();
        header.write_to(&mut out).unwrap();
        assert_eq!(out.escape_ascii().to_string(), line.escape_default().to_string());
        assert_eq!(Header::parse(&out), Ok((&[][..], header)));
    }
}

#[test]
fn blocks() {
    let name = [b'a'; UnixAddress::LEN];
    let unix = UnixAddress::new(&name);
    for (endpoints, family, length) in [
        (Endpoints::Local, [0x20, 0x00], 16),
        (Endpoints::Unknown, [0x21, 0x00], 16),
        (inet("192.0.2.1:1", "192.0.2.2:2"), [0x21, 0x11], 28),
        (inet("[2001:db8::1]:1", "[::]:2"), [0x21, 0x21], 52),
        (
            Endpoints::Unix { transport: Transport::Datagram, source: unix, destination: unix },
            [0x21, 0x32],
            232,
        ),
    ] {
        let (header, mut out) = (Header::new(Version::V2, endpoints), [0; 232]);
        assert_eq!(header.write(&mut out), Ok(length));
        assert_eq!(out[12..14], family);
        assert_eq!(Header::parse(&out[..length]), Ok((&[][..], header)));
        assert_eq!(header.write(&mut out[..length]), Ok(length));
        let small = WriteError::BufferTooSmall { needed: length };
        assert_eq!(header.write(&mut out[..length - 1]), Err(small));
    }
}

#[test]
fn what_cannot_be_written() {
    let with_tlv = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\x03\x04\0\0";
    let (_, mut with_tlv) = Header::parse(with_tlv).unwrap();
    with_tlv.version = Version::V1;
    let mixed = inet("192.0.2.1:1", "[::1]:2");
    for (header, error) in [
        (Header::new(Version::V1, mixed), WriteError::MixedFamilies),
        (Header::new(Version::V2, mixed), WriteError::MixedFamilies),
        (Header::new(Version::V1, Endpoints::Local), WriteError::NotInVersion1),
        (with_tlv, WriteError::NotInVersion1),
    ] {
        let mut out = b"before".to_vec();
        assert_eq!(header.write_to(&mut out), Err(error));
        assert_eq!(out, b"before");
    }
    let line = Header::new(Version::V1, Endpoints::Unknown);
    assert_eq!(line.write(&mut [0; 14]), Err(WriteError::BufferTooSmall { needed: 15 }));
}

/// Section 2.1: other transports than TCP4 and TCP6 are UNKNOWN.
#[test]
fn version_1_knows_tcp_only() {
    let name = [0; UnixAddress::LEN];
    let unix = UnixAddress::new(&name);
    let (source, destination) = ("[::]:1".parse().unwrap(), "[::]:2".parse().unwrap());
    for endpoints in [
        Endpoints::Unknown,
        Endpoints::Inet { transport: Transport::Datagram, source, destination },
        Endpoints::Unix { transport: Transport::Stream, source: unix, destination: unix },
    ] {
        let mut out = Vec::new();
        Header::new(Version::V1, endpoints).write_to(&mut out).unwrap();
        assert_eq!(out, b"PROXY UNKNOWN\r\n");
    }
}

#[test]
fn every_vector_comes_back() {
    let mut buffer = [0; 4096];
    let mut writer = Writer::new(&mut buffer, inet("192.0.2.1:1", "192.0.2.2:2")).unwrap();
    let id = [7; 128];
    writer.tlv(TlvKind::ALPN, b"h2").unwrap();
    writer.tlv(TlvKind::AUTHORITY, "bücher.example".as_bytes()).unwrap();
    writer.tlv(TlvKind::CRC32C, b"").unwrap().tlv(TlvKind::UNIQUE_ID, &id).unwrap();
    let mut ssl = writer.ssl(Ssl::CLIENT_SSL | Ssl::CLIENT_CERT_CONN, 0).unwrap();
    for (kind, value) in SSL {
        ssl.tlv(kind, value).unwrap();
    }
    writer.tlv(TlvKind::NETNS, b"blue").unwrap().tlv(TlvKind::AWS, b"\x01vpce-1").unwrap();
    writer.tlv(TlvKind::AZURE, b"\x01\x04\x03\x02\x01").unwrap();
    writer.tlv(TlvKind::GCP, &9_u64.to_be_bytes()).unwrap();
    writer.pad_to(1024).unwrap();
    let written = writer.finish();
    assert_eq!(written.len(), 1024);

    let (rest, header) = Header::parse(written).unwrap();
    assert_eq!(rest, b"");
    let tlvs = header.tlvs;
    assert_eq!(tlvs.alpn(), Some(&b"h2"[..]));
    assert_eq!(tlvs.authority(), Ok(Some("bücher.example")));
    assert!(tlvs.crc32c().is_some());
    assert_eq!(tlvs.unique_id(), Some(&id[..]));
    assert_eq!(tlvs.netns(), Ok(Some("blue")));
    assert_eq!(tlvs.aws_vpce_id(), Some(&b"vpce-1"[..]));
    assert_eq!(tlvs.azure_link_id(), Some(0x0102_0304));
    assert_eq!(tlvs.gcp_psc_connection_id(), Some(9));
    let ssl = tlvs.ssl().unwrap();
    assert!(ssl.is_tls() && ssl.has_connection_certificate() && !ssl.has_session_certificate());
    assert!(ssl.is_verified());
    assert_eq!(ssl.version(), Ok(Some("TLSv1.3")));
    assert_eq!(ssl.common_name(), Ok(Some("client.example")));
    assert_eq!(ssl.cipher(), Ok(Some("TLS_AES_256_GCM_SHA384")));
    assert_eq!(ssl.signature_algorithm(), Ok(Some("RSA-SHA256")));
    assert_eq!(ssl.key_algorithm(), Ok(Some("RSA2048")));
    assert_eq!(ssl.group(), Ok(Some("secp256r1")));
    assert_eq!(ssl.signature_scheme(), Ok(Some("rsa_pss_rsae_sha256")));
    assert_eq!(ssl.client_certificate(), Some(&b"\x30\x00"[..]));
    assert_eq!(ssl.tlvs.iter().count(), SSL.len());

    let mut again = [0; 1024];
    assert_eq!(header.write(&mut again), Ok(1024));
    assert_eq!(again, written);
}

const SSL: [(TlvKind, &[u8]); 8] = [
    (TlvKind::SSL_VERSION, b"TLSv1.3"),
    (TlvKind::SSL_CN, b"client.example"),
    (TlvKind::SSL_CIPHER, b"TLS_AES_256_GCM_SHA384"),
    (TlvKind::SSL_SIG_ALG, b"RSA-SHA256"),
    (TlvKind::SSL_KEY_ALG, b"RSA2048"),
    (TlvKind::SSL_GROUP, b"secp256r1"),
    (TlvKind::SSL_SIG_SCHEME, b"rsa_pss_rsae_sha256"),
    (TlvKind::SSL_CLIENT_CERT, b"\x30\x00"),
];

#[test]
fn a_vector_that_does_not_fit_changes_nothing() {
    let mut buffer = [0; 64];
    let mut writer = Writer::new(&mut buffer, Endpoints::Local).unwrap();
    writer.checksum().unwrap();
    let id = TlvKind::UNIQUE_ID;
    let small = WriteError::BufferTooSmall { needed: 65 };
    assert_eq!(writer.tlv(TlvKind::ALPN, &[0; 39]).unwrap_err(), small);
    assert_eq!(writer.tlv(TlvKind::NOOP, &vec![0; 65_536]).unwrap_err(), WriteError::TooLong);
    let error = WriteError::TlvLength { kind: id, length: 129 };
    assert_eq!(writer.tlv(id, &[0; 129]).unwrap_err(), error);
    assert_eq!(writer.tlv(TlvKind::SSL, b"\0\0\0\0").unwrap_err(), WriteError::Ssl);
    assert_eq!(writer.tlv(TlvKind::SSL, b"\0\0\0\0\0\x21").unwrap_err(), WriteError::Ssl);
    assert_eq!(writer.checksum().unwrap_err(), WriteError::SecondChecksum);
    for length in [0, 22, 24, 25] {
        assert_eq!(writer.pad_to(length).unwrap_err(), WriteError::Padding);
    }
    writer.pad_to(23).unwrap();
    let header = writer.finish();
    assert_eq!(header.len(), 23);
    assert!(Header::parse(header).unwrap().1.tlvs.crc32c().is_some());
}

#[test]
fn the_longest_header() {
    let mut buffer = vec![0; 70_000];
    let mut writer = Writer::new(&mut buffer, Endpoints::Local).unwrap();
    assert_eq!(writer.pad_to(65_552).unwrap_err(), WriteError::TooLong);
    writer.pad_to(65_551).unwrap();
    let header = writer.finish();
    let mut options = Options::default();
    options.limits.header = header.len();
    let (rest, header) = Header::parse_with(header, &options).unwrap();
    assert_eq!((rest, header.tlvs.iter().count()), (&[][..], 1));
    let mut again = Vec::new();
    header.write_to(&mut again).unwrap();
    assert_eq!(again.len(), 65_551);
}

fn addresses() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    // Few non-zero groups, as in real addresses, so that zeros can be shortened.
    let group = prop_oneof![Just(0_u16), any::<u16>(), 0..256_u16];
    let v6 = (vec(group.clone(), 8), any::<u16>()).prop_map(|(groups, port)| {
        let groups: [u16; 8] = groups.try_into().unwrap();
        SocketAddr::from((Ipv6Addr::from(groups), port))
    });
    let v4 = any::<(u32, u16)>();
    let v4 = v4.prop_map(|(ip, port)| SocketAddr::from((Ipv4Addr::from_bits(ip), port)));
    prop_oneof![(v4.clone(), v4), (v6.clone(), v6)]
}

proptest! {
    #[test]
    fn written_and_read_is_the_same((source, destination) in addresses(), datagram: bool) {
        for version in [Version::V1, Version::V2] {
            let udp = datagram && version == Version::V2;
            let transport = if udp { Transport::Datagram } else { Transport::Stream };
            let endpoints = Endpoints::Inet { transport, source, destination };
            let (header, mut out) = (Header::new(version, endpoints), Vec::new());
            header.write_to(&mut out).unwrap();
            out.extend(b"behind");
            prop_assert_eq!(Header::parse(&out), Ok((&b"behind"[..], header)));
        }
    }

    /// The standard library writes and reads the same addresses.
    #[test]
    fn lines_are_those_of_the_standard_library((source, destination) in addresses()) {
        let (ip, to) = (source.ip(), destination.ip());
        let tcp = if ip.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!("PROXY {tcp} {ip} {to} {} {}\r\n", source.port(), destination.port());
        let transport = Transport::Stream;
        let header = Header::new(Version::V1, Endpoints::Inet { transport, source, destination });
        prop_assert_eq!(Header::parse(line.as_bytes()), Ok((&[][..], header)));
        let mut out = Vec::new();
        header.write_to(&mut out).unwrap();
        // `::ffff:192.0.2.1` is the one form that the two write differently.
        if !line.contains(':') || !line.contains('.') {
            prop_assert_eq!(String::from_utf8(out).unwrap(), line);
        }
    }

    #[test]
    fn vectors_come_back(tlvs in vec((0..=255_u8, vec(any::<u8>(), 0..40)), 0..20), sum: bool) {
        let mut buffer = [0; 2048];
        let mut writer = Writer::new(&mut buffer, Endpoints::Unknown).unwrap();
        let mut kept = Vec::new();
        for (kind, value) in tlvs {
            if kind != TlvKind::CRC32C.get() && writer.tlv(TlvKind::new(kind), &value).is_ok() {
                kept.push((kind, value));
            }
        }
        if sum {
            writer.checksum().unwrap();
        }
        let (_, header) = Header::parse(writer.finish()).unwrap();
        let found = header.tlvs.iter().filter(|tlv| tlv.kind != TlvKind::CRC32C);
        let found: Vec<_> = found.map(|tlv| (tlv.kind.get(), tlv.value.to_vec())).collect();
        prop_assert_eq!(found, kept);
        prop_assert_eq!(header.tlvs.crc32c().is_some(), sum);
    }

    #[test]
    fn a_line_is_read_as_the_standard_library_reads_it(text in "[0-9a-f:.]{0,24}") {
        let line = format!("PROXY TCP6 {text} {text} 1 2\r\n");
        let ours = Header::parse(line.as_bytes()).is_ok();
        prop_assert_eq!(ours, text.parse::<Ipv6Addr>().is_ok(), "{}", text);
        let line = format!("PROXY TCP4 {text} {text} 1 2\r\n");
        let ours = Header::parse(line.as_bytes()).is_ok();
        prop_assert_eq!(ours, text.parse::<Ipv4Addr>().is_ok(), "{}", text);
    }
}
