//! The tool `ocsp`: checks of responses, and responses from OpenSSL's responder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::program::{directory, output_of, tool};

/// The output of the tool.
fn ocsp(arguments: &[&str], input: &str) -> Output {
    output_of(tool("ocsp").args(arguments), input.as_bytes())
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ocsp-staple/tests/data")
}

fn case(response: &str, leaf: &str, time: &str) -> String {
    let file = |name: &str| vectors().join(name).to_str().unwrap().to_owned();
    json!({"response": file(response), "cert": file(leaf),
        "issuer": file("certificates/ca.der"), "time": time})
    .to_string()
}

#[test]
fn each_case_has_its_status() {
    let base64 =
        |name: &str| data_encoding::BASE64.encode(&fs::read(vectors().join(name)).unwrap());
    let at = "2026-06-15T12:00:00Z";
    let leaf = "certificates/leaf.der";
    let mut in_base64: Value =
        serde_json::from_str(&case("responses/good_direct.der", leaf, at)).unwrap();
    in_base64["response"] = base64("responses/good_direct.der").into();
    in_base64["cert"] = base64(leaf).into();
    let input = [
        case("responses/ds_short.der", leaf, at),
        case("responses/revoked.der", "certificates/leafrev.der", at),
        case("responses/expired.der", leaf, at),
        "{".to_owned(),
        case("responses/good_direct.der", leaf, "yesterday"),
        in_base64.to_string(),
        case("responses/unknown.der", "certificates/leafnoaia.der", at),
    ]
    .join("\n");
    let output = ocsp(&["check", "--json"], &input);
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({"status": "good", "until": "2026-06-16T12:00:00Z"}));
    assert_eq!(
        lines[1],
        json!({"status": "revoked", "reason": "keyCompromise", "revoked": "2026-06-01T00:00:00Z",
            "until": "2026-06-21T12:00:00Z"})
    );
    assert_eq!(
        lines[2],
        json!({"status": "invalid", "cause": "the OCSP response ended at 2026-06-08T12:00:00Z"})
    );
    assert_eq!(lines[3]["at"], 1);
    assert_eq!(lines[4], json!({"error": "time: not of RFC 3339 in UTC", "at": 0}));
    assert_eq!(lines[5], json!({"status": "good", "until": "2026-06-21T12:00:00Z"}));
    assert_eq!(lines[6]["status"], "unknown");
    assert_eq!(lines.len(), 7);
}

#[test]
fn a_response_is_shown() {
    let file = vectors().join("responses/good_delegated.der");
    let output = ocsp(&["show", file.to_str().unwrap()], "");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "signer       \"O=OCSP vectors, CN=OCSP signer\"",
        "certificate  1001",
        "status       good",
        "next update  2026-06-21T12:00:00Z",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// A CA of OpenSSL's, with two certificates, of which one is revoked, and its responder.
struct Authority {
    directory: PathBuf,
    url: String,
    responder: Child,
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.responder.kill();
        let _ = self.responder.wait();
    }
}

impl Authority {
    /// `None` where there is no OpenSSL.
    fn start() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "openssl is not there");
            println!("SKIPPED: openssl is not there");
            return None;
        }
        let directory = directory("ocsp-authority");
        let script = r"
            key() { openssl ecparam -genkey -noout -name prime256v1 -out $1.key; }
            key ca; openssl req -x509 -new -key ca.key -subj /CN=CA -days 30 -out ca.pem
            for name in good revoked; do
                key $name; openssl req -new -key $name.key -subj /CN=$name -out $name.csr
            done
            openssl x509 -req -in good.csr -CA ca.pem -CAkey ca.key -set_serial 0x1001 -days 30 -out good.pem
            openssl x509 -req -in revoked.csr -CA ca.pem -CAkey ca.key -set_serial 0x1002 -days 30 -out revoked.pem
            printf 'V\t360101000000Z\t\t1001\tunknown\t/CN=good\n' > index
            printf 'R\t360101000000Z\t260101000000Z,keyCompromise\t1002\tunknown\t/CN=revoked\n' >> index
        ";
        let made = Command::new("bash")
            .args(["-ec", script])
            .current_dir(&directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut responder = Command::new("openssl")
            .args(["ocsp", "-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem"])
            .args(["-rkey", "ca.key", "-ndays", "2", "-port", &port.to_string()])
            .current_dir(&directory)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says that it waits; a connection without a request it would not survive.
        let mut log = BufReader::new(responder.stderr.take().unwrap()).lines();
        let waits = log.find(|line| line.as_ref().unwrap().contains("waiting for OCSP client"));
        assert!(waits.is_some());
        thread::spawn(move || log.count());
        Some(Self { directory, url: format!("http://127.0.0.1:{port}/"), responder })
    }

    fn fetch(&self, name: &str, more: &[&str]) -> (Output, PathBuf) {
        let proof = self.directory.join(format!("{name}.proof"));
        let file = |name: &str| self.directory.join(name).to_str().unwrap().to_owned();
        let (cert, issuer) = (file(&format!("{name}.pem")), file("ca.pem"));
        let fixed = ["fetch", "--cert", &cert, "--issuer", &issuer];
        let output = ocsp(&[&fixed[..], more, &[proof.to_str().unwrap()]].concat(), "");
        (output, proof)
    }
}

#[test]
fn a_proof_is_fetched_from_openssl() {
    let Some(authority) = Authority::start() else { return };
    let responder = ["--responder", &authority.url];
    for more in [&[][..], &["--sha256"]] {
        let (output, proof) = authority.fetch("good", &[&responder, more].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("good until 20"), "{text} {:?}", output.stderr.escape_ascii());
        assert_eq!(output.status.code(), Some(0));
        fs::remove_file(proof).unwrap();
    }
    // What does not prove the certificate good replaces nothing.
    let proof = authority.directory.join("revoked.proof");
    fs::write(&proof, "old").unwrap();
    let (output, _) = authority.fetch("revoked", &responder);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("revoked since 2026-01-01T00:00:00Z: keyCompromise"), "{text}");
    assert_eq!((output.status.code(), fs::read(&proof).unwrap()), (Some(2), b"old".to_vec()));
    let (output, proof) = authority.fetch("good", &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("names no OCSP responder; give one with --responder"), "{text}");
    assert!(!proof.exists());
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (output, proof) = authority.fetch("good", &["--responder", &format!("http://{dead}/")]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("cannot connect to the responder"), "{text}");
    assert!(!proof.exists());
}
