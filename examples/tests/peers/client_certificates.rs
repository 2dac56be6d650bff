//! Clients with certificates: Exim and `openssl s_client`.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use std::{fs, io::Write as _};

use rusqlite::Connection;

use super::authority::Authority;
use super::block::Block;
use super::gateway::Gateway;
use super::servers::{Peers, have, text};
use super::stapled::certificate;
use super::staples_exim::ForExim;

const MESSAGE: &str = "Subject: hello\n\ntext\n";
/// The fields of a message about its client.
const SHOWN: &str = "[[acl_smtp_mail]]\nverb = 'warn'\n\
    add_header = 'X-Client: $tls_in_certificate_verified $tls_in_peerdn \
    ${certextract{serial_number}{$tls_in_peercert}}'\n";

/// An authority, with a certificate for the gateway, a valid and a revoked one; and another authority.
fn authorities(block: &Block) -> (Authority, Authority) {
    let name = |which: &str| format!("clients-{which}-{}", block.first());
    let mut ours = Authority::make(&name("ours"), block.own(9));
    for (name, status) in [("mx.test", "V"), ("client.test", "V"), ("stolen.test", "R")] {
        ours.issue(name, status);
    }
    ours.list_revoked("crl.pem");
    let mut other = Authority::make(&name("other"), block.own(9));
    other.issue("other.test", "V");
    (ours, other)
}

/// As Exim's client sees it: the options `tls_verify_hosts` and `tls_try_verify_hosts` of its own server
/// have these outcomes.
#[test]
fn exim_delivers_where_its_certificate_is_valid_or_need_not_be() {
    if !have(&["exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let (ours, other) = authorities(&block);
    let (peers, for_exim) = (Peers::of(&block), ForExim::new(&block));
    let verify = format!("tls_verify_certificates = '{}'\n", ours.path("ca.pem"));
    let crl = format!("tls_crl = '{}'\n", ours.path("crl.pem"));
    let (need, try_it) = ("tls_verify_hosts = '127.0.0.3'\n", "tls_try_verify_hosts = '*'\n");
    let elsewhere = "tls_verify_hosts = '192.0.2.1'\n";
    let (none, valid) = (None, Some((&ours, "client.test")));
    let (stolen, foreign) = (Some((&ours, "stolen.test")), Some((&other, "other.test")));
    for (options, client, outcome) in [
        (need.to_owned(), none, None),
        (need.to_owned(), valid, Some("1 CN=client.test 1002")),
        (need.to_owned(), stolen, Some("1 CN=stolen.test 1003")),
        (need.to_owned(), foreign, None),
        (format!("{need}{crl}"), valid, Some("1 CN=client.test 1002")),
        (format!("{need}{crl}"), stolen, None),
        (try_it.to_owned(), none, Some("0")),
        (try_it.to_owned(), valid, Some("1 CN=client.test 1002")),
        (try_it.to_owned(), foreign, Some("0 CN=other.test 1001")),
        (format!("{try_it}{crl}"), stolen, Some("0 CN=stolen.test 1003")),
        (format!("{try_it}{need}"), none, None),
        // A client that is not asked for a certificate shows none.
        (elsewhere.to_owned(), valid, Some("0")),
    ] {
        let base = certificate(&ours, "mx.test");
        let mut gateway = Gateway::start(block.own(0), &format!("{base}{options}{verify}{SHOWN}"));
        let mut client_options = "hosts_require_tls = *\ntls_verify_certificates =".to_owned();
        if let Some((authority, name)) = client {
            for (option, end) in [("tls_certificate", "pem"), ("tls_privatekey", "key")] {
                let file = for_exim.put(authority, &format!("{name}.{end}"));
                client_options.extend(["\n", option, " = ", &file]);
            }
        }
        let (address, to) = (gateway.address(), ["ann@local.test"]);
        let (sent, log) = peers.exim_send_by(&address, &to, MESSAGE, &client_options);
        assert_eq!(sent, outcome.is_some(), "{options}{client_options}: {log}{}", gateway.log());
        if let Some(shown) = outcome {
            let message = gateway.message("text");
            assert!(message.contains(&format!("X-Client: {shown}\r\n")), "{options}: {message}");
            // As in the log of Exim's server: `X=TLS1.3:…:256 CV=yes S=…`.
            let verified = if shown.starts_with('1') { "yes" } else { "no" };
            let [arrival] = gateway.arrivals().try_into().unwrap();
            let (_, tls) = arrival.split_once(" P=esmtps X=TLS1.3:").unwrap();
            assert!(tls.contains(&format!(":256 CV={verified} S=")), "{options}: {arrival}");
        }
    }
}

/// Asks for TLS with a certificate, and then for a reset; returns all that the server said.
pub(crate) fn talk(address: &str, authority: &Authority, name: &str) -> String {
    let file = |end: &str| authority.path(&format!("{name}.{end}"));
    let (own, key, ca) = (file("pem"), file("key"), authority.path("ca.pem"));
    let arguments = ["-quiet", "-cert", &own, "-key", &key, "-cert_chain", &ca];
    say(address, &arguments, &["EHLO client.test", "RSET", "QUIT"])
}

/// Says these lines over TLS, with these arguments of `openssl s_client`; returns all that it shows.
pub(crate) fn say(address: &str, arguments: &[&str], lines: &[&str]) -> String {
    let mut client = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-connect", address])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    for line in lines {
        thread::sleep(Duration::from_millis(300));
        // The server may have closed.
        let _ = input.write_all(format!("{line}\r\n").as_bytes());
    }
    drop(input);
    text(&client.wait_with_output().unwrap().stdout)
}

#[test]
fn an_action_refuses_a_certificate_by_its_fingerprint_in_sqlite() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let (ours, _) = authorities(&block);
    let action = "event_select = 'tls:cert'\nevent_failure = 'refuse'\nevent_action = \"${lookup sqlite{\
        SELECT why FROM bad WHERE fingerprint='${quote_sqlite:${sha256:$tls_in_peercert}}'}}\"\n";
    let options = format!(
        "{}tls_try_verify_hosts = '*'\ntls_verify_certificates = '{}'\n{action}",
        certificate(&ours, "mx.test"),
        ours.path("ca.pem")
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let reset =
        |gateway: &Gateway, name| talk(&gateway.address(), &ours, name).contains("250 2.0.0");
    // Without the table the action fails, which refuses.
    assert!(!reset(&gateway, "client.test"));
    let database = Connection::open(gateway.folder().join("spool/gateway.sqlite")).unwrap();
    database.execute_batch("CREATE TABLE bad (fingerprint TEXT, why TEXT)").unwrap();
    assert!(reset(&gateway, "stolen.test"), "{}", gateway.log());
    let shell =
        format!("openssl x509 -in {} -outform DER | sha256sum", ours.path("stolen.test.pem"));
    let digest = Command::new("sh").args(["-c", &shell]).output().unwrap();
    let digest = text(&digest.stdout)[..64].to_uppercase();
    database.execute("INSERT INTO bad VALUES (?1, 'it was stolen')", [digest]).unwrap();
    assert!(!reset(&gateway, "stolen.test"));
    assert!(reset(&gateway, "client.test"));
    gateway.line(
        "STARTTLS: the certificate at depth 0 (CN=stolen.test) is refused by an action of tls:cert",
    );
    gateway.line("tls:cert event requests alternate response: it was stolen");
}

/// The same action in Exim, built with `GnuTLS`, and in the gateway. Names of the two differ in their order, and
/// names of algorithms too.
#[test]
fn exim_extracts_the_same_fields() {
    if !have(&["exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let (mut ours, _) = authorities(&block);
    let extensions = [
        "subjectAltName=DNS:a.test,email:m@b.test,URI:http://c.test/?x\\;y,IP:192.0.2.1,DNS:*.d.test",
        "authorityInfoAccess=OCSP;URI:http://o.test/,OCSP;URI:http://p.test/",
        "crlDistributionPoints=URI:http://l.test/a.crl",
    ];
    ours.issue_with("fields.test", "V", "-algorithm RSA", &extensions);
    let said = telling_all("tls_in_peercert");
    let action = format!("${{if eq{{$event_name:$event_data}}{{tls:cert:0}}{{{said}}}}}");
    let (ca, server) = (ours.path("ca.pem"), certificate(&ours, "mx.test"));
    let gateway = Gateway::start(
        block.own(0),
        &format!(
            "{server}tls_try_verify_hosts = '*'\ntls_verify_certificates = '{ca}'\nevent_action = '{action}'\n"
        ),
    );
    talk(&gateway.address(), &ours, "fields.test");
    let (peers, for_exim) = (Peers::of(&block), ForExim::new(&block));
    let [ca, pem, key] =
        ["ca.pem", "mx.test.pem", "mx.test.key"].map(|file| for_exim.put(&ours, file));
    let options = format!(
        "tls_advertise_hosts = *\ntls_certificate = {pem}\ntls_privatekey = {key}\ntimezone = UTC\n\
         tls_try_verify_hosts = *\ntls_verify_certificates = {ca}\nevent_action = {action}"
    );

    let listeners = peers.start_with(&options, &["exim"]);
    let of = |kind: &str| {
        let mut all = listeners.iter();
        all.find(|listener| listener.kind == kind).unwrap().address.clone()
    };
    talk(&of("tcp"), &ours, "fields.test");
    let log = fs::read_to_string(format!("{}/log/mainlog", of("files"))).unwrap();
    assert_eq!(shown(&gateway.log()), shown(&log));
}

/// The text of [`telling_all`], in a log.
pub(crate) fn shown(log: &str) -> &str {
    let start = log.find("BEGIN").unwrap_or_else(|| panic!("{log}"));
    let end = log[start..].find("END").unwrap();
    &log[start..start + end]
}

/// A text that tells all of the certificate of a variable.
pub(crate) fn telling_all(variable: &str) -> String {
    let each = FIELDS
        .map(|field| format!("${{certextract{{{field}}}{{${variable}}}{{<$value>}}{{none}}}}"));
    let digests =
        ["md5", "sha1", "sha256", "base64"].map(|name| format!("${{{name}:${variable}}}"));
    format!("BEGIN {} {} ${variable} END", each.join(" "), digests.join(" "))
}

const FIELDS: [&str; 19] = [
    "version",
    "serial_number",
    "subject",
    "subject,CN",
    "subject,OU",
    "issuer",
    "subject,>!",
    "notbefore",
    "notafter",
    "notbefore,int",
    "notafter,int",
    "signature",
    "subj_altname,>+",
    "subj_altname,dns,>;",
    "subj_altname,mail",
    "subj_altname,uri,>;",
    "ocsp_uri,>+",
    "crl_uri",
    "2.5.29.17",
];
