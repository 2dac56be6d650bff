//! The options of `[remote_smtp]` that verify servers.

use super::config_check::check;
use super::config_effect::refused;
use super::scratch::Scratch;
use crate::gateway::config::Config;

const HOP: &str = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n[remote_smtp]\n";

/// Lines of `[remote_smtp]`, and the end of the warning, if there is one.
const WARNINGS: [(&str, Option<&str>); 9] = [
    ("", None),
    ("tls_verify_hosts = '*'", Some("if it offers no TLS or its certificate is not valid")),
    ("tls_verify_hosts = '${if eq{$host}{a}{*}}'", Some("or its certificate is not valid")),
    ("tls_verify_hosts = '*'\ntls_tempfail_tryclear = false", Some("if it offers no TLS")),
    ("tls_try_verify_hosts = ''", Some("or its certificate is not valid")),
    ("tls_try_verify_hosts = ':'", None),
    ("tls_verify_hosts = ':'\ntls_try_verify_hosts = ''", None),
    ("tls_verify_hosts = '*'\nhosts_require_tls = '*'", None),
    ("tls_verify_hosts = ''\ntls_try_verify_hosts = ''", None),
];

#[test]
fn check_warns_of_verified_hosts_that_may_get_mail_in_clear() {
    let scratch = Scratch::new();
    for (options, warning) in WARNINGS {
        let told = check(scratch.path(), &format!("{HOP}{options}"));
        match warning {
            None => assert_eq!(told, "", "{options}"),
            Some(end) => {
                let start = "remote_smtp.hosts_require_tls matches no host: a host of tls_verify_hosts gets mail";
                assert!(told.starts_with(start) && told.ends_with(end), "{options}: {told}");
            }
        }
    }
}

#[test]
fn an_option_that_a_list_of_every_host_leaves_nothing_to_do_is_refused() {
    for (options, name, cause) in [
        (
            "hosts_require_tls = '*'\nhosts_avoid_tls = '*.b.example'",
            "hosts_avoid_tls",
            "hosts_require_tls matches every host",
        ),
        (
            "hosts_require_tls = ' * '\ntls_tempfail_tryclear = false",
            "tls_tempfail_tryclear",
            "hosts_require_tls matches every host",
        ),
        (
            "hosts_require_dane = '*'\nhosts_try_dane = '*.b.example'",
            "hosts_try_dane",
            "hosts_require_dane matches every host",
        ),
        (
            "hosts_require_dane = '*'\nhosts_report_dane = '*.b.example'",
            "hosts_report_dane",
            "hosts_require_dane matches every host",
        ),
        (
            "hosts_require_ocsp = '*'\nhosts_request_ocsp = '*.b.example'",
            "hosts_request_ocsp",
            "hosts_require_ocsp matches every host, and requires TLS",
        ),
        (
            "hosts_require_ocsp = '*'\nhosts_avoid_tls = '*.b.example'",
            "hosts_avoid_tls",
            "hosts_require_ocsp matches every host, and requires TLS",
        ),
    ] {
        let expected = format!("line 5: remote_smtp.{name} has no effect: {cause}");
        assert_eq!(refused(&format!("{HOP}{options}")), expected);
    }
}

#[test]
fn an_option_of_verification_without_an_effect_is_refused() {
    let unverified = "no certificate is verified, since tls_verify_certificates is empty";
    for (options, name, cause) in [
        (
            "tls_verify_hosts = '*'\ntls_try_verify_hosts = '*.b.example'",
            "tls_try_verify_hosts",
            "tls_verify_hosts matches every host",
        ),
        (
            "tls_verify_certificates = ''\ntls_try_verify_hosts = ''",
            "tls_try_verify_hosts",
            unverified,
        ),
        ("tls_verify_certificates = ''\ntls_verify_hosts = '*'", "tls_verify_hosts", unverified),
        // A list without a host, however it is written.
        (
            "hosts_try_dane = ':'\ninsecure_mx = 'dane'",
            "insecure_mx",
            "hosts_try_dane and hosts_require_dane match no host",
        ),
    ] {
        let expected = format!("line 5: remote_smtp.{name} has no effect: {cause}");
        assert_eq!(refused(&format!("{HOP}{options}")), expected);
    }
    for nobody in ["", ":"] {
        let options = format!(
            "hosts_require_ocsp = '*'\ntls_verify_certificates = ''\nhosts_try_dane = '{nobody}'"
        );
        let told = refused(&format!("{HOP}{options}"));
        let start =
            "line 4: remote_smtp.hosts_require_ocsp has no effect: no server can be verified";
        assert!(told.starts_with(start), "{nobody}: {told}");
    }
    for options in [
        "tls_verify_hosts = '*.b.example'\ntls_try_verify_hosts = '*.c.example'",
        "tls_verify_hosts = '*'\ntls_try_verify_hosts = '*'",
        "tls_try_verify_hosts = ''",
    ] {
        Config::parse(&format!("{HOP}{options}")).unwrap();
    }
}
