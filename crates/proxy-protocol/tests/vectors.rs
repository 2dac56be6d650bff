//! The vectors of `data/vectors.json`, whole and in two pieces.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::time::Instant;

use proxy_protocol::{
    Endpoints, Failure, Header, HeaderError, HeaderOutcome, Options, Receiver, TlvKind, Transport,
    Version,
};
use serde_json::Value;

/// The choices of this crate, as on its front page.
const CHOICES: &[(&str, &str, &str)] = &[
    // name, the vector's expectation, ours
    ("v1_tcp6_v4mapped_dotted", "ok", "ok"), // `inet_ntop` writes mapped addresses so
    ("v1_unknown_nonascii", "ok", "ok"),     // text before the first CRLF is ignored
    ("v1_unknown_embedded_lone_cr", "ok", "ok"),
    ("v1_unknown_embedded_lone_lf", "ok", "ok"),
    ("v1_unknown_cr_cr_lf", "ok", "ok"),
    // Its CRLF cannot end within 107 bytes any more: the vector's own reason grants an early error.
    ("v1_inc_unknown_106_no_crlf", "incomplete", "error"),
    ("v2_proxy_unspec_len0", "ok", "ok"), // free to accept: `Options::unknown`
    ("v2_proxy_unspec_tlv", "ok", "ok"),
    ("v2_proxy_unspec_family_stream", "ok", "ok"),
    ("v2_proxy_inet_transport_unspec", "ok", "ok"),
    ("v2_local_fam_undefined", "ok", "ok"), // the family of a LOCAL header is to be ignored
    ("v2_tlv_authority_bad_utf8", "ok", "ok"), // the accessor fails, not the header
    ("v2_tlv_toplevel_0x21", "ok", "ok"),   // an unknown type
    ("v2_tlv_dup_alpn", "ok", "ok"),        // the first counts
    ("v2_crc_byteswapped", "error", "error"), // all numbers are in network order
    ("v2_crc_bad_local", "error", "error"), // the sender computed it on purpose
    ("v2_crc_duplicate", "error", "error"), // neither can be right
    ("v2_ssl_len0", "error", "error"),      // vectors are interpreted, so they must be sound
    ("v2_ssl_len4", "error", "error"),
    ("v2_ssl_sub_overrun", "error", "error"),
    ("v2_ssl_sub_header_cut", "error", "error"),
    ("v2_tlv_one_stray_byte", "error", "error"),
    ("v2_tlv_two_stray_bytes", "error", "error"),
    ("v2_tlv_value_overrun_1", "error", "error"),
    ("v2_tlv_value_overrun_into_data", "error", "error"),
    ("v2_tlv_second_overrun", "error", "error"),
    ("v2_len_65535", "ok", "error"), // `Limits::header`
    ("v2_len_4096_total", "ok", "ok"),
    ("v2_inc_len_65535_only_100", "incomplete", "error"), // `Limits::header`
];

#[test]
fn must_and_should_hold_as_given() {
    let vectors = vectors();
    let mut counts = [0, 0];
    for vector in &vectors {
        let level = match text(vector, "level") {
            "must" => 0,
            "should" => 1,
            _ => continue,
        };
        counts[level] += 1;
        check(vector, text(vector, "expect"));
    }
    assert_eq!(counts, [193, 56]);
}

#[test]
fn every_other_vector_has_a_written_choice() {
    let vectors = vectors();
    let mut open = vectors.iter().filter(|v| !matches!(text(v, "level"), "must" | "should"));
    assert_eq!(open.clone().count(), CHOICES.len());
    for (name, given, ours) in CHOICES {
        let vector = open.clone().find(|v| text(v, "name") == *name).unwrap();
        assert_eq!(text(vector, "expect"), *given, "{name}");
        check(vector, ours);
    }
    assert!(open.all(|v| CHOICES.iter().any(|(name, ..)| text(v, "name") == *name)));
}

#[test]
fn with_the_limit_raised_the_longest_header_is_taken() {
    let mut options = Options::default();
    options.limits.header = 65_551;
    for vector in &vectors() {
        let bytes = bytes(vector, "hex");
        match text(vector, "name") {
            "v2_len_65535" => {
                let (rest, header) = Header::parse_with(&bytes, &options).unwrap();
                assert_eq!(rest, b"");
                check_fields(vector, &header);
            }
            "v2_inc_len_65535_only_100" => {
                let error = Header::parse_with(&bytes, &options).unwrap_err();
                let HeaderError::Incomplete { needed } = error else { panic!("{error}") };
                assert_eq!(needed.get() as u64, vector["need"].as_u64().unwrap());
            }
            _ => {}
        }
    }
}

/// Each vector cut at each byte, as a machine sees it that reads a stream.
#[test]
fn in_two_pieces_all_is_the_same() {
    for vector in &vectors() {
        let (name, bytes) = (text(vector, "name"), bytes(vector, "hex"));
        let whole = Header::parse(&bytes);
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut receiver = Receiver::new(Options::default(), Instant::now());
            let mut taken = receiver.handle_bytes(first);
            taken += receiver.handle_bytes(second);
            match whole {
                Ok((rest, header)) => {
                    assert_eq!(taken, bytes.len() - rest.len(), "{name} at {cut}");
                    assert_eq!(
                        receiver.outcome(),
                        Some(&HeaderOutcome::from(&header)),
                        "{name} at {cut}"
                    );
                    assert_eq!(receiver.header(), Some(header), "{name} at {cut}");
                }
                Err(HeaderError::Incomplete { needed }) => {
                    assert_eq!(taken, bytes.len(), "{name} at {cut}");
                    assert_eq!(receiver.needed(), needed.get(), "{name} at {cut}");
                    assert_eq!(receiver.outcome(), None, "{name} at {cut}");
                }
                Err(error) => {
                    let failed = HeaderOutcome::Failed(Failure::Header(error));
                    assert_eq!(receiver.outcome(), Some(&failed), "{name} at {cut}");
                }
            }
        }
    }
}

fn check(vector: &Value, expect: &str) {
    let (name, bytes) = (text(vector, "name"), bytes(vector, "hex"));
    let parsed = if vector["mode"] == "datagram" {
        Header::parse_datagram(&bytes, &Options::default())
    } else {
        Header::parse(&bytes)
    };
    match (expect, parsed) {
        ("ok", Ok((rest, header))) => {
            let consumed = (bytes.len() - rest.len()) as u64;
            assert_eq!(consumed, vector["consumed"].as_u64().unwrap(), "{name}");
            check_fields(vector, &header);
        }
        ("incomplete", Err(HeaderError::Incomplete { needed })) => {
            if let Some(need) = vector.get("need") {
                assert_eq!(needed.get() as u64, need.as_u64().unwrap(), "{name}");
            }
        }
        ("error", Err(error)) if !error.is_incomplete() => {}
        (_, parsed) => panic!("{name}: wanted {expect}, got {parsed:?}"),
    }
}

fn check_fields(vector: &Value, header: &Header<'_>) {
    let name = text(vector, "name");
    let version = if header.version == Version::V1 { 1 } else { 2 };
    assert_eq!(vector["version"], version, "{name}");
    let from_header = vector["endpoints"] == "header";
    match header.endpoints {
        Endpoints::Local => assert_eq!(vector["command"], "LOCAL", "{name}"),
        Endpoints::Unknown => {
            assert_eq!((&vector["command"], from_header), (&"PROXY".into(), false), "{name}");
        }
        Endpoints::Inet { transport, source, destination } => {
            assert!(from_header, "{name}");
            let family = if source.is_ipv4() { "INET" } else { "INET6" };
            assert_eq!(vector["family"], family, "{name}");
            check_transport(vector, transport);
            assert_eq!(source.ip().to_string(), text(vector, "src"), "{name}");
            assert_eq!(destination.ip().to_string(), text(vector, "dst"), "{name}");
            assert_eq!(vector["src_port"], source.port(), "{name}");
            assert_eq!(vector["dst_port"], destination.port(), "{name}");
        }
        Endpoints::Unix { transport, source, destination } => {
            assert!(from_header, "{name}");
            assert_eq!(vector["family"], "UNIX", "{name}");
            check_transport(vector, transport);
            if vector.get("src_hex").is_some() {
                assert_eq!(source.as_bytes()[..], bytes(vector, "src_hex"), "{name}");
                assert_eq!(destination.as_bytes()[..], bytes(vector, "dst_hex"), "{name}");
            } else {
                assert_eq!(source.name(), text(vector, "src").as_bytes(), "{name}");
                assert_eq!(destination.name(), text(vector, "dst").as_bytes(), "{name}");
            }
        }
        _ => panic!("{name}: {header:?}"),
    }
    check_tlvs(vector, header);
}

fn check_transport(vector: &Value, transport: Transport) {
    let word = if transport == Transport::Stream { "STREAM" } else { "DGRAM" };
    assert_eq!(vector["transport"], word, "{}", vector["name"]);
}

fn check_tlvs(vector: &Value, header: &Header<'_>) {
    let name = text(vector, "name");
    let same = |given: &Value, found: proxy_protocol::Tlvs<'_>| {
        let found: Vec<_> = found.iter().map(|t| (t.kind.get(), t.value.to_vec())).collect();
        let given: Vec<_> = given.as_array().into_iter().flatten().map(pair).collect();
        assert_eq!(found, given, "{name}");
    };
    if vector.get("tlvs").is_some() {
        same(&vector["tlvs"], header.tlvs);
    }
    if let Some(given) = vector.get("ssl") {
        let ssl = header.tlvs.ssl().unwrap();
        assert_eq!((&given["client"], &given["verify"]), (&ssl.client.into(), &ssl.verify.into()));
        same(&given["sub"], ssl.tlvs);
    }
    if let Some(id) = vector.get("vpce_id") {
        assert_eq!(header.tlvs.aws_vpce_id(), id.as_str().map(str::as_bytes));
    }
    if let Some(id) = vector.get("link_id") {
        assert_eq!(header.tlvs.azure_link_id().map(u64::from), id.as_u64());
    }
    if let Some(id) = vector.get("psc_connection_id") {
        assert_eq!(header.tlvs.gcp_psc_connection_id(), id.as_u64());
    }
    if vector["crc32c"] == "valid" {
        assert!(header.tlvs.crc32c().is_some() && header.tlvs.get(TlvKind::CRC32C).is_some());
    }
}

fn pair(tlv: &Value) -> (u8, Vec<u8>) {
    (u8::try_from(tlv["type"].as_u64().unwrap()).unwrap(), bytes(tlv, "hex"))
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    let hex = text(value, field).as_bytes();
    let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
    hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
}
