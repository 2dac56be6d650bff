//! The variables of TLS to other hosts, in events and in lists.

use event_expand::{Event, EventName};
use mail_types::exim::{Trust, Variable};

use crate::gateway::config::Config;
use crate::gateway::events::outgoing_tls::{OutgoingSession, OutgoingTls};
use crate::gateway::events::raised_event::MAX_CERTIFICATE;

/// Each variable of an event, as a text.
fn of(event: &Event, name: &str) -> (String, Option<Trust>) {
    match event.variable(name) {
        Variable::Value(value) => {
            (String::from_utf8(value.as_bytes().to_vec()).unwrap(), Some(value.trust()))
        }
        Variable::Unset => (String::new(), None),
        Variable::Unknown => panic!("{name} is unknown"),
    }
}

#[test]
fn an_event_has_the_tls_of_its_connection() {
    let session = OutgoingSession {
        cipher: "TLS1.3:TLS_AES_256_GCM_SHA384:256".to_owned(),
        sni: Some("mx.example".to_owned()),
        certificate_verified: true,
        peercert: Some(b"der".to_vec()),
        peerdn: Some("CN=mx.example".to_owned()),
    };
    let tls = OutgoingTls {
        dnssec: Some(true),
        dane: true,
        tlsa_usage: 0b1100,
        ocsp: 4,
        session: Some(session),
    };
    let event = tls.describe(Event::new(EventName::MsgDelivery));
    let (own, outside) = (Some(Trust::Trusted), Some(Trust::Untrusted));
    for (name, text, trust) in [
        ("lookup_dnssec_authenticated", "yes", own),
        ("tls_out_dane", "yes", own),
        ("tls_out_tlsa_usage", "12", own),
        ("tls_out_ocsp", "4", own),
        ("tls_out_certificate_verified", "1", own),
        ("tls_out_cipher", "TLS1.3:TLS_AES_256_GCM_SHA384:256", outside),
        ("tls_out_sni", "mx.example", outside),
        ("tls_out_peerdn", "CN=mx.example", outside),
        ("tls_out_peercert", "<cert>", outside),
        // This host has no certificate for servers.
        ("tls_out_ourcert", "", None),
        ("verify_mode", "", None),
    ] {
        assert_eq!(of(&event, name), (text.to_owned(), trust), "{name}");
    }
    assert_eq!(event.certificate("tls_out_peercert"), Some(&b"der"[..]));
}

#[test]
fn without_tls_numbers_are_0_and_texts_are_unset() {
    let event = OutgoingTls::default().describe(Event::new(EventName::MsgDelivery));
    for (name, text) in [
        ("lookup_dnssec_authenticated", "no"),
        ("tls_out_dane", "no"),
        ("tls_out_tlsa_usage", "0"),
        ("tls_out_ocsp", "0"),
        ("tls_out_certificate_verified", "0"),
        ("tls_out_cipher", ""),
        ("tls_out_sni", ""),
        ("tls_out_peerdn", ""),
        ("tls_out_peercert", ""),
    ] {
        assert_eq!(of(&event, name).0, text, "{name}");
    }
    let session =
        OutgoingSession { peercert: Some(vec![0; MAX_CERTIFICATE + 1]), ..Default::default() };
    let tls = OutgoingTls { session: Some(session), ..OutgoingTls::default() };
    let event = tls.describe(Event::new(EventName::MsgDelivery));
    assert_eq!(event.certificate("tls_out_peercert"), None);
}

/// Most mail goes in clear text: describing its TLS costs nothing.
#[test]
fn an_event_in_clear_text_carries_no_variable_of_tls() {
    let event = Event::new(EventName::MsgDelivery).with("host", b"mx.example", Trust::Untrusted);
    for dnssec in [None, Some(false)] {
        let tls = OutgoingTls { dnssec, ..OutgoingTls::default() };
        assert_eq!(tls.describe(event.clone()), event);
    }
    let tls = OutgoingTls { dnssec: Some(true), ..OutgoingTls::default() };
    let secure = event.clone().with("lookup_dnssec_authenticated", b"yes", Trust::Trusted);
    assert_eq!(tls.describe(event), secure);
}

#[test]
fn an_action_of_the_transport_may_name_each() {
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n[remote_smtp]\n";
    for name in OutgoingTls::VARIABLES.iter().chain(&["verify_mode"]) {
        Config::parse(&format!("{relay}event_action = '${name}'")).unwrap();
    }
}
