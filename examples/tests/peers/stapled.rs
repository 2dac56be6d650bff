//! A gateway with a certificate, and the staples that `openssl s_client` sees.

use std::process::Command;

use super::authority::Authority;
use super::gateway::Gateway;
use super::servers::{output_of, text};

/// The options of TLS for a certificate of the authority.
pub(crate) fn certificate(authority: &Authority, name: &str) -> String {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    let (certificate, key) = (authority.path(&certificate), authority.path(&key));
    format!("tls_certificate = '{certificate}'\ntls_privatekey = '{key}'\n")
}

/// The same, with the proof in `proof`.
pub(crate) fn certificate_and_proof(authority: &Authority, name: &str) -> String {
    authority.prove(name, "proof");
    let proof = authority.path("proof");
    format!("{}tls_ocsp_file = '{proof}'\n", certificate(authority, name))
}

/// What a client sees that asks for a staple: the number of the certificate, and what is stapled.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    certificate: String,
    /// The status and the number in the staple.
    staple: Option<(String, String)>,
}

impl Seen {
    pub(crate) fn good(serial: &str) -> Self {
        Self { certificate: serial.into(), staple: Some(("good".into(), serial.into())) }
    }

    pub(crate) fn bare(serial: &str) -> Self {
        Self { certificate: serial.into(), staple: None }
    }
}

pub(crate) fn look(gateway: &Gateway, authority: &Authority, name: &str) -> Seen {
    look_with(gateway, authority, &["-servername", name])
}

/// The same, with these arguments.
pub(crate) fn look_with(gateway: &Gateway, authority: &Authority, more: &[&str]) -> Seen {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-starttls", "smtp", "-status", "-verify_return_error", "-CAfile"]);
    client.args([&authority.path("ca.pem"), "-connect", &gateway.address()]);
    let output = output_of(client.args(more), b"QUIT\r\n");
    let seen = text(&output.stdout);
    assert!(output.status.success(), "{seen}{}", text(&output.stderr));
    let word = |start: &str| {
        let line = seen.lines().find_map(|line| line.trim_start().strip_prefix(start));
        line.map(|rest| rest.trim().to_owned())
    };
    let pem = seen.find("\nServer certificate\n").and_then(|from| seen.get(from..)).unwrap();
    let mut reader = Command::new("openssl");
    reader.args(["x509", "-noout", "-serial"]);
    let serial = text(&output_of(&mut reader, pem.as_bytes()).stdout);
    let certificate = serial.trim().trim_start_matches("serial=").to_owned();
    Seen { certificate, staple: word("Cert Status:").zip(word("Serial Number:")) }
}
