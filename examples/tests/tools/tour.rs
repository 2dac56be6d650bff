//! The tour: each step is as announced.

use std::fs::{self, File};
use std::io;
use std::process::Stdio;

use crate::program::{directory, output_of, text, tool};

#[test]
fn each_step_is_as_announced() {
    let output = output_of(&mut tool("tour"), b"");
    let told = text(&output);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}{errors}");
    assert!(told.ends_with("\n8 scenes, 34 checks, 0 differences\n"), "{told}");
    for step in [
        "ok      the policy, by secure MX and TLSA records: mx.receiver.example: dane, names mx.receiver.example receiver.example\n",
        "ok      the certificate is verified by: dane\n",
        "ok      the OCSP staple ($tls_out_ocsp; 4: verified): 4\n",
        "ok      PRDR: true\n",
        "rejected by the DMARC policy of victim.example",
        "the responder has said that the other certificate is revoked\n",
    ] {
        assert!(told.contains(step), "{step}: {told}");
    }
    for debug in ["Some(", "None", "[\"", ": \""] {
        assert!(!told.contains(debug), "{debug}: {told}");
    }
}

/// A fresh machine may lack the certificates of public authorities, which nothing here needs.
#[test]
fn a_machine_without_public_authorities_is_enough() {
    let nowhere = directory("tour-nowhere").join("none");
    let mut tour = tool("tour");
    tour.arg("--log").env("SSL_CERT_FILE", &nowhere).env("SSL_CERT_DIR", &nowhere);
    let output = output_of(&mut tour, b"");
    let told = format!("{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
    let warning =
        "remote_smtp.tls_verify_certificates: this system has no certificates of authorities";
    assert!(told.contains(warning), "{told}");
}

/// A reader that has seen enough, and a full disk: the tour ends what it has started, and without a panic.
#[test]
fn an_output_that_ends_is_no_panic() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = io::pipe().unwrap();
    drop(reader);
    for (output, status, told) in
        [(Stdio::from(closed), 0, ""), (Stdio::from(full()), 1, "tour: no storage space\n")]
    {
        let folder = directory("tour-output");
        let mut tour = tool("tour");
        tour.env("TMPDIR", &folder).stdout(output).stderr(Stdio::piped());
        let output = tour.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), told);
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}

#[test]
fn its_log_is_that_of_the_programs() {
    let output = output_of(tool("tour").arg("--log"), b"");
    let told = format!("{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
    for line in
        [" <= ann@sender.example H=", "listening on 127.0.0.1:", "the certificate is revoked"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    let output = output_of(tool("tour").arg("--log").env("RUST_LOG", "inof"), b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("tour: RUST_LOG"));
}
