//! OCSP staples of the gateway, received by `openssl s_client`.

use std::fs;
use std::process::Command;

use rusqlite::Connection;

use super::authority::{Authority, ECDSA, MUST_STAPLE, RSA};
use super::block::Block;
use super::fronts;
use super::gateway::{Gateway, binary};
use super::metrics::wait_for_lines;
use super::servers::{have, output_of, swaks, text};
use super::stapled::{Seen, certificate, certificate_and_proof, look, look_with};

#[test]
fn a_proof_is_fetched_kept_over_a_restart_and_renewed_with_the_certificate() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("fetched-staples", block.own(1));
    let first = authority.issue("mx.test", "V");
    let responder = authority.respond();
    let port = block.own(2);
    let metrics = format!("metrics_interface = '127.0.0.1.{port}'\n");
    let options = metrics + &certificate(&authority, "mx.test");
    let mut gateway = Gateway::start(block.own(0), &options);
    gateway.line("OCSP staple is good until");
    let good = "gateway_certificates{staple=\"good\"} 1.0";
    let fetched = |count| format!("gateway_staple_fetches_total{{result=\"good\"}} {count}");
    wait_for_lines(&mut gateway, port, &[good, &fetched(1)]);
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&first));
    // Without the responder, and after a restart, it is still there.
    drop(responder);
    gateway.restart();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&first));
    wait_for_lines(&mut gateway, port, &[good, &fetched(0)]);
    // A new certificate has no staple of the old one.
    let second = authority.issue("mx.test", "V");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&second));

    gateway.line("/: cannot connect to the responder: 127.0.0.1:");
    gateway.line("Connection refused (os error 111) (failure 1, next at ");
    // One that is revoked has none at all.
    let third = authority.issue("mx.test", "R");
    let _responder = authority.respond();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&third));
    gateway.line(
        "the certificate is revoked since 2026-01-01T00:00:00Z: keyCompromise; no OCSP staple",
    );
    let none = "gateway_certificates{staple=\"none\"} 1.0";
    let revoked = "gateway_staple_fetches_total{result=\"revoked\"} 1";
    wait_for_lines(&mut gateway, port, &[none, revoked]);
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&third));
    // Without the issuer nothing can be asked, and the log says what is missing.
    let fourth = authority.issue("mx.test", "V");
    fs::copy(authority.path("new.leaf"), authority.path("mx.test.pem")).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&fourth));
    gateway.line("the certificate of the issuer \"CN=Authority of the tests\" is missing");
    // What cannot be used leaves the one before.
    fs::write(authority.path("mx.test.pem"), "no certificate\n").unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&fourth));
    gateway.line("the previous certificate stays in use");
}

#[test]
fn a_proof_in_a_file_is_looked_at_for_each_connection() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staple-files", block.own(1));
    let serial = authority.issue("mx.test", "V");
    authority.issue("other.test", "V");
    authority.issue("revoked.test", "R");
    let options = certificate_and_proof(&authority, "mx.test");
    let mut gateway = Gateway::start(block.own(0), &options);
    let file = authority.path("proof");
    let good = fs::read(&file).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    let replace = |bytes: &[u8]| {
        fs::write(authority.path("new"), bytes).unwrap();
        fs::rename(authority.path("new"), &file).unwrap();
    };
    for (bad, cause) in [
        (&b"<html>"[..], "the OCSP response is malformed: "),
        (&good[..good.len() / 2], "the OCSP response is malformed: "),
        (b"-----BEGIN CERTIFICATE-----\n", "it is not DER, and has no PEM block"),
        (b"\x30\x03\x0a\x01\x03", "the responder answers tryLater"),
    ] {
        replace(bad);
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial), "{cause}");
        gateway.line(cause);
        replace(&good);
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    }
    for (other, cause) in
        [("other.test", "is about another certificate"), ("revoked.test", "is about another")]
    {
        authority.prove(other, "proof");
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial), "{other}");
        gateway.line(cause);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial));
    gateway.line("cannot be read: entity not found; no OCSP staple");
    // A start without it is no less sound.
    gateway.restart();
    gateway.line("cannot be read: entity not found; no OCSP staple");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial));
    assert!(checked(&gateway).ends_with("entity not found; no OCSP staple\n"));
    let pem = data_encoding::BASE64_MIME.encode(&good);
    replace(
        format!("-----BEGIN OCSP RESPONSE-----\n{pem}-----END OCSP RESPONSE-----\n").as_bytes(),
    );
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    // It was told once, not for each connection.
    assert_eq!(gateway.log().matches("entity not found").count(), 1);
}

#[test]
fn certificates_and_proofs_are_chosen_by_the_name_that_a_client_asks_for() {
    if !have(&["openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-by-name", block.own(1));
    let (first, second) = (authority.issue("mx.test", "V"), authority.issue("second.test", "V"));
    authority.prove("mx.test", "mx.test.proof");
    authority.prove("second.test", "second.test.proof");
    fs::write(authority.path("names"), "second.test: second.test\n").unwrap();
    let events = Connection::open(authority.path("events.db")).unwrap();
    events.execute_batch("CREATE TABLE seen (tls_in_ocsp)").unwrap();
    let folder = authority.path("");
    let name = format!("${{lookup{{$tls_sni}}lsearch{{{folder}names}}{{$value}}{{mx.test}}}}");
    let options = format!(
        "lookup_directories = '{folder}'\ntls_certificate = '{folder}{name}.pem'\n\
         tls_privatekey = '{folder}{name}.key'\ntls_ocsp_file = '{folder}{name}.proof'\n\
         sqlite_dbfile = '{folder}events.db'\nevent_action = ''\n\
         [[acl_smtp_mail]]\nverb = 'warn'\n\
         log_message = 'sni=$tls_in_sni/$tls_sni ocsp=$tls_in_ocsp'\n\
         [[acl_smtp_mail]]\nverb = 'accept'\n[[acl_smtp_rcpt]]\nverb = 'accept'\n\
         [local_delivery]\n\
         event_action = '${{lookup sqlite{{INSERT INTO seen VALUES ($tls_in_ocsp)}}}}'"
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    assert_eq!(look(&gateway, &authority, "second.test"), Seen::good(&second));
    assert_eq!(look(&gateway, &authority, "unknown.test"), Seen::good(&first));
    let deliver = |sni: &str| {
        swaks(&gateway.address(), &["--tls", "--tls-sni", sni, "--to", "ann@local.test"])
    };
    let (is_taken, dialogue) = deliver("second.test");
    assert!(is_taken, "{dialogue}");
    // Without the files of a name there is no TLS for it, and the log says why.
    fs::write(authority.path("names"), "gone.test: gone.test\n").unwrap();
    let (is_taken, dialogue) = deliver("gone.test");
    assert!(!is_taken, "{dialogue}");
    fs::remove_file(authority.path("mx.test.proof")).unwrap();
    let (is_taken, dialogue) = deliver("mx.test");
    assert!(is_taken, "{dialogue}");
    gateway.line("sni=second.test/second.test ocsp=4");
    gateway.line("gone.test.pem: I/O error");
    gateway.line("sni=mx.test/mx.test ocsp=1");
    // The events of both deliveries have it too.
    let rows = gateway.wait_for("two events", |_| {
        let mut select = events.prepare("SELECT tls_in_ocsp FROM seen ORDER BY rowid").ok()?;
        let rows: Result<Vec<i64>, _> = select.query_map([], |row| row.get(0)).ok()?.collect();
        rows.ok().filter(|rows| rows.len() >= 2)
    });
    assert_eq!(rows, [4, 1]);
}

#[test]
fn certificates_of_two_kinds_have_a_staple_each() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-of-two-kinds", block.own(1));
    let ecdsa = authority.issue_with("ecdsa.test", "V", ECDSA, &[]);
    let rsa = authority.issue_with("rsa.test", "V", RSA, &[]);
    for name in ["ecdsa.test", "rsa.test"] {
        authority.prove(name, &format!("{name}.proof"));
    }
    let both = |end: &str| ["ecdsa.test", "rsa.test"].map(|name| authority.path(name) + end);
    let list = |end: &str| format!("<; {}", both(end).join(" ; "));
    let options = format!(
        "tls_certificate = '{}'\ntls_privatekey = '{}'\ntls_ocsp_file = '{}'",
        list(".pem"),
        list(".key"),
        list(".proof")
    );
    let gateway = Gateway::start(block.own(0), &options);
    let seen = |algorithms: &str| look_with(&gateway, &authority, &["-sigalgs", algorithms]);
    let (of_ecdsa, of_rsa) = ("ECDSA+SHA256", "RSA-PSS+SHA256");
    assert_eq!(seen(of_ecdsa), Seen::good(&ecdsa));
    assert_eq!(seen(of_rsa), Seen::good(&rsa));
    // What is wrong with the proof of one is nothing to the other.
    fs::copy(authority.path("rsa.test.proof"), authority.path("ecdsa.test.proof")).unwrap();
    assert_eq!(seen(of_ecdsa), Seen::bare(&ecdsa));
    assert_eq!(seen(of_rsa), Seen::good(&rsa));
}

/// What `--check` says of the gateway's configuration.
pub(crate) fn checked(gateway: &Gateway) -> String {
    let mut check = Command::new(binary());
    check.arg("--config").arg(gateway.folder().join("gateway.toml"));
    let output = output_of(check.arg("--check").current_dir(gateway.folder()), b"");
    assert!(output.status.success() && text(&output.stdout).contains("is valid"));
    let begin = format!("gateway: {}/gateway.toml: warning: ", gateway.folder().display());
    let warnings = text(&output.stderr);
    warnings.lines().flat_map(|line| [line.strip_prefix(&begin).unwrap(), "\n"]).collect()
}

#[test]
fn a_certificate_that_demands_a_staple_and_has_none_is_told_of() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-demanded", block.own(1));
    let refused = "clients will refuse the certificate: it demands an OCSP staple (must-staple), and \
                   has none: ";
    authority.issue_with("mx.test", "V", ECDSA, &[MUST_STAPLE]);
    let mut gateway = Gateway::start(block.own(0), &certificate(&authority, "mx.test"));
    gateway.line(&format!("mx.test.pem: {refused}it names no OCSP responder"));
    let told = checked(&gateway);
    let certificate_file = authority.path("mx.test.pem");
    let expected = format!("{certificate_file}: {refused}it names no OCSP responder\n");
    assert_eq!(told, format!("line 8: {expected}"));

    // Where one can be had, it is told of only while it is missing.
    let access = format!("authorityInfoAccess=OCSP;URI:http://127.0.0.1:{}/", block.own(1));
    let serial = authority.issue_with("mx.test", "V", ECDSA, &[MUST_STAPLE, &access]);
    let _responder = authority.respond();
    assert_eq!(checked(&gateway), "");
    gateway.restart();
    gateway.line("OCSP staple is good until");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    // A fetch may be over before the first look.
    let log = gateway.log();
    let missing = log.matches(&format!("{refused}no good proof has been fetched")).count();
    assert!(missing <= 1 && log.matches(refused).count() == missing, "{log}");

    let options = certificate(&authority, "mx.test") + "tls_ocsp_fetch = false";
    gateway.reload(&options, &format!("{refused}tls_ocsp_fetch is off"));
    assert!(checked(&gateway).ends_with("tls_ocsp_fetch is off\n"));

    gateway.reload(&certificate_and_proof(&authority, "mx.test"), "/proof: good, until ");
    assert_eq!(checked(&gateway), "");
    fs::remove_file(authority.path("proof")).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial));
    gateway.line(&format!("{refused}the proof in tls_ocsp_file does not count"));
}

#[test]
fn proofs_are_fetched_by_a_proxy_and_from_responders_with_tls() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-by-proxy", block.own(1));
    authority.issue("localhost", "V");
    let access = |url: &str| format!("authorityInfoAccess=OCSP;URI:{url}");
    let in_clear = authority.issue_with("mx.test", "V", ECDSA, &[&access("http://ocsp.invalid/")]);
    let (pem, key) = (authority.path("localhost.pem"), authority.path("localhost.key"));
    let secure = format!("https://localhost:{}/", fronts::tls(&pem, &key, block.own(1)));
    let over_tls = authority.issue_with("secure.test", "V", ECDSA, &[&access(&secure)]);
    let _responder = authority.respond();
    let options = certificate(&authority, "mx.test");
    let options = format!("{options}tls_ocsp_proxy = '{}'", fronts::proxy(block.own(1)));
    let mut gateway = Gateway::start(block.own(0), &options);
    gateway.line("OCSP staple is good until");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&in_clear));

    let options = certificate(&authority, "secure.test");
    gateway.reload(&options, "; tls_ocsp_verify_certificates names no authorities");
    assert_eq!(look(&gateway, &authority, "secure.test"), Seen::bare(&over_tls));
    fs::remove_dir_all(gateway.folder().join("spool/ocsp")).unwrap();
    let ca = authority.path("ca.pem");
    let options = format!("{options}tls_ocsp_verify_certificates = '{ca}'");
    gateway.reload(&options, "secure.test.pem: OCSP staple is good until");
    assert_eq!(look(&gateway, &authority, "secure.test"), Seen::good(&over_tls));
}
