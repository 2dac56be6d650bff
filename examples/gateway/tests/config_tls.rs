//! Options of TLS that cannot work, or have no effect.

use crate::gateway::config::Config;

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
            "line 2: tls_privatekey names 1 files, and tls_certificate 2",
        ),
        (
            "tls_certificate = '$sender_helo_name'",
            "line 1: tls_certificate: byte 1: $sender_helo_name is not available at the start of TLS",
        ),
        ("tls_certificate = ''", "line 1: tls_certificate: empty path"),
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
