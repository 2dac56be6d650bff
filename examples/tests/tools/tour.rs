//! The tour: each step is as announced.

use crate::program::{output_of, text, tool};

#[test]
fn each_step_is_as_announced() {
    let output = output_of(&mut tool("tour"), b"");
    let told = text(&output);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}{errors}");
    assert!(told.ends_with("\n8 scenes, 32 checks, 0 differences\n"), "{told}");
    for step in [
        "mx.receiver.example: dane, names mx.receiver.example receiver.example",
        "ok      the certificate is verified by: dane\n",
        "ok      the OCSP staple ($tls_out_ocsp; 4: verified): 4\n",
        "ok      PRDR: true\n",
        "rejected by the DMARC policy of victim.example",
    ] {
        assert!(told.contains(step), "{step}: {told}");
    }
    for debug in ["Some(", "None", "[\"", ": \""] {
        assert!(!told.contains(debug), "{debug}: {told}");
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
