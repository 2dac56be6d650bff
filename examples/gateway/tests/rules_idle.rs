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
        "verb = 'deny'\nprofiles = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'\nprofile = 'x'",
        "verb = 'warn'\nhosts = '*'\nlogwrite = 'x'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        "verb = 'deny'\ncondition = 'yes'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
    ] {
        assert_eq!(refused(&format!("[[acl_smtp_rcpt]]\n{rule}")), "", "{rule}");
    }
}

/// Options, and a rule that does nothing with them: its place, its lines, the number of the line, and the error.
const SWITCHED_OFF: &[(&str, &str, &str, usize, &str)] = &[
    (
        NOBODY,
        "mail",
        "verb = 'warn'\ncontrol = 'dmarc_disable_verify'",
        2,
        "control dmarc_disable_verify has no effect: dmarc_verify_hosts matches",
    ),
    (
        NOBODY,
        "connect",
        "verb = 'warn'\nhosts = '192.0.2.1'\ncontrol = 'dmarc_enable_forensic'",
        3,
        "control dmarc_enable_forensic has no effect: dmarc_verify_hosts",
    ),
    (
        NOBODY,
        "rcpt",
        "verb = 'accept'\ncontrol = 'dmarc_override/mailing_list'",
        2,
        "control dmarc_override/mailing_list has no effect: dmarc",
    ),
    (
        NOBODY,
        "data",
        "verb = 'deny'\ncondition = '${if eq{$dmarc_status}{reject}}'",
        2,
        "$dmarc_status always has the same value: dmarc_verify_hosts",
    ),
    (
        NOBODY,
        "data_prdr",
        "verb = 'warn'\nlogwrite = '${if def:dmarc_used_domain{x}}'",
        2,
        "$dmarc_used_domain always has the same value",
    ),
    (
        NOBODY,
        "data",
        "verb = 'warn'\nadd_header = '$dmarc_ar_header'",
        2,
        "$dmarc_ar_header always has the same value",
    ),
    (
        "",
        "mail",
        "verb = 'deny'\ncondition = '${if eq{$spf_result}{fail}}'",
        2,
        "$spf_result always has the same value: no rule has the condition spf",
    ),
    (
        "",
        "data",
        "verb = 'warn'\nadd_header = '$spf_received'",
        2,
        "$spf_received always has the same value",
    ),
    (
        "",
        "helo",
        "verb = 'warn'\nlogwrite = '${sender_rate}'",
        2,
        "$sender_rate always has the same value: no rule has the condition ratelimit",
    ),
    (
        "",
        "data",
        "verb = 'warn'\nlogwrite = '$profile'",
        2,
        "$profile always has the same value: no rule has the modifier profile",
    ),
    (
        "",
        "data_prdr",
        "verb = 'deny'\nprofiles = 'strict'",
        2,
        "profiles has no effect: no rule has the modifier profile",
    ),
    (
        "host_lookup = ''\n",
        "connect",
        "verb = 'deny'\nmessage = '$sender_host_name'",
        2,
        "$sender_host_name always has the same value: host_lookup matches",
    ),
    (
        "tls_advertise_hosts = ''\n",
        "mail",
        "verb = 'deny'\ncondition = '${if def:tls_in_cipher}'",
        2,
        "$tls_in_cipher always has the same value: tls_advertise_hosts",
    ),
    (
        "",
        "mail",
        "verb = 'deny'\ncondition = '$tls_in_certificate_verified'",
        2,
        "$tls_in_certificate_verified always has the same value: tls_verify",
    ),
    (
        "store = 'discard'\n",
        "rcpt",
        "verb = 'quarantine'\nsenders = ':'",
        1,
        "verb = quarantine has no effect: store = \"discard\" keeps no mail",
    ),
];

#[test]
fn a_rule_for_a_test_that_is_off_is_refused() {
    for (options, place, rule, line, problem) in SWITCHED_OFF {
        let error = refused(&format!("{options}[[acl_smtp_{place}]]\n{rule}"));
        let line = options.lines().count() + 1 + line;
        assert!(error.starts_with(&format!("line {line}: {problem}")), "{rule}: {error}");
    }
    let text = "maildir = '/m/${if eq{$spf_result}{fail}{bad}{good}}'";
    let error = refused(text);
    assert!(error.starts_with("line 1: maildir: $spf_result always has the same"), "{error}");
    let hop = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
    for taken in [
        // It goes to the next hop with its field X-Quarantine.
        &format!("store = 'discard'\n{hop}[[acl_smtp_rcpt]]\nverb = 'quarantine'\nsenders = ':'"),
        // The name alone is a word.
        &format!("{NOBODY}[[acl_smtp_data]]\nverb = 'deny'\nmessage = 'no dmarc_status'"),
        "[[acl_smtp_mail]]\nverb = 'warn'\nspf = 'fail'\nlogwrite = '$spf_result'",
        "maildir = '/m/$spf_result'\n[[acl_smtp_mail]]\nverb = 'warn'\nspf = 'fail'\nlogwrite = 'x'",
    ] {
        assert_eq!(refused(taken), "", "{taken}");
    }
}

/// Rules that refuse, and a modifier of the message that is refused with them.
#[test]
fn a_rule_that_refuses_changes_nothing_of_its_message() {
    const CONTROL: &str = "control = 'dmarc_disable_verify'";
    const HOSTS: &str = "hosts = '192.0.2.1'";
    for (place, verb, modifier) in [
        ("connect", "deny", CONTROL),
        ("helo", "drop", CONTROL),
        ("mail", "defer", "control = 'dmarc_override/local_policy'"),
        ("rcpt", "deny", CONTROL),
        ("rcpt", "drop", "profile = 'strict'"),
        ("connect", "deny", "add_header = 'X: y'"),
        ("mail", "deny", "add_header = 'X: y'"),
        ("data", "defer", "add_header = 'X: y'"),
        ("mail", "deny", "remove_header = 'X'"),
        ("data", "deny", "remove_header = 'X'"),
    ] {
        let head = format!("[[acl_smtp_{place}]]\nverb = '{verb}'\n");
        for rule in [
            format!("{HOSTS}\n{modifier}"),
            format!("condition = '${{if eq{{a}}{{b}}}}'\n{modifier}\nhosts = '*'"),
        ] {
            let error = refused(&format!("{head}{rule}"));
            let end = format!("has no effect behind the last condition of a {verb}, which refuses");
            assert!(error.starts_with("line 4: ") && error.ends_with(&end), "{rule}: {error}");
        }
        // Where the condition fails, the modifier stays.
        assert_eq!(refused(&format!("{head}{modifier}\n{HOSTS}")), "", "{place} {modifier}");
    }
    for rule in [
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = '192.0.2.1'\nadd_header = 'X: y'",
        "[[acl_smtp_mail]]\nverb = 'deny'\nhosts = '192.0.2.1'\nset.acl_m_x = 'y'\nmessage = '$acl_m_x'",
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a\nb'\ncontrol = 'no_multiline_responses'",
        "[[acl_smtp_mail]]\nverb = 'require'\nhosts = '192.0.2.1'\ncontrol = 'dmarc_disable_verify'",
    ] {
        let rule = rule.replace("'a\nb'", "\"a\\nb\"");
        assert_eq!(refused(&rule), "", "{rule}");
    }
}
