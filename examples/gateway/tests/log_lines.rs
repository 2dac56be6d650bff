//! Lines of the log: each word of `log_selector` changes one.

use std::path::Path;
use std::time::{Duration, SystemTime};

use mail_types::smtp::{Mailbox, Reply, ReplyCode, ReversePath};
use proxy_protocol::ProxyInfo;
use tracing::Level;

use crate::gateway::delivery::outcome::{
    DeliveryResult, LineDetails, RecipientOutcome, TlsOutcome, Verified,
};
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::peer::{Client, ClientCertificate, TlsClient};
use crate::gateway::smtp::tests::session::{ready, settings};
use crate::gateway::telemetry::arrival::Arrival;
use crate::gateway::telemetry::local_delivery::LocalDelivery;
use crate::gateway::telemetry::log::read_filter;
use crate::gateway::telemetry::log_selector::LogSelector;

fn client() -> Client {
    let session = ProxyInfo::direct("192.0.2.1:5555".parse().unwrap());
    let certificate = ClientCertificate {
        der: [].into(),
        subject: "CN=client, O=\"A\"".to_owned(),
        verified: true,
    };
    let tls = TlsClient {
        sni: Some("mx.example".to_owned()),
        cipher: Some("TLS1.3:TLS_AES_128_GCM_SHA256:128".to_owned()),
        certificate: Some(certificate),
        ..TlsClient::default()
    };
    let client = Client::new(session, "198.51.100.25:2525".parse().unwrap());
    Client { tls: Some(tls), proxy: Some("203.0.113.9:4000".parse().unwrap()), ..client }
}

/// The line of a message with these words, without its id.
fn arrival(words: &str) -> String {
    let (client, talk) = (client(), ready(settings()));
    let recipients: Vec<Mailbox> =
        vec!["c@d.example".parse().unwrap(), "e@f.example".parse().unwrap()];
    let arrival = Arrival {
        id: MessageId::next(SystemTime::now()),
        client: &client,
        recipients: &recipients,
        size: 321,
        took: Some(Duration::from_millis(70)),
        subject: words.contains("subject").then_some(b"a \"b\\\nc".as_slice()),
        message_id: words.contains("msg_id").then_some(b" <1@b.example>\n".as_slice()),
    };
    let (line, end) = arrival.line(&talk.session, "a@b.example", LogSelector::default()).unwrap();
    assert_eq!(&line[end..], " for c@d.example e@f.example");
    let selector = LogSelector::read(words).unwrap();
    let (line, _) = arrival.line(&talk.session, "a@b.example", selector).unwrap();
    line.split_once(" <= ").unwrap().1.to_owned()
}

#[test]
fn each_word_of_an_arrival_changes_its_line() {
    let host = "a@b.example H=(client.example) [192.0.2.1]";
    let tls = "X=TLS1.3:TLS_AES_128_GCM_SHA256:128";
    let recipients = "for c@d.example e@f.example";
    let whole = format!("{host} P=esmtp {tls} CV=yes S=321 {recipients}");
    assert_eq!(arrival(""), whole);
    let replaced = |old: &str, new: &str| whole.replace(old, new);
    for (words, expected) in [
        ("+incoming_port", replaced("[192.0.2.1]", "[192.0.2.1]:5555")),
        ("+incoming_interface", replaced(" P=", " I=[198.51.100.25]:2525 P=")),
        ("-tls_cipher", replaced(&format!(" {tls}"), "")),
        ("-tls_certificate_verified", replaced(" CV=yes", "")),
        ("+tls_peerdn", replaced(" S=", " DN=\"CN=client, O=\\\"A\\\"\" S=")),
        ("+tls_sni", replaced(" S=", " SNI=mx.example S=")),
        ("+proxy", replaced(" S=", " PRX=203.0.113.9 S=")),
        ("+msg_id", replaced(" for", " id=1@b.example for")),
        ("+receive_time", replaced(" for", " RT=0.070s for")),
        ("+subject", replaced(" for", " T=\"a \\\"b\\\\ c\" for")),
        ("+received_sender", replaced(" for", " from <a@b.example> for")),
    ] {
        assert_eq!(arrival(words), expected, "{words}");
    }
}

fn remote(words: &str, result: DeliveryResult) -> String {
    let (recipient, sender) = ("c@d.example".parse().unwrap(), "<a@b.example>".parse().unwrap());
    let selector = LogSelector::read(words).unwrap();
    let (size, took) = (Some(321), Some(Duration::from_millis(1234)));
    let tls =
        TlsOutcome { cipher: "X".to_owned(), verified: Verified::Dane, ..TlsOutcome::default() };
    let outcome = RecipientOutcome {
        host: Some("mx.example".to_owned()),
        address: Some("192.0.2.1:25".parse().unwrap()),
        tls: Some(tls),
        reply: Some(Reply::new(ReplyCode::OK, "ok")),
        details: LineDetails { size, took, ..LineDetails::new(selector, &sender) },
        ..RecipientOutcome::new(&recipient, result).because("why")
    };
    outcome.to_string()
}

#[test]
fn each_word_of_a_delivery_changes_its_line() {
    let whole = "=> c@d.example T=remote_smtp H=mx.example [192.0.2.1]:25 X=X CV=dane C=\"250 ok\" DT=1.234s";
    assert_eq!(remote("", DeliveryResult::Delivered), whole);
    for (words, old, new) in [
        ("-deliver_time", " DT=1.234s", ""),
        ("+delivery_size", " H=", " S=321 H="),
        ("-outgoing_port", ":25", ""),
        ("+sender_on_delivery", " T=", " F=<a@b.example> T="),
        ("-smtp_confirmation", " C=\"250 ok\"", ""),
        ("-tls_cipher", " X=X", ""),
        ("-tls_certificate_verified", " CV=dane", ""),
    ] {
        assert_eq!(remote(words, DeliveryResult::Delivered), whole.replace(old, new), "{words}");
    }
    let deferred = remote("+sender_on_delivery", DeliveryResult::Deferred);
    assert_eq!(
        deferred,
        "== c@d.example F=<a@b.example> T=remote_smtp H=mx.example [192.0.2.1]:25 X=X CV=dane DT=1.234s defer: why"
    );
}

#[test]
fn a_delivery_here_tells_its_maildir_and_quarantine() {
    let (id, sender) = (MessageId::next(SystemTime::now()), ReversePath::Null);
    let delivery = LocalDelivery {
        id,
        sender: &sender,
        size: 321,
        maildir: None,
        quarantined: false,
        took: Duration::from_millis(2),
        failure: None,
    };
    let line = |delivery: LocalDelivery<'_>, at, words: &str| {
        let recipient = "\"a <b\"@c.example".parse().unwrap();
        let line = delivery.line(at, &recipient, LogSelector::read(words).unwrap());
        line.strip_prefix(&format!("{id} ")).unwrap().to_owned()
    };
    let start = "\"a <b\" <\"a <b\"@c.example>";
    let transport = "R=localuser T=local_delivery";
    assert_eq!(line(delivery, 0, ""), format!("=> {start} {transport} DT=0.002s"));
    assert_eq!(line(delivery, 1, "-deliver_time"), format!("-> {start} {transport}"));
    let words = "+delivery_size +sender_on_delivery";
    assert_eq!(line(delivery, 0, words), format!("=> {start} F=<> {transport} S=321 DT=0.002s"));
    let own = LocalDelivery { maildir: Some(Path::new("/m/a\nb")), ..delivery };
    assert_eq!(line(own, 0, "-all"), format!("=> {start} {transport} in /m/a\\nb"));
    let held = LocalDelivery { quarantined: true, maildir: Some(Path::new("/q")), ..delivery };
    assert_eq!(line(held, 0, "-all"), format!("=> {start} {transport} in quarantine /q"));
    let failed = LocalDelivery { failure: Some("no\nroom"), ..own };
    let expected = format!("== {start} {transport} in /m/a\\nb DT=0.002s defer: no room");
    assert_eq!(line(failed, 1, ""), expected);
}

#[test]
fn the_program_is_a_target_by_its_name() {
    let target = module_path!();
    for (text, own, library) in [
        ("gateway=debug", Some(Level::DEBUG), None),
        (" gateway = trace , rustls=warn", Some(Level::TRACE), Some(Level::WARN)),
        ("info,gateway::tests=error", Some(Level::ERROR), Some(Level::INFO)),
        ("info,gateways=error", Some(Level::INFO), Some(Level::INFO)),
        ("examples::gateway=debug", Some(Level::DEBUG), None),
        ("rustls=debug", None, Some(Level::DEBUG)),
    ] {
        let filter = read_filter(text).unwrap();
        for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
            let is_within = |most: Option<Level>| most.is_some_and(|most| level <= most);
            assert_eq!(filter.would_enable(target, &level), is_within(own), "{text} {level}");
            assert_eq!(filter.would_enable("rustls", &level), is_within(library), "{text} {level}");
        }
    }
}

/// As a target, a misspelled level would silence the log.
#[test]
fn a_wrong_filter_is_told() {
    for text in ["", " ", "info", "OFF", "debug,rustls=off", "examples::gateway=trace", "2"] {
        assert!(read_filter(text).is_ok(), "{text}");
    }
    for (text, directive) in [
        ("inof", "inof"),
        ("info, rustls", "rustls"),
        ("rustls=loud,info", "rustls=loud"),
        ("=", "="),
    ] {
        let error = read_filter(text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("RUST_LOG: {directive:?} is neither a level (")),
            "{error}"
        );
    }
}
