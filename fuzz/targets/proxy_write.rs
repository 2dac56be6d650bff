//! A written header is parsed as the same, and a parsed header can be written.

#![no_main]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use proxy_protocol::{
    Endpoints, Header, Options, TlvKind, Transport, UnixAddress, Version, WriteError, Writer,
};

fuzz_target!(|input: &[u8]| {
    let mut options = Options::default();
    options.limits.header = 65_551;
    if let Ok((_, header)) = Header::parse_with(input, &options) {
        rewritten(&header, &options);
    }
    let _ = written(&mut Unstructured::new(input), &options);
});

fn rewritten(header: &Header<'_>, options: &Options) {
    let mut out = Vec::new();
    match header.write_to(&mut out) {
        Ok(()) => {
            let (rest, again) = Header::parse_with(&out, options).unwrap();
            assert!(rest.is_empty());
            assert_eq!((again.version, again.endpoints), (header.version, header.endpoints));
            let but_sum = |header: &Header<'_>| {
                let tlvs = header.tlvs.iter().filter(|tlv| tlv.kind != TlvKind::CRC32C);
                tlvs.map(|tlv| (tlv.kind, tlv.value.to_vec())).collect::<Vec<_>>()
            };
            assert_eq!(but_sum(&again), but_sum(header));
            assert_eq!(again.tlvs.crc32c().is_some(), header.tlvs.crc32c().is_some());
        }
        Err(error) => panic!("{header:?}: {error}"),
    }
}

fn written(u: &mut Unstructured<'_>, options: &Options) -> Result<()> {
    let unix = (u.arbitrary()?, u.arbitrary()?);
    let endpoints = endpoints(u, &unix)?;
    let line = Header::new(Version::V1, endpoints);
    let mut out = Vec::new();
    if line.write_to(&mut out).is_ok() {
        let (rest, again) = Header::parse(&out).unwrap();
        assert!(rest.is_empty());
        assert!(again == line || again.endpoints == Endpoints::Unknown);
    }

    let mut buffer = vec![0; u.int_in_range(0..=2000)?];
    let mut kept = Vec::new();
    let mut sum = false;
    let Ok(mut writer) = Writer::new(&mut buffer, endpoints) else { return Ok(()) };
    while !u.is_empty() {
        match u.int_in_range(0..=9_u8)? {
            0 => sum |= writer.checksum().is_ok(),
            1 => drop(writer.pad_to(u.int_in_range(0..=2000)?)),
            2 => {
                let Ok(mut ssl) = writer.ssl(u.arbitrary()?, u.arbitrary()?) else { continue };
                for _ in 0..u.int_in_range(0..=4)? {
                    let _ = ssl.tlv(TlvKind::new(u.arbitrary()?), u.arbitrary()?);
                }
            }
            _ => {
                let (kind, value) = (TlvKind::new(u.arbitrary()?), u.arbitrary::<&[u8]>()?);
                match writer.tlv(kind, value) {
                    Ok(_) if kind == TlvKind::CRC32C => sum = true,
                    Ok(_) => kept.push((kind, value)),
                    Err(WriteError::SecondChecksum) => assert!(sum),
                    Err(_) => {}
                }
            }
        }
    }
    let (rest, header) = Header::parse_with(writer.finish(), options).unwrap();
    assert!(rest.is_empty());
    assert_eq!(header.endpoints, endpoints);
    assert_eq!(header.tlvs.crc32c().is_some(), sum);
    let mut found = header.tlvs.iter().map(|tlv| (tlv.kind, tlv.value));
    assert!(kept.into_iter().all(|tlv| found.any(|found| found == tlv)), "in their order");
    rewritten(&header, options);
    Ok(())
}

fn endpoints<'a>(
    u: &mut Unstructured<'_>,
    unix: &'a ([u8; 108], [u8; 108]),
) -> Result<Endpoints<'a>> {
    let transport = if u.arbitrary()? { Transport::Stream } else { Transport::Datagram };
    Ok(match u.int_in_range(0..=4_u8)? {
        0 => Endpoints::Local,
        1 => Endpoints::Unknown,
        2 => {
            let (source, destination) = (UnixAddress::new(&unix.0), UnixAddress::new(&unix.1));
            Endpoints::Unix { transport, source, destination }
        }
        3 => {
            let v4 = |(ip, port): (u32, u16)| SocketAddr::from((Ipv4Addr::from_bits(ip), port));
            let (source, destination) = (v4(u.arbitrary()?), v4(u.arbitrary()?));
            Endpoints::Inet { transport, source, destination }
        }
        _ => {
            let v6 = |(ip, port): (u128, u16)| SocketAddr::from((Ipv6Addr::from_bits(ip), port));
            let (source, destination) = (v6(u.arbitrary()?), v6(u.arbitrary()?));
            Endpoints::Inet { transport, source, destination }
        }
    })
}
