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
                let start = "line 5: remote_smtp.hosts_require_tls matches no host: a host of tls_verify_hosts gets mail";
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
        let named = HOP.replace("127.0.0.1:1", "mx.b.example");
        Config::parse(&format!("{named}{options}")).unwrap();
    }
}

/// The next hop is an address, which has no name, and of which the DNS is not asked.
#[test]
fn an_option_by_which_no_mail_to_an_address_is_delivered_is_refused() {
    let dane = "the next hop is an address, which has no TLSA records";
    let name = "an item is the name of a host, and the next hop is an address, which has none";
    for (option, list, cause) in [
        ("hosts_require_dane", "*", dane),
        ("hosts_require_dane", "!192.0.2.1 : 127.0.0.0/8", dane),
        ("hosts_require_dane", "*.b.example", name),
        ("hosts_require_tls", "mx.b.example", name),
        ("hosts_request_ocsp", "mx.b.example", name),
        ("hosts_send_proxy", "192.0.2.1 : mx.b.example", name),
        ("tls_verify_hosts", "+theirs", name),
    ] {
        let text = format!("{HOP}{option} = '{list}'\n[hostlist]\ntheirs = '*.b.example'");
        let expected = format!("line 4: remote_smtp.{option}: mail would be deferred: {cause}");
        assert_eq!(refused(&text), expected, "{list}");
        for route in ["mx.b.example", "b.example/MX", "${domain}/MX"] {
            assert_eq!(refused(&text.replace("127.0.0.1:1", route)), "", "{route}");
        }
    }
    for list in ["192.0.2.1", "127.0.0.1 : mx.b.example", "", ":"] {
        assert_eq!(refused(&format!("{HOP}hosts_require_tls = '{list}'")), "", "{list}");
    }
    for line in [
        "dnssec_request_domains = 'b.example'",
        "dnssec_require_domains = '*'",
        "hosts_report_dane = '*'",
        "hosts_try_dane = ''",
        "hosts_try_dane = '192.0.2.0/24'",
        "insecure_mx = 'dane'",
    ] {
        let name = line.split(' ').next().unwrap();
        let cause = "route_data is an address, of which the DNS is not asked";
        let expected = format!("line 4: remote_smtp.{name} has no effect: {cause}");
        assert_eq!(refused(&format!("{HOP}{line}")), expected);
    }
    let expected = "line 4: remote_smtp.hosts_require_ocsp has no effect: no server can be verified: \
                    tls_verify_certificates is empty, and route_data is an address, which has no TLSA records";
    let stapled = "hosts_require_ocsp = '*'\ntls_verify_certificates = ''";
    assert_eq!(refused(&format!("{HOP}{stapled}")), expected);
    let expected = "line 2: route_data: 10.0.0.1 is an address, which has no MX records; write it without /MX; \
                    examples are mx.example.com:25, [2001:db8::1]:25 and example.com/MX";
    let of_mx = "relay_to_domains = 'b.example'\nroute_data = '10.0.0.1/MX'";
    assert_eq!(refused(of_mx), expected);
}

#[test]
fn check_warns_of_dane_that_an_expansion_may_require_of_an_address() {
    let options = "hosts_require_dane = '${if eq{$domain}{a.example}{*}}'";
    let told = Config::parse(&format!("{HOP}{options}")).unwrap().warnings;
    let expected = "line 4: remote_smtp.hosts_require_dane may require DANE of the next hop, which is an address and has \
                    no TLSA records: such mail is not delivered";
    assert_eq!(told, [expected]);
    let named = HOP.replace("127.0.0.1:1", "mx.b.example");
    assert!(Config::parse(&format!("{named}{options}")).unwrap().warnings.is_empty());
}
