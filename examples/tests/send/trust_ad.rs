//! A resolver on another host, which is believed about DNSSEC by `--trust-ad` or `dns_trust_ad` only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{A, MX, TLSA};
use hickory_resolver::proto::rr::{Name, RData, Record};

use super::program::send_configured;

/// The records of `example.test`.
fn records() -> [(&'static str, RData); 3] {
    let host = Name::from_ascii("mx.example.test.").unwrap();
    let digest = vec![0xab; 32];
    let record = TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, digest);
    [
        ("example.test.", RData::MX(MX::new(10, host))),
        ("mx.example.test.", RData::A(A(Ipv4Addr::new(192, 0, 2, 1)))),
        ("_25._tcp.mx.example.test.", RData::TLSA(record)),
    ]
}

/// An address of this machine that is not of loopback, as a server on another host has one.
fn outside() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // This sends nothing: it chooses the address that a datagram would come from.
    socket.connect("192.0.2.1:9").unwrap();
    let address = socket.local_addr().unwrap().ip();
    assert!(!address.is_loopback() && !address.is_unspecified(), "{address}");
    address
}

/// Starts a resolver that says of each answer that it is secure; it runs until the tests end.
fn resolver(address: IpAddr) -> SocketAddr {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let bound = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut room = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut room) {
            let Ok(query) = Message::from_vec(&room[..length]) else { continue };
            let question = query.queries[0].clone();
            let mut response = query.into_response();
            response.metadata.recursion_available = true;
            response.metadata.authentic_data = true;
            let name = question.name().to_ascii().to_lowercase();
            for (_, data) in records().into_iter().filter(|(owner, _)| *owner == name) {
                if data.record_type() == question.query_type() {
                    response.add_answer(Record::from_rdata(question.name().clone(), 0, data));
                }
            }
            let _ = socket.send_to(&response.to_vec().unwrap(), client);
        }
    });
    bound
}

#[test]
fn a_resolver_on_another_host_is_believed_about_dnssec_only_if_that_is_asked_for() {
    let (here, elsewhere) = (resolver(Ipv4Addr::LOCALHOST.into()), resolver(outside()));
    let option = |server: SocketAddr| format!("dns_resolver = '{server}'\n");
    let (of_here, of_elsewhere) = (option(here), option(elsewhere));
    let believing = format!("{of_elsewhere}dns_trust_ad = true\n");
    let (here, elsewhere) = (here.to_string(), elsewhere.to_string());
    for (configuration, arguments, action) in [
        ("", &["--resolver", &here][..], "dane"),
        ("", &["--resolver", &elsewhere], "opportunistic"),
        ("", &["--resolver", &elsewhere, "--trust-ad"], "dane"),
        (&*of_here, &[], "dane"),
        (&of_elsewhere, &[], "opportunistic"),
        (&of_elsewhere, &["--trust-ad"], "dane"),
        (&believing, &[], "dane"),
        (&believing, &["--trust-ad"], "dane"),
        // The option is for the resolver of the configuration.
        (&believing, &["--resolver", &elsewhere], "opportunistic"),
        (&believing, &["--resolver", &here], "dane"),
    ] {
        let fixed = ["--dry-run", "--json", "ann@example.test"];
        let sent = send_configured(configuration, &[&fixed, arguments].concat());
        let plan = sent.outcome();
        assert_eq!(plan["hosts"][0]["action"], action, "{configuration}{arguments:?}: {plan}");
    }
}
