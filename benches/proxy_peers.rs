//! One function for each crate and task, so that all are measured alike: its result is black-boxed by
//! reference, and it tells whether it succeeded.

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

use proxy_protocol::Header;

use crate::proxy_shapes::{AUTHORITY, SSL, UNIQUE_ID, write_vectors};

/// A crate's name, and what it does with bytes.
pub(crate) type Read = (&'static str, fn(&[u8]) -> bool);
/// A crate's name, and how it writes a header for a source and a destination.
pub(crate) type Write = (&'static str, fn(SocketAddr, SocketAddr) -> bool);

/// This crate is the first in each list.
pub(crate) const PARSE: &[Read] = &[
    ("ours", |input| {
        let parsed = Header::parse(black_box(input));
        black_box(&parsed).is_ok()
    }),
    ("ppp", |input| {
        let parsed = ppp::HeaderResult::parse(black_box(input));
        match black_box(&parsed) {
            ppp::HeaderResult::V1(parsed) => parsed.is_ok(),
            ppp::HeaderResult::V2(parsed) => parsed.is_ok(),
        }
    }),
    ("proxy-header", |input| {
        let config = proxy_header::ParseConfig::default();
        let parsed = proxy_header::ProxyHeader::parse(black_box(input), config);
        black_box(&parsed).is_ok()
    }),
    ("proxy-protocol 0.5", |input| {
        let mut input = black_box(input);
        let parsed = proxy_protocol_peer::parse(&mut input);
        black_box(&parsed).is_ok()
    }),
    ("haproxy-protocol", |input| {
        let input = black_box(input);
        if input.first() == Some(&b'P') {
            let parsed = haproxy_protocol::ProxyHdrV1::parse(input)
                .map(|(used, header)| (used, header.to_remote_addr()));
            black_box(&parsed).is_ok()
        } else {
            let parsed = haproxy_protocol::ProxyHdrV2::parse(input)
                .map(|(used, header)| (used, header.to_remote_addr()));
            black_box(&parsed).is_ok()
        }
    }),
    ("proxy-protocol-codec", |input| {
        let input = black_box(input);
        if input.first() == Some(&b'P') {
            // It wants the line alone, so somebody must find its end.
            let end = input.iter().position(|&c| c == b'\n').map_or(input.len(), |end| end + 1);
            let line = input.get(..end).unwrap_or(input);
            let parsed = proxy_protocol_codec::v1::Header::decode(line);
            matches!(black_box(&parsed), Ok(proxy_protocol_codec::v1::Decoded::Some(_)))
        } else {
            let parsed = proxy_protocol_codec::v2::Header::decode(input);
            matches!(black_box(&parsed), Ok(proxy_protocol_codec::v2::Decoded::Some(_)))
        }
    }),
];

/// All vectors are looked at, those within the TLS vector too. A checksum is verified by us alone, and
/// where the name says so.
pub(crate) const WALK: &[Read] = &[
    ("ours", |input| {
        let parsed = Header::parse(black_box(input));
        let Ok((_, header)) = &parsed else { return false };
        for tlv in header.tlvs {
            if let Some(ssl) = tlv.ssl() {
                for tlv in ssl.tlvs {
                    black_box(&tlv);
                }
            }
            black_box(&tlv);
        }
        black_box(&parsed);
        true
    }),
    ("ppp", |input| {
        let parsed = ppp::HeaderResult::parse(black_box(input));
        let ppp::HeaderResult::V2(Ok(header)) = &parsed else { return false };
        for tlv in header.tlvs().flatten() {
            if tlv.kind == 0x20 {
                let within = tlv.value.get(5..).unwrap_or_default();
                for tlv in ppp::v2::TypeLengthValues::from(within).flatten() {
                    black_box(&tlv);
                }
            }
            black_box(&tlv);
        }
        black_box(&parsed);
        true
    }),
    // What its users must add to refuse the headers that we refuse.
    ("ppp, all checked", |input| {
        let parsed = ppp::HeaderResult::parse(black_box(input));
        let ppp::HeaderResult::V2(Ok(header)) = &parsed else { return false };
        let mut at = header.len() - header.tlv_bytes().len();
        let mut sums = true;
        for tlv in header.tlvs() {
            let Ok(tlv) = tlv else { return false };
            match tlv.kind {
                0x03 => sums = sums_up(header.as_bytes(), at + 3, &tlv.value),
                0x20 => {
                    let within = tlv.value.get(5..).unwrap_or_default();
                    for tlv in ppp::v2::TypeLengthValues::from(within) {
                        let Ok(tlv) = tlv else { return false };
                        black_box(&tlv);
                    }
                }
                _ => {}
            }
            at += 3 + tlv.value.len();
            black_box(&tlv);
        }
        black_box(&parsed);
        sums
    }),
    ("proxy-header", |input| {
        let config = proxy_header::ParseConfig::default();
        let parsed = proxy_header::ProxyHeader::parse(black_box(input), config);
        let Ok((header, _)) = &parsed else { return false };
        for tlv in header.tlvs().flatten() {
            if let proxy_header::Tlv::Ssl(ssl) = &tlv {
                for tlv in ssl.tlvs().flatten() {
                    black_box(&tlv);
                }
            }
            black_box(&tlv);
        }
        black_box(&parsed);
        true
    }),
];

/// Whether the value at a byte of a header is the header's checksum.
fn sums_up(header: &[u8], at: usize, value: &[u8]) -> bool {
    let (before, behind) = header.split_at_checked(at).unwrap_or((header, &[]));
    let sum = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    let sum = crc32c::crc32c_append(sum, behind.get(4..).unwrap_or_default());
    value == sum.to_be_bytes()
}

pub(crate) const WRITE_LINE: &[Write] = &[
    ("ours", |source, destination| ours(proxy_protocol::Version::V1, source, destination)),
    ("ppp", |source, destination| {
        let line = ppp::v1::Addresses::from(black_box((source, destination))).to_string();
        !black_box(&line).is_empty()
    }),
    ("proxy-header", |source, destination| {
        let (mut out, header) = ([0; 108], header(source, destination));
        let written = header.encode_to_slice_v1(&mut out);
        black_box(&out);
        written.is_ok()
    }),
    ("proxy-protocol 0.5", |source, destination| {
        use proxy_protocol_peer::version1::ProxyAddresses;
        let addresses = match black_box((source, destination)) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                ProxyAddresses::Ipv4 { source, destination }
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                ProxyAddresses::Ipv6 { source, destination }
            }
            _ => ProxyAddresses::Unknown,
        };
        let header = proxy_protocol_peer::ProxyHeader::Version1 { addresses };
        black_box(&proxy_protocol_peer::encode(header)).is_ok()
    }),
    ("proxy-protocol-codec", |source, destination| {
        use proxy_protocol_codec::v1::{AddressPair, Header};
        let (source, destination) = black_box((source, destination));
        let (src_port, dst_port) = (source.port(), destination.port());
        let pair = match (source.ip(), destination.ip()) {
            (IpAddr::V4(src_ip), IpAddr::V4(dst_ip)) => {
                AddressPair::Inet { src_ip, dst_ip, src_port, dst_port }
            }
            (IpAddr::V6(src_ip), IpAddr::V6(dst_ip)) => {
                AddressPair::Inet6 { src_ip, dst_ip, src_port, dst_port }
            }
            _ => return false,
        };
        !black_box(&Header::new(pair).encode()).is_empty()
    }),
];

pub(crate) const WRITE_BLOCK: &[Write] = &[
    ("ours", |source, destination| ours(proxy_protocol::Version::V2, source, destination)),
    ("ppp", |source, destination| {
        use ppp::v2::{Builder, Command, Protocol, Version};
        let addresses = black_box((source, destination));
        let command = Version::Two | Command::Proxy;
        let block = Builder::with_addresses(command, Protocol::Stream, addresses).build();
        black_box(&block).is_ok()
    }),
    ("proxy-header", |source, destination| {
        let (mut out, header) = ([0; 108], header(source, destination));
        let written = header.encode_to_slice_v2(&mut out);
        black_box(&out);
        written.is_ok()
    }),
    ("proxy-protocol 0.5", |source, destination| {
        use proxy_protocol_peer::version2::{ProxyAddresses, ProxyCommand, ProxyTransportProtocol};
        let addresses = match black_box((source, destination)) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                ProxyAddresses::Ipv4 { source, destination }
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                ProxyAddresses::Ipv6 { source, destination }
            }
            _ => ProxyAddresses::Unspec,
        };
        let header = proxy_protocol_peer::ProxyHeader::Version2 {
            command: ProxyCommand::Proxy,
            transport_protocol: ProxyTransportProtocol::Stream,
            addresses,
        };
        black_box(&proxy_protocol_peer::encode(header)).is_ok()
    }),
    ("proxy-protocol-codec", |source, destination| {
        use proxy_protocol_codec::v2::{AddressPair, Header, Protocol};
        let (source, destination) = black_box((source, destination));
        let (src_port, dst_port) = (source.port(), destination.port());
        let pair = match (source.ip(), destination.ip()) {
            (IpAddr::V4(src_ip), IpAddr::V4(dst_ip)) => {
                AddressPair::Inet { src_ip, dst_ip, src_port, dst_port }
            }
            (IpAddr::V6(src_ip), IpAddr::V6(dst_ip)) => {
                AddressPair::Inet6 { src_ip, dst_ip, src_port, dst_port }
            }
            _ => return false,
        };
        let block = Header::new_proxy(Protocol::Stream, pair).encode().finish();
        black_box(&block).is_ok()
    }),
];

/// Four vectors, one with five within; the checksum is written by us alone.
pub(crate) const WRITE_VECTORS: &[Write] = &[
    ("ours", |_, _| {
        let mut out = [0; 256];
        let written = write_vectors(&mut out).is_some();
        black_box(&out);
        written
    }),
    ("ppp", |source, destination| {
        let mut ssl = vec![7_u8, 0, 0, 0, 0];
        for (kind, value) in black_box(SSL) {
            ssl.push(kind.get());
            ssl.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
            ssl.extend(value.as_bytes());
        }
        let addresses = black_box((source, destination));
        let block = ppp::v2::Builder::with_addresses(0x21, ppp::v2::Protocol::Stream, addresses)
            .write_tlv(1_u8, b"h2")
            .and_then(|block| block.write_tlv(2_u8, AUTHORITY.as_bytes()))
            .and_then(|block| block.write_tlv(5_u8, UNIQUE_ID))
            .and_then(|block| block.write_tlv(0x20_u8, &ssl))
            .and_then(ppp::v2::Builder::build);
        black_box(&block).is_ok()
    }),
    ("proxy-header", |source, destination| {
        use proxy_header::{ProxiedAddress, ProxyHeader, SslInfo, Tlv};
        let mut ssl = SslInfo::new(true, true, true, 0);
        let [version, name, cipher, signature, key] = black_box(SSL).map(|(_, value)| value.into());
        ssl.append_tlv(Tlv::SslVersion(version));
        ssl.append_tlv(Tlv::SslCn(name));
        ssl.append_tlv(Tlv::SslCipher(cipher));
        ssl.append_tlv(Tlv::SslSigAlg(signature));
        ssl.append_tlv(Tlv::SslKeyAlg(key));
        let (source, destination) = black_box((source, destination));
        let tlvs = [
            Tlv::Alpn(b"h2"[..].into()),
            Tlv::Authority(AUTHORITY.into()),
            Tlv::UniqueId(UNIQUE_ID.into()),
            Tlv::Ssl(ssl),
        ];
        let address = ProxiedAddress::stream(source, destination);
        let (mut out, header) = ([0; 256], ProxyHeader::with_tlvs(Some(address), tlvs));
        let written = header.encode_to_slice_v2(&mut out);
        black_box(&out);
        written.is_ok()
    }),
];

fn ours(version: proxy_protocol::Version, source: SocketAddr, destination: SocketAddr) -> bool {
    let (source, destination) = black_box((source, destination));
    let transport = proxy_protocol::Transport::Stream;
    let endpoints = proxy_protocol::Endpoints::Inet { transport, source, destination };
    let mut out = [0; 108];
    let written = Header::new(version, endpoints).write(&mut out);
    black_box(&out);
    written.is_ok()
}

fn header(source: SocketAddr, destination: SocketAddr) -> proxy_header::ProxyHeader<'static> {
    let (source, destination) = black_box((source, destination));
    let address = proxy_header::ProxiedAddress::stream(source, destination);
    proxy_header::ProxyHeader::with_address(address)
}
