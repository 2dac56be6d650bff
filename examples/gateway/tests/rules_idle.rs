//! Rules without an effect are refused with the line and the cause.

use super::config_effect::{NOBODY, refused};

/// Rules, the line, and the error.
const IDLE: &[(&str, usize, &str)] = &[
    ("verb = 'warn'", 1, "the rule has no effect"),
    ("verb = 'warn'\nhosts = '192.0.2.1'", 1, "the rule has no effect"),
    ("verb = 'warn'\ncondition = '${if eq{a}{b}}'", 1, "the rule has no effect"),
    (
        "verb = 'warn'\nlogwrite = 'x'\n[[acl_smtp_rcpt]]\nverb = 'warn'",
        4,
        "the rule has no effect",
    ),
    (
        "verb = 'deny'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        3,
        "unreachable rule: the rule of line 1",
    ),
    (
        "verb = 'accept'\nlog_message = 'x'\n[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = 'a.example'",
        4,
        "unreachable rule: the rule of line 1 always decides",
    ),
    (
        "verb = 'deny'\nhosts = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        4,
        "unreachable rule: the rule of line 1 always decides",
    ),
    (
        "verb = 'defer'\ndomains = '<; *'\nsenders = '* : '\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        5,
        "unreachable rule: the rule of line 1 always decides",
    ),
    ("verb = 'deny'\ncondition = 'maybe'", 3, "\"maybe\" is not a boolean"),
    ("verb = 'deny'\ncondition = '1.5'", 3, "\"1.5\" is not a boolean"),
    ("verb = 'deny'\nspf = 'pass : !pass'", 3, "the list matches every result"),
    ("verb = 'deny'\nspf = '!fail : !softfail'", 3, "the list matches every result"),
    ("verb = 'deny'\nspf_guess = '* : !fail'", 3, "the list matches every result"),
    ("verb = 'deny'\nspf = '!*'", 3, "the list matches no result"),
    ("verb = 'deny'\nspf = ''", 3, "the list matches no result"),
    ("verb = 'deny'\nhosts = '!*'", 3, "the list matches nothing"),
    ("verb = 'deny'\ndomains = '!a.example : !*'", 3, "the list matches nothing"),
    ("verb = 'deny'\nlocal_parts = '* : !root'", 3, "item 2: unreachable, since item 1"),
    ("verb = 'deny'\nhosts = '!192.0.2.1 : * : 192.0.2.2'", 3, "item 3: unreachable, since item 2"),
];

#[test]
fn a_rule_that_does_nothing_is_refused() {
    for (rule, line, problem) in IDLE {
        let error = refused(&format!("[[acl_smtp_rcpt]]\n{rule}"));
        assert!(error.starts_with(&format!("line {line}: {problem}")), "{rule}: {error}");
    }
    let off = "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'reject'";
    let error = refused(&format!("{NOBODY}{off}"));
    assert_eq!(error, "line 4: dmarc_status is always off: dmarc_verify_hosts matches no client");
    for (text, message) in [
        ("dmarc_verify_hosts = '!*'", "line 1: dmarc_verify_hosts: the list matches nothing"),
        (
            "remote_smtp.hosts_try_prdr = '* : !192.0.2.1'",
            "line 1: remote_smtp.hosts_try_prdr: item 2: unreachable",
        ),
        ("local_parts = '!*'", "line 1: local_parts: the list matches nothing"),
        ("[domainlist]\nfew = '!*'", "line 2: domainlist: the list few: the list matches nothing"),
    ] {
        let error = refused(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn a_rule_that_does_something_is_taken() {
    for rule in [
        "verb = 'accept'",
        "verb = 'deny'\nhosts = '!192.0.2.1 : !192.0.2.2'",
        "verb = 'deny'\nlocal_parts = '!root : *'",
        "verb = 'deny'\nhosts = ':'",
        // A switch.
        "verb = 'deny'\ncondition = 'no'",
        "verb = 'deny'\ncondition = ''",
        // It counts, or finds out what others can name, or changes a database.
        "verb = 'warn'\nratelimit = '5 / 1m / per_cmd'",
        "verb = 'warn'\nspf = 'pass : fail : softfail : neutral : none : temperror : permerror : invalid'",
        "verb = 'warn'\nspf = '*'",
        "verb = 'warn'\ncondition = \"${lookup sqlite{DELETE FROM t}}\"",
        "verb = 'warn'\nlogwrite = 'x'\n[[acl_smtp_rcpt]]\nverb = 'deny'",
        "verb = 'deny'\nsenders = '* : '",
        // The sender of a notification has no domain, and a recipient need not have a profile.
        "verb = 'deny'\nsender_domains = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        "verb = 'deny'\nprofiles = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        "verb = 'warn'\nhosts = '*'\nlogwrite = 'x'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        "verb = 'deny'\ncondition = 'yes'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
    ] {
        assert_eq!(refused(&format!("[[acl_smtp_rcpt]]\n{rule}")), "", "{rule}");
    }
}
