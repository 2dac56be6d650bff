//! REQUIRETLS and `TLS-Required: No`: RFC 8689.

use super::fallback::Servers;
use super::program::{BOUNCE, send, send_message, tlsa};
use super::server::{Behaviour, Identity, Tls};

const OFFERED: [&[&str]; 2] = [&["PIPELINING"], &["PIPELINING", "REQUIRETLS"]];
/// Offered where an attacker could have offered it, too.
const IN_CLEAR: [&[&str]; 2] = [&["PIPELINING", "REQUIRETLS"], &["PIPELINING"]];

#[test]
fn a_message_with_requiretls_goes_to_authenticated_hosts_that_offer_it() {
    let behaviour = Behaviour { offers: OFFERED, ..Behaviour::default() };
    let servers = Servers::start(&[behaviour]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let outcome = servers.send(&zone, "", &["--require-tls"]).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    let told = servers.list[0].told();
    let mail = told.secret.iter().find(|line| line.starts_with("MAIL")).unwrap();
    assert!(mail.ends_with(" REQUIRETLS"), "{mail}");
    assert_eq!(servers.in_clear(0, "MAIL"), 0);
    // Without the demand it is not passed on.
    servers.send(&zone, "", &[]);
    let told = servers.list[0].told();
    let mut mails = told.secret.iter().filter(|line| line.starts_with("MAIL"));
    assert!(!mails.next_back().unwrap().contains("REQUIRETLS"));
}

#[test]
fn a_message_with_requiretls_is_returned_where_a_demand_is_not_met() {
    let not_offered = "REQUIRETLS: not supported by the server";
    let not_secured = "REQUIRETLS: no authenticated TLS session with a confirmed host";
    for (tls, offers, has_record, security, reason) in [
        (Tls::Good, IN_CLEAR, true, "secure", not_offered),
        // Its certificate is nobody's.
        (Tls::Good, OFFERED, false, "secure", not_secured),
        (Tls::Good, OFFERED, true, "insecure", not_secured),
        (Tls::No, OFFERED, true, "secure", not_secured),
        (Tls::Broken, OFFERED, false, "secure", not_secured),
    ] {
        let servers = Servers::start(&[Behaviour { tls, offers, ..Behaviour::default() }]);
        let record = tlsa(&servers.identity);
        let zone = servers.zone(has_record.then_some(&*record));
        let sent = servers.send(&zone, "", &["--require-tls", "--security", security]);
        let outcome = sent.outcome();
        assert_eq!((&outcome["result"], sent.status), (&"failed".into(), 69), "{outcome}");
        assert_eq!(outcome["reason"], reason);
        assert_eq!(servers.messages(), [0]);
        assert_eq!(servers.in_clear(0, "MAIL"), 0);
    }
}

#[test]
fn tls_required_no_is_sent_as_without_dane() {
    let other = Identity::of("mx.example.test");
    let message = "Subject: your certificate\nTLS-Required: No\n\nbody\n";
    for (tls, is_tls) in
        [(Tls::Good, true), (Tls::No, false), (Tls::Refused, false), (Tls::Broken, false)]
    {
        let servers = Servers::start(&[Behaviour { tls, ..Behaviour::default() }]);
        let zone = servers.zone(Some(&tlsa(&other)));
        let port = servers.port.to_string();
        let arguments = ["--port", &port, "--json", "ann@example.test"];
        let options = "hosts_require_tls = \"*\"";
        let outcome = send_message(&zone, options, &arguments, message).outcome();
        assert_eq!(outcome["result"], "delivered", "{tls:?}: {outcome}");
        assert_eq!(outcome["tls"].is_object(), is_tls, "{tls:?}");
        // REQUIRETLS goes before the field.
        let arguments = [&arguments[..], &["--require-tls"]].concat();
        let outcome = send_message(&zone, options, &arguments, message).outcome();
        assert_eq!(outcome["result"], "failed", "{tls:?}: {outcome}");
    }
}

/// RFC 8689 section 5: a bounce is not lost because a server lacks REQUIRETLS or a certificate.
#[test]
fn a_bounce_goes_on_where_a_demand_of_requiretls_is_not_met() {
    for (tls, offers, is_passed_on) in [
        (Tls::Good, OFFERED, true),
        (Tls::Good, IN_CLEAR, false),
        (Tls::No, OFFERED, false),
        (Tls::Broken, OFFERED, false),
    ] {
        let servers = Servers::start(&[Behaviour { tls, offers, ..Behaviour::default() }]);
        let port = servers.port.to_string();
        let arguments = [BOUNCE, "--port", &port, "--json", "--require-tls", "ann@example.test"];
        let sent = send(&servers.zone(None), "", &arguments);
        assert_eq!(sent.outcome()["result"], "delivered", "{tls:?}: {}", sent.out);
        let told = servers.list[0].told();
        let mails: Vec<_> = told.clear.iter().chain(&told.secret).collect();
        let [mail] = mails.iter().filter(|line| line.starts_with("MAIL")).collect::<Vec<_>>()[..]
        else {
            panic!("{tls:?}: {mails:?}")
        };
        assert!(mail.starts_with("MAIL FROM:<>"), "{mail}");
        assert_eq!(mail.contains(" REQUIRETLS"), is_passed_on, "{tls:?}: {mail}");
    }
    // DANE decides about it as about any other message.
    let servers = Servers::start(&[Behaviour { tls: Tls::No, ..Behaviour::default() }]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let port = servers.port.to_string();
    let arguments = [BOUNCE, "--port", &port, "--json", "--require-tls", "ann@example.test"];
    assert_eq!(send(&zone, "", &arguments).outcome()["result"], "deferred");
    // REQUIRETLS goes before the field.
    let message = "TLS-Required: No\n\nbody\n";
    let outcome = send_message(&zone, "", &arguments, message).outcome();
    assert_eq!(outcome["result"], "deferred", "{outcome}");
}
