//! The features of Exim that are left out: each is refused with its line, and the manual names it.

use super::config_effect::refused;
use crate::gateway::policy::unsupported;

const PAGE: &str = include_str!("../README.md");

/// The section of the manual.
fn left_out() -> &'static str {
    let start = PAGE.find("\n## Left out\n").unwrap();
    PAGE[start + 1..].split("\n## ").next().unwrap()
}

#[test]
fn a_rule_with_what_is_left_out_is_refused() {
    for (line, name) in [
        ("dnslists = 'zen.example'", "dnslists"),
        ("'!dnslists' = 'zen.example'", "dnslists"),
        ("verify = 'recipient'", "verify"),
        ("'!verify' = 'sender'", "verify"),
        ("endpass = true", "endpass"),
        ("malware = '*'", "malware"),
    ] {
        let found = refused(&format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{line}"));
        let expected = format!(
            "line 3: {name} of Exim is not supported here; the manual lists it as left out"
        );
        assert_eq!(found, expected, "{line}");
        assert!(left_out().contains(&format!("`{name}`")), "{name}");
    }
    let found = refused("[[acl_smtp_rcpt]]\nverb = 'discard'");
    assert!(found.starts_with("line 2: verb = discard of Exim is not supported here"), "{found}");
    for (lookup, name) in [
        ("${lookup{$domain}dsearch{/etc/domains}}", "dsearch"),
        ("${lookup dnsdb{a=$domain}}", "dnsdb"),
    ] {
        for line in [format!("condition = '{lookup}'"), format!("domains = '{lookup}'")] {
            let found = refused(&format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{line}"));
            let expected = format!("the lookup {name}: this lookup of Exim is not supported here");
            assert!(found.starts_with("line 3: ") && found.ends_with(&expected), "{line}: {found}");
        }
        assert!(left_out().contains(&format!("`{name}`")), "{name}");
    }
    let found = refused("[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = 'dsearch;/etc/domains'");
    assert!(found.contains("this lookup of Exim is not supported here"), "{found}");
}

#[test]
fn an_option_of_what_is_left_out_is_refused() {
    for (text, error) in [
        (
            "auth_advertise_hosts = '*'",
            "line 1: auth_advertise_hosts: this option of Exim is not supported here: there is no AUTH",
        ),
        (
            "\n[authenticators.plain]\ndriver = 'plaintext'",
            "line 2: authenticators: this option of Exim is not supported here: there is no AUTH",
        ),
        (
            "\n[[acl_smtp_auth]]\nverb = 'accept'",
            "line 2: acl_smtp_auth: this option of Exim is not supported here: there is no AUTH",
        ),
        (
            "[[acl_smtp_mime]]\nverb = 'accept'",
            "line 1: acl_smtp_mime: this option of Exim is not supported here: no MIME parts are read",
        ),
        (
            "dsn_advertise_hosts = '*'",
            "line 1: dsn_advertise_hosts: this option of Exim is not supported here: there is no DSN",
        ),
        (
            "[remote_smtp]\nprotocol = 'lmtp'",
            "line 2: remote_smtp.protocol: this option of Exim is not supported here: there is no LMTP",
        ),
        (
            "[remote_smtp]\nhosts_try_auth = '*'",
            "line 2: remote_smtp.hosts_try_auth: this option of Exim is not supported here: there is no AUTH",
        ),
    ] {
        let found = refused(text);
        assert!(found.starts_with(error), "{text}: {found}");
    }
}

#[test]
fn the_manual_names_all_of_it() {
    for name in unsupported::STEPS.iter().chain(unsupported::OPTIONS.iter().map(|(name, _)| name)) {
        assert!(left_out().contains(&format!("`{name}`")), "{name}");
    }
    assert!(left_out().contains(&format!("`{}`", unsupported::VERB)));
}
