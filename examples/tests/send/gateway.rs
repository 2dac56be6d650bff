//! `send` to the gateway, and from there to a next hop.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fallback::Servers;
use super::gateway_program::{Files, Program};
use super::program::{BOUNCE, Sent, pem, send, tlsa};
use super::server::{Behaviour, Identity, Tls};

/// The program, which ends with the test.
struct Gateway {
    // Before the files, which it uses.
    program: Program,
    _files: Files,
    port: String,
    identity: Identity,
}

impl Gateway {
    /// Starts one that relays for `example.test` to the first of the servers, whose certificate it trusts.
    fn start(servers: &Servers, options: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let files = Files::new(&format!("send-gateway-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let identity = Identity::of("gw.test");
        let (own, authorities) = (files.path("own.pem"), files.path("authorities.pem"));
        fs::write(&own, pem(&identity) + &identity.key.serialize_pem()).unwrap();
        fs::write(&authorities, pem(&servers.identity)).unwrap();
        let config = files.path("gateway.toml");
        let text = fs::read_to_string(&config).unwrap();
        let text = format!(
            "{text}tls_certificate = '{}'\nrelay_to_domains = 'example.test'\nroute_data = '{}'\n\
             [remote_smtp]\ntls_verify_certificates = '{}'\n{options}\n",
            own.display(),
            servers.list[0].address,
            authorities.display()
        );
        fs::write(&config, text).unwrap();
        let mut program = files.start(&[]);
        let port = program.address().rsplit_once(':').unwrap().1.to_owned();
        Self { program, _files: files, port, identity }
    }

    /// Sends a message to it, authenticated by DANE.
    fn send(&self, arguments: &[&str]) -> Sent {
        let (record, port) = (tlsa(&self.identity), &*self.port);
        let zone = format!(
            "example.test. MX 10 gw.test.\ngw.test. A 127.0.0.1\n_{port}._tcp.gw.test. TLSA {record}\n"
        );
        let (first, rest) = match arguments {
            [first, rest @ ..] if *first == BOUNCE => (&[BOUNCE][..], rest),
            rest => (&[][..], rest),
        };
        let fixed = ["--port", port, "--json", "ann@example.test"];
        send(&zone, "", &[first, &fixed, rest].concat())
    }

    fn log(&self) -> String {
        self.program.log()
    }

    /// Ends it as an administrator does.
    fn stop(self) {
        assert!(self.program.stop().success());
    }
}

const OFFERED: [&[&str]; 2] = [&["PIPELINING"], &["PIPELINING", "REQUIRETLS"]];
const NOT_OFFERED: [&[&str]; 2] = [&["PIPELINING"], &["PIPELINING"]];

/// A next hop whose certificate has its address.
fn next_hop(tls: Tls, offers: [&'static [&'static str]; 2]) -> Servers {
    let behaviour = Behaviour { tls, offers, ..Behaviour::default() };
    Servers::start_with(Identity::of("127.0.0.2"), &[behaviour])
}

/// RFC 8689 section 5: the client that waits gets the code.
#[test]
fn the_client_of_a_relay_learns_why_a_message_with_requiretls_is_refused() {
    for (tls, offers, code) in [
        (Tls::Good, OFFERED, None),
        (Tls::Good, NOT_OFFERED, Some("550 5.7.30 ")),
        (Tls::No, OFFERED, Some("550 5.7.10 ")),
        (Tls::Broken, OFFERED, Some("550 5.7.10 ")),
    ] {
        let servers = next_hop(tls, offers);
        let gateway = Gateway::start(&servers, "");
        let outcome = gateway.send(&["--require-tls"]).outcome();
        let told = servers.list[0].told();
        let mail = told.secret.iter().find(|line| line.starts_with("MAIL"));
        if let Some(code) = code {
            assert_eq!(outcome["result"], "failed", "{outcome}");
            let reason = outcome["reason"].as_str().unwrap();
            assert!(reason.starts_with(code), "{tls:?}: {reason}");
            assert_eq!((mail, servers.in_clear(0, "MAIL")), (None, 0), "{tls:?}");
        } else {
            assert_eq!(outcome["result"], "delivered", "{outcome}\n{}", gateway.log());
            assert!(mail.unwrap().ends_with(" REQUIRETLS"), "{mail:?}");
        }
        // A bounce goes on, and takes REQUIRETLS where it is offered.
        let bounce = gateway.send(&[BOUNCE, "--require-tls"]).outcome();
        assert_eq!(bounce["result"], "delivered", "{tls:?}: {bounce}");
        gateway.stop();
    }
}

/// The line is JSON in the terms of RFC 8460.
#[test]
fn the_log_has_a_line_for_reports_about_tls() {
    for (tls, failure) in [(Tls::Good, None), (Tls::No, Some("starttls-not-supported"))] {
        let servers = next_hop(tls, OFFERED);
        let gateway = Gateway::start(&servers, "");
        assert_eq!(gateway.send(&[]).outcome()["result"], "delivered");
        let log = gateway.log();
        let lines =
            log.lines().filter_map(|line| line.split_once("TLS report ")?.1.split_once('}'));
        let lines: Vec<serde_json::Value> =
            lines.map(|(line, _)| serde_json::from_str(&format!("{line}}}")).unwrap()).collect();
        let [line] = lines.as_slice() else { panic!("{log}") };
        assert_eq!(line["policy-type"], "no-policy-found", "{line}");
        assert_eq!(line["receiving-ip"], "127.0.0.2", "{line}");
        assert_eq!(line["result-type"].as_str(), failure, "{line}");
    }
}
