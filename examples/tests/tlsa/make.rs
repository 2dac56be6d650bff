//! Records of certificates and keys in files.

use data_encoding::HEXLOWER;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _};
use ring::digest::{SHA256, SHA512, digest};
use serde_json::{Value, json};

use crate::program::{Folder, run};

fn made(arguments: &[&str]) -> String {
    let output = run(&[&["make"], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn error(arguments: &[&str]) -> String {
    let output = run(&[&["make"], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

fn sha256(octets: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, octets).as_ref())
}

fn sha512(octets: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA512, octets).as_ref())
}

#[test]
fn the_key_is_the_same_from_every_file() {
    let folder = Folder::new("every_file");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let expected = format!("3 1 1 {}\n", sha256(&key.subject_public_key_info()));
    for (name, content) in [
        ("certificate.pem", certificate.pem().into_bytes()),
        ("certificate.der", certificate.der().to_vec()),
        ("public.pem", key.public_key_pem().into_bytes()),
        ("public.der", key.subject_public_key_info()),
        ("private.pem", key.serialize_pem().into_bytes()),
        ("private.der", key.serialize_der()),
        ("both.pem", (key.serialize_pem() + &certificate.pem()).into_bytes()),
    ] {
        assert_eq!(made(&[&folder.write(name, &content)]), expected, "{name}");
    }
}

#[test]
fn each_kind_of_record() {
    let folder = Folder::new("each_kind");
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let server_key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&params, &key);
    let leaf = CertificateParams::default().signed_by(&server_key, &issuer).unwrap();
    let chain = folder.write("chain.pem", (leaf.pem() + &root.pem()).as_bytes());
    let spki = server_key.subject_public_key_info();
    for (arguments, record) in [
        (&["--matching", "2"][..], format!("3 1 2 {}", sha512(&spki))),
        (&["--matching", "0"], format!("3 1 0 {}", HEXLOWER.encode(&spki))),
        (&["--selector", "0"], format!("3 0 1 {}", sha256(leaf.der()))),
        (&["--usage", "2"], format!("2 0 1 {}", sha256(root.der()))),
        (
            &["--usage", "2", "--selector", "1", "--matching", "2"],
            format!("2 1 2 {}", sha512(&key.subject_public_key_info())),
        ),
    ] {
        let arguments = [&[chain.as_str()][..], arguments].concat();
        assert_eq!(made(&arguments), format!("{record}\n"));
        let line = made(&[&arguments[..], &["--host", "mx.example.com", "--port", "465"]].concat());
        assert_eq!(line, format!("_465._tcp.mx.example.com. IN TLSA {record}\n"));
        let object: Value =
            serde_json::from_str(&made(&[&arguments[..], &["--json"]].concat())).unwrap();
        assert_eq!(object, json!({"record": record}));
    }
}

/// `openssl rsa -pubin` writes nothing for an EC key; here that is an error.
#[test]
fn nothing_has_no_record() {
    let folder = Folder::new("nothing_made");
    let text = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    for (name, content, problem) in [
        ("empty", &b""[..], "Certificate: not valid DER at byte 0"),
        ("text", b"no certificate", "Certificate: not valid DER at byte 0"),
        ("crl.pem", text.as_bytes(), "no PEM block with a certificate or a key"),
    ] {
        let file = folder.write(name, content);
        assert_eq!(error(&[&file]), format!("tlsa: {file}: {problem}\n"));
    }
    let key = KeyPair::generate().unwrap();
    let file = folder.write("key.pem", key.public_key_pem().as_bytes());
    let problem = "a key has no certificate: give --selector 1";
    assert_eq!(error(&["--selector", "0", &file]), format!("tlsa: {file}: {problem}\n"));
    assert!(error(&["/nowhere"]).starts_with("tlsa: /nowhere: No such file"));
}
