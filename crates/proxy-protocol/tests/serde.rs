//! Headers and outcomes as they are stored.

#![cfg(feature = "serde")]

use proxy_protocol::{
    Address, Failure, Header, HeaderOutcome, ProxyInfo, Transport, UnixAddress, Version,
};
use serde_json::json;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";

#[test]
fn a_header_has_its_ends_and_vectors() {
    let block = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19\x01\0\x02h2";
    let (_, header) = Header::parse(block).unwrap();
    assert_eq!(
        serde_json::to_value(header).unwrap(),
        json!({
            "version": "v2",
            "endpoints": {
                "outcome": "proxied",
                "source": {"inet": "192.0.2.1:56324"},
                "destination": {"inet": "198.51.100.2:25"},
                "transport": "stream",
            },
            "tlvs": [{"kind": 1, "value": [104, 50]}],
        })
    );
    let (_, header) = Header::parse(LINE).unwrap();
    let written = serde_json::to_value(header).unwrap();
    assert_eq!((&written["version"], &written["tlvs"]), (&json!("v1"), &json!([])));
}

#[test]
fn an_outcome_is_its_word() {
    let peer = "127.0.0.1:4000".parse().unwrap();
    let (_, header) = Header::parse(LINE).unwrap();
    assert_eq!(
        serde_json::to_value(ProxyInfo::proxied(peer, HeaderOutcome::from(&header))).unwrap(),
        json!({
            "peer": "127.0.0.1:4000",
            "client": "192.0.2.1:56324",
            "header": {
                "outcome": "proxied",
                "source": {"inet": "192.0.2.1:56324"},
                "destination": {"inet": "198.51.100.2:25"},
                "transport": "stream",
            },
        })
    );
    assert_eq!(
        serde_json::to_value(ProxyInfo::direct(peer)).unwrap(),
        json!({"peer": "127.0.0.1:4000", "client": "127.0.0.1:4000", "header": null})
    );
    for (outcome, json) in [
        (HeaderOutcome::Local, json!({"outcome": "local"})),
        (HeaderOutcome::Unknown, json!({"outcome": "unknown"})),
        (
            HeaderOutcome::Failed(Failure::TimedOut { received: 7 }),
            json!({
                "outcome": "failed",
                "reason": "timeout: PROXY header incomplete after 7 bytes",
            }),
        ),
    ] {
        assert_eq!(serde_json::to_value(outcome).unwrap(), json);
    }
}

#[test]
fn addresses_are_read_back() {
    for (address, json) in [
        (Address::Inet("[2001:db8::1]:25".parse().unwrap()), json!({"inet": "[2001:db8::1]:25"})),
        (Address::Unix(b"/run\xff".as_slice().into()), json!({"unix": [47, 114, 117, 110, 255]})),
    ] {
        assert_eq!(serde_json::to_value(&address).unwrap(), json);
        assert_eq!(serde_json::from_value::<Address>(json).unwrap(), address);
    }
    assert_eq!(
        serde_json::from_value::<Transport>(json!("datagram")).unwrap(),
        Transport::Datagram
    );
    assert_eq!(serde_json::from_value::<Version>(json!("v1")).unwrap(), Version::V1);
    let refused = serde_json::from_value::<Address>(json!({"inet": "192.0.2.1"})).unwrap_err();
    assert_eq!(refused.to_string(), "invalid socket address syntax");
    let refused = serde_json::from_value::<Transport>(json!("carrier")).unwrap_err();
    assert!(refused.to_string().starts_with("unknown variant `carrier`"), "{refused}");
}

/// A name has at most the octets of an address, and no octets behind its end.
#[test]
fn the_name_of_a_unix_socket_is_one_that_a_header_can_have() {
    let name = |octets: &[u8]| serde_json::from_value::<Address>(json!({ "unix": octets }));
    for octets in [
        &b""[..],
        b"/",
        b"/run/a",
        b"\0abstract",
        b"\0a\0b",
        &[b'a'; UnixAddress::LEN],
        &[&[0][..], &[b'a'; UnixAddress::LEN - 1]].concat(),
    ] {
        let mut padded = [0; UnixAddress::LEN];
        padded[..octets.len()].copy_from_slice(octets);
        let address = Address::from(UnixAddress::new(&padded));
        assert_eq!(name(octets).ok(), Some(address), "{octets:?}");
    }
    for (octets, cause) in [
        (&[b'a'; UnixAddress::LEN + 1][..], "invalid length 109, expected at most 108 octets"),
        (&[b'a'; 5000], "invalid length 109, expected at most 108 octets"),
        (b"/run/a\0b", "the name of the UNIX socket goes on behind its end"),
        (b"/run/a\0", "the name of the UNIX socket goes on behind its end"),
        (b"\0", "the name of the UNIX socket goes on behind its end"),
        (b"\0a\0", "the name of the UNIX socket goes on behind its end"),
    ] {
        let error = name(octets).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(cause), "{octets:?}");
    }
    // The octets behind the limit are not read.
    let mut list = vec![json!(97); 109];
    list.push(json!("text"));
    let error = serde_json::from_value::<Address>(json!({ "unix": list }));
    assert!(error.is_err_and(|error| error.to_string().starts_with("invalid length 109")));
}
