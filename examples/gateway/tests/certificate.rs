//! The fields of certificates.

use std::process::Command;
use std::sync::Arc;

use event_expand::{Event, EventName};
use mail_types::exim::Trust;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256,
    SanType, SerialNumber, date_time_ymd,
};

use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::events::outgoing_tls::{OutgoingSession, OutgoingTls};
use crate::gateway::events::raised_event::{Facts, RaisedEvent};
use crate::gateway::events::record;
use crate::gateway::lookups::certificate::field;
use crate::gateway::policy::host_list::HostList;
use crate::gateway::policy::outgoing::{Outgoing, OutgoingHost};
use crate::gateway::policy::place::Place;

/// A certificate with each field, and with what must be escaped.
fn certificate() -> Vec<u8> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "GB");
    name.push(DnType::OrganizationName, "Ex, Ltd");
    name.push(DnType::OrganizationalUnitName, " #a\n");
    name.push(DnType::CommonName, "Zoë+\"b\"");
    // An address, and a type without a name.
    name.push(DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]), "a@b.example");
    name.push(DnType::CustomDnType(vec![1, 3, 6, 1, 4, 1, 99_999]), "x");
    params.distinguished_name = name;
    params.serial_number = Some(SerialNumber::from_slice(&[0, 0x0a, 0xbc]));
    params.not_before = date_time_ymd(2026, 1, 2);
    params.not_after = date_time_ymd(2051, 12, 31);
    params.subject_alt_names = vec![
        SanType::DnsName("a.example".try_into().unwrap()),
        SanType::URI("http://x/?a;b".try_into().unwrap()),
        SanType::Rfc822Name("m@x.example".try_into().unwrap()),
        SanType::DnsName("*.b.example".try_into().unwrap()),
        SanType::IpAddress("192.0.2.1".parse().unwrap()),
        SanType::DnsName("c.example\nd.example".try_into().unwrap()),
    ];
    // OCSP at http://o/ and a CA's certificate at http://c/.
    let access = b"0.0\x15\x06\x08+\x06\x01\x05\x05\x070\x01\x86\x09http://o/0\x15\x06\x08+\x06\x01\x05\x05\x070\x02\x86\x09http://c/";
    let points = b"0\x110\x0f\xa0\x0d\xa0\x0b\x86\x09http://l/";
    params.custom_extensions = vec![
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access.to_vec()),
        CustomExtension::from_oid_content(&[2, 5, 29, 31], points.to_vec()),
    ];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

const SUBJECT: &str = "1.3.6.1.4.1.99999=#0C0178,emailAddress=a@b.example,CN=Zoë\\+\\\"b\\\",OU=\\ #a\\0A,\
    O=Ex\\, Ltd,C=GB";

/// As Exim 4.96 with OpenSSL; names by RFC 4514.
#[test]
fn each_field_is_in_exims_form() {
    let certificate = certificate();
    for (selector, expected) in [
        ("version", "3"),
        ("serial_number", "abc"),
        (" subject ", SUBJECT),
        ("issuer", SUBJECT),
        ("subject,CN", "Zoë\\+\\\"b\\\""),
        ("subject,o", "Ex, Ltd"),
        (
            "subject,>;",
            "1.3.6.1.4.1.99999=#0C0178;emailAddress=a@b.example;CN=Zoë\\+\\\"b\\\";OU=\\ #a\\0A;O=Ex, Ltd;C=GB",
        ),
        ("issuer,O,>,", "Ex,, Ltd"),
        ("notbefore", "Jan  2 00:00:00 2026 GMT"),
        ("notbefore,int", "1767312000"),
        ("notafter", "Dec 31 00:00:00 2051 GMT"),
        ("notafter,int", "2587593600"),
        ("sig_algorithm", "ecdsa-with-SHA256"),
        ("subj_altname", "DNS=a.example\nURI=http://x/?a;b\nMAIL=m@x.example\nDNS=*.b.example"),
        ("subj_altname,dns", "a.example\n*.b.example"),
        ("subj_altname,>:,dns", "a.example:*.b.example"),
        ("subj_altname,uri,>;", "http://x/?a;;b"),
        ("subj_altname,mail", "m@x.example"),
        ("ocsp_uri", "http://o/"),
        ("crl_uri,>;", "http://l/"),
        ("2.5.29.31", "30 11 30 0f a0 0d a0 0b 86 09 68 74 74 70 3a 2f 2f 6c 2f"),
    ] {
        let found = field(&certificate, selector.as_bytes());
        assert_eq!(found, Ok(Some(expected.to_owned())), "{selector}");
    }
    for absent in ["subject,DC", "1.2.3"] {
        assert_eq!(field(&certificate, absent.as_bytes()), Ok(None), "{absent}");
    }
    let signature = field(&certificate, b"signature").unwrap().unwrap();
    let end: Vec<_> = signature.split(' ').map(|o| u8::from_str_radix(o, 16).unwrap()).collect();
    assert!(certificate.ends_with(&end) && end.len() > 64);
}

#[test]
fn openssl_writes_names_and_dates_in_the_same_form() {
    let (scratch, certificate) = (Scratch::new(), certificate());
    let file = scratch.path().join("certificate.der");
    std::fs::write(&file, &certificate).unwrap();
    let file = file.display().to_string();
    let options =
        ["-subject", "-nameopt", "RFC2253,-esc_msb", "-enddate", "-ext", "subjectAltName"];
    let arguments = [&["x509", "-inform", "DER", "-noout", "-in", &file][..], &options].concat();
    let Ok(said) = Command::new("openssl").args(arguments).output() else {
        assert!(std::env::var_os("CI").is_none(), "openssl is missing");
        return eprintln!("SKIPPED: without openssl");
    };
    let said = String::from_utf8(said.stdout).unwrap();
    let of = |name: &[u8]| field(&certificate, name).unwrap().unwrap();
    assert!(said.contains(&format!("subject={}\n", of(b"subject"))), "{said}");
    assert!(said.contains(&format!("notAfter={}\n", of(b"notafter"))), "{said}");
}

#[test]
fn what_names_no_field_says_so() {
    for (selector, message) in [
        ("", "\"\" is not a field of a certificate"),
        ("subjects", "\"subjects\" is not a field of a certificate"),
        ("9", "\"9\" is not a field of a certificate"),
        ("version,int", "the field version has no modifier \"int\""),
        ("notafter,INT", "the field notafter has no modifier \"INT\""),
        ("notafter,>;", "the field notafter is not a list: a separator has no effect"),
        ("subj_altname,ip", "the field subj_altname has no modifier \"ip\""),
        ("subj_altname,dns,uri", "\"uri\": only one word and one separator can modify a field"),
        ("subject,>;,>:", "\">:\": only one word and one separator can modify a field"),
        ("subject,>;CN", "> needs one separator, then a comma or the end"),
        ("subject,>", "> needs one separator, then a comma or the end"),
    ] {
        let error = field(&certificate(), selector.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, message);
    }
    assert!(field(b"", b"version").is_err() && field(b"\x30\x00", b"version").is_err());
}

/// A hostile certificate has an error or a text, whatever is changed in it.
#[test]
fn a_changed_octet_is_no_panic() {
    let sound = certificate();
    for at in 0..sound.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = sound.clone();
            changed[at] ^= change;
            for selector in [
                "subject",
                "subject,>;",
                "subj_altname",
                "ocsp_uri",
                "crl_uri",
                "notafter",
                "2.5.29.31",
            ] {
                let found = field(&changed, selector.as_bytes());
                let is_printable = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
                assert!(found.ok().flatten().is_none_or(|text| is_printable(&text)));
            }
        }
        assert!(field(&sound[..at], b"version").is_err());
    }
}

#[tokio::test]
async fn a_list_reads_the_certificate_of_a_next_hop() {
    let session = OutgoingSession { peercert: Some(certificate()), ..OutgoingSession::default() };
    let secured = OutgoingTls { session: Some(session), ..OutgoingTls::default() };
    let services = Scenario::new().services;
    for (list, tls, inside) in [
        ("${certextract{subject,C}{$tls_out_peercert}{*}}", &secured, true),
        ("${certextract{subject,DC}{$tls_out_peercert}{*}}", &secured, false),
        ("${certextract{subject,C}{$tls_out_peercert}{*}}", &OutgoingTls::default(), false),
        (
            "${if eq{${strlen:${sha256:$tls_out_peercert}}/$tls_out_peercert}{64/<cert>}{*}}",
            &secured,
            true,
        ),
        ("${if def:tls_out_peercert{}{*}}", &OutgoingTls::default(), true),
        // This host shows no certificate to servers.
        ("${if def:tls_out_ourcert{}{*}}", &secured, true),
        ("${certextract{subject}{$tls_out_ourcert}{}{*}}", &secured, true),
    ] {
        let host = OutgoingHost {
            primary_hostname: "gw.example",
            domain: "b.example",
            host: "mx.b.example",
            address: None,
            tls,
        };
        let mut outgoing = Outgoing::new(host, &*services.lookups);
        let (language, gateway) = (Arc::default(), "gw.example".parse().unwrap());
        let list_of_hosts = HostList::read(list, Place::Outgoing, &language, &gateway).unwrap();
        let found = list_of_hosts.contains(&mut outgoing, None, [192, 0, 2, 1].into()).await;
        assert_eq!((found, outgoing.take_log()), (Ok(inside), vec![]), "{list}");
    }
}

#[test]
fn an_event_in_a_file_keeps_its_certificate() {
    let event = Event::new(EventName::TlsCert);
    let event = event.with("tls_out_peercert", &certificate(), Trust::Untrusted);
    let raised = RaisedEvent::new(event, Facts::default());
    let mut out = Vec::new();
    record::write(&raised, &mut out);
    assert_eq!(record::parse(&out), Ok((&b""[..], raised)));
}

#[test]
fn a_wrong_certextract_is_refused_at_the_start() {
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
    for (text, message) in [
        (
            "[remote_smtp]\nhosts_try_prdr = '${certextract{subjet}{$tls_out_peercert}}'",
            "line 4: remote_smtp.hosts_try_prdr: byte 0: certextract: \"subjet\" is not a field of a certificate",
        ),
        (
            "[remote_smtp]\nhosts_try_prdr = '${certextract{subject}{$host}}'",
            "line 4: remote_smtp.hosts_try_prdr: byte 0: certextract: $host is not a certificate here",
        ),
        (
            "host_lookup = '${certextract{subject}{$tls_out_peercert}}'",
            "line 3: host_lookup: byte 0: certextract: $tls_out_peercert is not a certificate here",
        ),
        (
            "[remote_smtp]\nevent_action = '${certextract{version,int}{$tls_out_peercert}}'",
            "line 4: [remote_smtp] event_action: byte 0: certextract: the field version has no modifier \"int\"",
        ),
    ] {
        let error = Config::parse(&format!("{relay}{text}")).unwrap_err().to_string();
        assert_eq!(error, message);
    }
}
