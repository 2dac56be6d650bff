//! Sessions and configurations with TLS on connect.

use crate::gateway::config::Config;
use crate::gateway::smtp::tests::session::{Talk, settings};

#[test]
fn a_session_inside_tls_from_its_start_has_a_banner_and_offers_no_starttls() {
    let mut talk = Talk::new(settings());
    talk.session.handle_tls();
    assert_eq!(talk.replies(), "220 mx.example ESMTP\r\n");
    let offers = talk.say("EHLO client.example\r\n");
    assert!(offers.contains("REQUIRETLS") && !offers.contains("STARTTLS"), "{offers}");
    assert_eq!(talk.say("STARTTLS\r\n").get(..4), Some("502 "));
    // The word of a driver later on, without a handshake, means nothing.
    let mut clear = Talk::new(settings());
    clear.replies();
    clear.session.handle_tls();
    assert!(clear.say("EHLO client.example\r\n").contains("STARTTLS"));
}

#[test]
fn only_the_ports_that_are_named_begin_with_tls() {
    let text = "local_interfaces = '<; 127.0.0.1.25 ; 127.0.0.1.465 ; [::1]:465'\n\
                tls_on_connect_ports = '465'\ntls_advertise_hosts = ''\n";
    let listen = Config::parse(text).unwrap().server.startup.listen;
    let on_connect: Vec<_> = listen.iter().map(|interface| interface.tls_on_connect).collect();
    assert_eq!(on_connect, [false, true, true]);
}
