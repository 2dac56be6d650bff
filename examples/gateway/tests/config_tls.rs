//! Options of TLS that cannot work, or have no effect.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, CustomExtension, KeyPair, date_time_ymd};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::config_check::check;
use super::scratch::Scratch;
use crate::gateway::config::Config;

/// Makes a certificate, with its key and without, another key, a text, and a pipe.
fn make_files(folder: &Path) {
    let [made, other] = ["mx.example", "other.example"]
        .map(|name| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap());
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    fs::write(folder.join("cert.pem"), &certificate).unwrap();
    fs::write(folder.join("both.pem"), certificate + &key).unwrap();
    fs::write(folder.join("other.pem"), other.signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.der"), made.cert.der()).unwrap();
    fs::write(folder.join("key.der"), made.signing_key.serialize_der()).unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    let block = |label: &str, head: &str| {
        format!("-----BEGIN {label}-----\n{head}MIIFLTBXBgkqhkiG\n-----END {label}-----\n")
    };
    fs::write(folder.join("encrypted.pem"), block("ENCRYPTED PRIVATE KEY", "")).unwrap();
    let head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    fs::write(folder.join("old.pem"), block("RSA PRIVATE KEY", head)).unwrap();
    fs::write(folder.join("text"), "no certificate, and no proof\n").unwrap();
    let pipe = folder.join("pipe");
    mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// Options that name files below `DIR`, and the error.
const NAMED: &[(&str, &str)] = &[
    (
        "tls_certificate = 'DIR/none.pem'",
        "line 2: tls_certificate: cannot read PEM from DIR/none.pem",
    ),
    ("tls_certificate = 'DIR/text'", "line 2: tls_certificate: DIR/text has no PEM block"),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/none.pem'",
        "line 3: tls_privatekey: cannot read PEM from DIR/none.pem",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'",
        "line 2: tls_certificate: DIR/cert.pem has no private key, and tls_privatekey, which names the file of the key, \
         is not set",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/text'",
        "line 3: tls_privatekey: DIR/text has no private key (a PEM block \"PRIVATE KEY\")",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/encrypted.pem'",
        "line 3: tls_privatekey: DIR/encrypted.pem has an encrypted private key, which needs a password: decrypt it by \
         openssl pkey -in",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/old.pem'",
        "line 3: tls_privatekey: DIR/old.pem has an encrypted private key",
    ),
    (
        "tls_certificate = 'DIR/cert.der'\ntls_privatekey = 'DIR/other.pem'",
        "line 2: tls_certificate: DIR/cert.der is DER, and PEM is needed: openssl x509 -inform DER",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/key.der'",
        "line 3: tls_privatekey: DIR/key.der is DER, and PEM is needed: openssl pkey -inform DER",
    ),
    ("tls_certificate = 'DIR/empty'", "line 2: tls_certificate: DIR/empty is empty"),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/empty'",
        "line 3: tls_privatekey: DIR/empty is empty",
    ),
    ("tls_certificate = 'DIR/pipe'", "line 2: tls_certificate: DIR/pipe is not a regular file"),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/pipe'",
        "line 3: tls_privatekey: DIR/pipe is not a regular file",
    ),
    (
        "tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/other.pem'",
        "line 3: tls_privatekey: the key DIR/other.pem is not that of the certificate DIR/cert.pem",
    ),
    (
        "tls_certificate = 'DIR/both.pem'\ntls_ocsp_verify_certificates = 'DIR/text'",
        "line 3: tls_ocsp_verify_certificates: DIR/text has no PEM block \"CERTIFICATE\"",
    ),
    (
        "tls_certificate = 'DIR/both.pem'\ntls_ocsp_proxy = 'proxy.example:3128'",
        "line 3: tls_ocsp_proxy: the address of the proxy does not begin with http://",
    ),
];

#[test]
fn what_is_named_is_opened() {
    let scratch = Scratch::new();
    make_files(scratch.path());
    for (text, message) in NAMED {
        let error = check(scratch.path(), text);
        let message = message.replace("DIR", &scratch.path().display().to_string());
        assert!(error.contains(&message), "{text}: {error}");
    }
}

#[test]
fn files_of_authorities_are_opened() {
    let scratch = Scratch::new();
    make_files(scratch.path());
    for (options, message) in [
        ("tls_verify_certificates = 'DIR/none'", "tls_verify_certificates: cannot read DIR/none: "),
        (
            "tls_verify_certificates = 'DIR/text'",
            "tls_verify_certificates: DIR/text has no certificate",
        ),
        (
            "tls_verify_certificates = 'DIR/cert.pem'\ntls_crl = 'DIR/text'",
            "tls_crl: DIR/text has no certificate revocation list",
        ),
    ] {
        let error = check(scratch.path(), &format!("tls_verify_hosts = '*'\n{options}"));
        let message = message.replace("DIR", &scratch.path().display().to_string());
        assert!(error.contains(&message), "{options}: {error}");
    }
    let options = "tls_verify_hosts = '*'\ntls_verify_certificates = 'DIR/cert.pem'";
    assert_eq!(check(scratch.path(), options), "");
}

/// Proofs in files, and what is said of them: they come and go while the gateway runs, and none keeps it from
/// starting.
const PROOFS: &[(&str, &str)] = &[
    ("DIR/none.der", "it cannot be read: entity not found"),
    ("DIR/cert.pem", "it is not DER, and has no PEM block"),
    ("DIR/pipe", "it is not a regular file"),
    ("DIR", "it is not a regular file"),
    ("DIR/text", "the certificate of the issuer \"CN=rcgen self signed cert\" is missing"),
];

#[test]
fn a_certificate_that_has_ended_is_not_called_one_without_a_responder() {
    let scratch = Scratch::new();
    let access = b"0.0\x15\x06\x08+\x06\x01\x05\x05\x070\x01\x86\x09http://o/0\x15\x06\x08+\x06\x01\x05\x05\x070\x02\x86\x09http://c/";
    let mut params = CertificateParams::new(["mx.example".to_owned()]).unwrap();
    params.custom_extensions = vec![
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access.to_vec()),
        CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 24],
            b"0\x03\x02\x01\x05".to_vec(),
        ),
    ];
    params.not_after = date_time_ymd(2020, 1, 1);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
    fs::write(scratch.path().join("ended.pem"), pem).unwrap();
    let told = check(scratch.path(), "tls_certificate = 'DIR/ended.pem'");
    let cause = "and has none: the certificate ended at 2020-01-01T00:00:00Z";
    assert!(told.contains(cause), "{told}");
}

#[test]
fn a_proof_that_does_not_count_is_told_of() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    make_files(folder);
    for (path, cause) in PROOFS {
        let text = format!("tls_certificate = 'DIR/both.pem'\ntls_ocsp_file = '{path}'");
        let path = path.replace("DIR", &folder.display().to_string());
        let told = check(folder, &text);
        let start = format!("line 3: tls_ocsp_file {path}: {cause}");
        assert!(told.starts_with(&start) && told.ends_with("; no OCSP staple"), "{told}");
    }
    // An issuer that is there, but cannot be read, is not missing.
    let both = fs::read_to_string(folder.join("both.pem")).unwrap();
    let junk = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    fs::write(folder.join("chain.pem"), both + junk).unwrap();
    let told = check(folder, "tls_certificate = 'DIR/chain.pem'\ntls_ocsp_file = 'DIR/text'");
    let cause = "a certificate that may be the issuer's is malformed: ";
    assert!(told.contains(cause) && told.ends_with("; no OCSP staple"), "{told}");
}

#[test]
fn what_is_wrong_with_tls_is_named_with_its_line() {
    for (text, message) in [
        ("tls_privatekey = 'x'", "line 1: tls_privatekey has no effect: tls_certificate is not"),
        ("tls_ocsp_file = 'x'", "line 1: tls_ocsp_file has no effect: tls_certificate is not"),
        ("tls_ocsp_fetch = false", "line 1: tls_ocsp_fetch has no effect: tls_certificate is"),
        (
            "tls_certificate = 'a'\ntls_ocsp_file = 'b'\ntls_ocsp_fetch = false",
            "line 3: tls_ocsp_fetch has no effect: with tls_ocsp_file nothing is fetched",
        ),
        (
            "tls_certificate = 'a'\ntls_ocsp_file = '$tls_sni'",
            "line 2: tls_ocsp_file has no effect: tls_certificate has no $tls_in_sni",
        ),
        ("tls_certificate = 'a'\ntls_privatekey = 'b'\ntls_ocsp_file = 'b'", "line 3: "),
        (
            "tls_certificate = 'a : b'\ntls_privatekey = 'c'",
            "line 2: tls_privatekey and tls_certificate must name as many files, and name 1 and 2",
        ),
        (
            "tls_certificate = '$sender_helo_name'",
            "line 1: tls_certificate: byte 1: $sender_helo_name is not available at the start of TLS",
        ),
        ("tls_certificate = ''", "line 1: tls_certificate: empty path"),
        ("tls_crl = ''", "line 1: tls_crl: empty path"),
        (
            "tls_verify_certificates = '$host'",
            "line 1: tls_verify_certificates: $ has no meaning here",
        ),
        (
            "tls_verify_hosts = '$tls_in_sni'",
            "line 1: tls_verify_hosts: byte 1: $tls_in_sni is not available",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
    for text in [
        "tls_certificate = '/etc/$tls_sni.pem'\ntls_ocsp_file = 'DER /etc/$tls_in_sni.der'",
        "tls_certificate = 'a : b'\ntls_privatekey = 'k : k'\ntls_ocsp_file = 'c : d'",
        "tls_certificate = '<; ${lookup sqlite{SELECT 1}}'\ntls_ocsp_fetch = false",
    ] {
        Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}
