//! How a connection is secured, by handshakes in memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
use dane_tlsa::{NextHop, Policy, TlsaRecord};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConnection, Error, HandshakeKind, ServerConfig, ServerConnection};

use super::scratch::Scratch;
use super::tls_server::TlsServer;
use crate::gateway::delivery::authorities::Authorities;
use crate::gateway::delivery::connection::{TlsClient, TlsPlan};
use crate::gateway::delivery::hosts::RemoteHost;
use crate::gateway::delivery::security::{HostChoices, SecurityError, TlsBase};
use crate::gateway::delivery::settings::VerifyCertificates;

const HOST: &str = "mx.example.com";

/// The host, with these TLSA records.
fn host(records: &[TlsaRecord]) -> RemoteHost {
    let records = records.iter().map(|record| format!("_25._tcp.{HOST}. TLSA {record}\n"));
    let text = format!("{HOST}. A 192.0.2.1\n{}", records.collect::<String>());
    let zone = Zone::parse(&text).unwrap().with_security(DnssecStatus::Secure);
    let policy = Policy::new(NextHop::Relay(HOST.parse().unwrap()), 25);
    let decision = policy.session().run(|question| zone.answer(question));
    RemoteHost {
        policy: decision.hosts()[0].clone(),
        found_securely: Some(true),
        reported: None,
        unused: None,
    }
}

/// Does the handshake; returns the client's error, if any.
fn handshake(secured: &TlsClient, server: &TlsServer) -> Result<(), Error> {
    handshake_with(secured, &Arc::new(server.config())).map(|_| ())
}

/// The same, with a server that may know the client; the tickets that it sends are taken.
#[expect(clippy::unwrap_in_result, reason = "what is in memory works; the result is the client's")]
fn handshake_with(secured: &TlsClient, server: &Arc<ServerConfig>) -> Result<HandshakeKind, Error> {
    let config = Arc::clone(&secured.config);
    let mut client = ClientConnection::new(config, secured.server_name.clone()).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut octets = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut octets).unwrap();
        }
        server.read_tls(&mut octets.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut octets = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut octets).unwrap();
        }
        let mut octets = octets.as_slice();
        while !octets.is_empty() {
            client.read_tls(&mut octets).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client.handshake_kind().unwrap())
}

/// The security that the choices give with a server: `clear`, `offered` or `required`, and then `dane`, `yes`, `no` or
/// `refused`.
fn found(
    server: &TlsServer,
    host: &RemoteHost,
    choices: HostChoices,
    certificates: VerifyCertificates,
    crl: Option<&Path>,
) -> String {
    let provider = Arc::new(default_provider());
    let authorities = Authorities::open(certificates, crl.map(Into::into), &provider).unwrap();
    let base = TlsBase::new(&provider).unwrap();
    let (word, secured) = match base.security(host, choices, &authorities.verifier(), None).unwrap()
    {
        TlsPlan::Clear => return "clear".to_owned(),
        TlsPlan::IfOffered(secured) => ("offered", secured),
        TlsPlan::Required(secured) => ("required", secured),
    };
    let result = match handshake(&secured, server) {
        Err(_) => "refused",
        Ok(()) if secured.check.authentication().is_dane() => "dane",
        Ok(()) if secured.check.authentication().is_verified() => "yes",
        Ok(()) => "no",
    };
    let clear = if secured.may_clear { ", clear" } else { "" };
    format!("{word} {result}{clear}")
}

/// The defaults of Exim's transport.
fn defaults() -> HostChoices {
    HostChoices {
        try_clear: true,
        try_verify: true,
        verify_name: true,
        request_ocsp: true,
        ..HostChoices::default()
    }
}

/// A row of a table: the option, the choices with it, the authorities, whether there is a revocation list, the
/// name in the certificate, and the results without and with DANE.
type Row<'a> = (&'a str, HostChoices, bool, Option<u64>, &'a str, &'a str, &'a str);

/// The defaults, and the options of verification.
fn rows() -> Vec<Row<'static>> {
    let without = defaults();
    vec![
        ("the defaults", without, true, None, HOST, "offered yes, clear", "required dane"),
        (
            "hosts_require_tls",
            HostChoices { require_tls: true, ..without },
            true,
            None,
            HOST,
            "required yes",
            "required dane",
        ),
        // The certificate of another authority.
        ("tls_try_verify_hosts", without, false, None, HOST, "offered no, clear", "required dane"),
        (
            "tls_verify_hosts",
            HostChoices { verify: true, ..without },
            false,
            None,
            HOST,
            "offered refused, clear",
            "required dane",
        ),
        (
            "tls_verify_hosts and hosts_require_tls",
            HostChoices { verify: true, require_tls: true, ..without },
            false,
            None,
            HOST,
            "required refused",
            "required dane",
        ),
        (
            "tls_verify_hosts, and no tls_tempfail_tryclear",
            HostChoices { verify: true, try_clear: false, ..without },
            false,
            None,
            HOST,
            "offered refused",
            "required dane",
        ),
        (
            "no tls_try_verify_hosts",
            HostChoices { try_verify: false, ..without },
            true,
            None,
            HOST,
            "offered no, clear",
            "required dane",
        ),
    ]
}

/// The options of names and revocation lists, and the one that avoids TLS.
fn other_rows() -> Vec<Row<'static>> {
    let without = defaults();
    vec![
        // The certificate of another host.
        (
            "tls_verify_cert_hostnames",
            HostChoices { verify: true, ..without },
            true,
            None,
            "other.example",
            "offered refused, clear",
            "required dane",
        ),
        (
            "no tls_verify_cert_hostnames",
            HostChoices { verify: true, verify_name: false, ..without },
            true,
            None,
            "other.example",
            "offered yes, clear",
            "required dane",
        ),
        // A list that names this certificate, and one that names another.
        (
            "tls_crl",
            HostChoices { verify: true, ..without },
            true,
            Some(7),
            HOST,
            "offered refused, clear",
            "required dane",
        ),
        (
            "tls_crl of another",
            HostChoices { verify: true, ..without },
            true,
            Some(8),
            HOST,
            "offered yes, clear",
            "required dane",
        ),
        (
            "hosts_avoid_tls",
            HostChoices { avoid_tls: true, ..without },
            true,
            None,
            HOST,
            "clear",
            "required dane",
        ),
    ]
}

#[test]
fn dane_makes_six_options_ignored_which_do_what_they_say_without_it() {
    for (option, choices, own, revoked, name, without_dane, with_dane) in
        rows().into_iter().chain(other_rows())
    {
        let (server, other) = (TlsServer::of(name), TlsServer::of(HOST));
        let of = if own { &server } else { &other };
        let certificates = || VerifyCertificates::File(of.path("ca.pem"));
        let crl = revoked.map(|serial| {
            server.revoke(serial);
            server.path("crl.pem")
        });
        let result = |records: &[TlsaRecord]| {
            found(&server, &host(records), choices, certificates(), crl.as_deref())
        };
        assert_eq!(result(&[]), without_dane, "{option}");
        assert_eq!(result(&[server.record(true)]), with_dane, "{option} with DANE");
        // And it does not make up for a record that does not match.
        assert_eq!(result(&[server.record(false)]), "required refused", "{option}, no match");
    }
}

#[test]
fn without_authorities_nobody_is_verified_and_whoever_must_be_is_not_used() {
    let server = TlsServer::of(HOST);
    let result = |choices| found(&server, &host(&[]), choices, VerifyCertificates::None, None);
    assert_eq!(result(defaults()), "offered no, clear");
    let provider = Arc::new(default_provider());
    let authorities = Authorities::open(VerifyCertificates::None, None, &provider).unwrap();
    let base = TlsBase::new(&provider).unwrap();
    let choices = HostChoices { verify: true, ..defaults() };
    let refused = base.security(&host(&[]), choices, &authorities.verifier(), None).unwrap_err();
    assert_eq!(refused, SecurityError::NoAuthorities);
}

/// RFC 7672 section 2.2: the connection is encrypted, and nobody is authenticated.
#[test]
fn records_that_cannot_be_used_require_tls_and_authenticate_nobody() {
    let server = TlsServer::of("other.example");
    let records = ["1 1 1 0000000000000000000000000000000000000000000000000000000000000000"];
    let records = records.map(|record| record.parse().unwrap());
    let result = found(
        &server,
        &host(&records),
        defaults(),
        VerifyCertificates::File(server.path("ca.pem")),
        None,
    );
    assert_eq!(result, "required no");
}

/// A session of another policy would bring its authentication, or the lack of it.
#[test]
fn no_session_is_resumed() {
    let server = TlsServer::of(HOST);
    let provider = Arc::new(default_provider());
    let certificates = VerifyCertificates::File(server.path("ca.pem"));
    let authorities = Authorities::open(certificates, None, &provider).unwrap();
    let base = TlsBase::new(&provider).unwrap();
    let config = Arc::new(server.config());
    for records in [&[][..], &[server.record(true)], &[]] {
        let plan =
            base.security(&host(records), defaults(), &authorities.verifier(), None).unwrap();
        let client = plan.client().unwrap();
        for _ in 0..2 {
            let kind = handshake_with(client, &config).unwrap();
            assert_eq!(kind, HandshakeKind::Full);
        }
    }
}

/// A staple says nothing of a server that nobody has verified.
#[test]
fn a_required_staple_needs_a_verified_server() {
    let server = TlsServer::of(HOST);
    let choices = HostChoices { require_ocsp: true, ..defaults() };
    let result = found(&server, &host(&[]), choices, VerifyCertificates::None, None);
    assert_eq!(result, "required refused");
}

#[test]
fn files_are_read_again_when_they_change_and_the_last_good_one_stays() {
    let (server, other) = (TlsServer::of(HOST), TlsServer::of(HOST));
    let file = server.path("authorities.pem");
    fs::copy(other.path("ca.pem"), &file).unwrap();
    let provider = Arc::new(default_provider());
    let certificates = VerifyCertificates::File(file.clone());
    let authorities = Authorities::open(certificates, None, &provider).unwrap();
    let base = TlsBase::new(&provider).unwrap();
    let is_verified = || {
        let security =
            base.security(&host(&[]), defaults(), &authorities.verifier(), None).unwrap();
        let TlsPlan::IfOffered(secured) = security else { panic!("{security:?}") };
        handshake(&secured, &server).unwrap();
        secured.check.authentication().is_verified()
    };
    assert!(!is_verified());
    fs::copy(server.path("ca.pem"), &file).unwrap();
    assert!(is_verified());
    fs::write(&file, "no certificate").unwrap();
    assert!(is_verified());
}

#[test]
fn a_file_without_certificates_is_refused_with_the_cause() {
    let (scratch, server) = (Scratch::new(), TlsServer::of(HOST));
    let file = scratch.path().join("empty.pem");
    fs::write(&file, "").unwrap();
    let open = |crl: Option<_>| {
        let path = if crl.is_none() { file.clone() } else { server.path("ca.pem") };
        let (certificates, provider) =
            (VerifyCertificates::File(path), Arc::new(default_provider()));
        let error = Authorities::open(certificates, crl, &provider).unwrap_err();
        format!("{}: {error}", error.option())
    };
    let shown = file.display();
    assert_eq!(open(None), format!("tls_verify_certificates: {shown} has no certificate"));
    let list = format!("tls_crl: {shown} has no certificate revocation list");
    assert_eq!(open(Some(file.clone())), list);
    let absent = scratch.path().join("absent.pem");
    let cause = format!("tls_crl: cannot read {}: ", absent.display());
    assert!(open(Some(absent)).starts_with(&cause));
}
