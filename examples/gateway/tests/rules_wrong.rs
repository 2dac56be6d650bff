//! Rules that are refused, each with its line.

use crate::gateway::config::Config;

#[test]
fn what_is_wrong_with_a_rule_is_named_with_its_line() {
    for (text, message) in [
        ("[[acl_smtp_mail]]\nmessage = 'x'", "line 1: a rule without a verb"),
        ("[[acl_smtp_mail]]\n\nverb = 'drop'", "line 3: drop is no verb"),
        ("[[acl_smtp_mail]]\nverb = 'deny'\nspam = '*'", "line 3: spam is neither"),
        ("[[acl_smtp_mail]]\nverb = 'deny'\n'!message' = '*'", "line 3: !message is neither"),
        // Of the text of 2014, what belongs to other products.
        ("[[acl_smtp_data]]\nverb = 'defer'\n'!dcc' = '*'", "line 3: !dcc is neither"),
        (
            "[[acl_smtp_rcpt]]\nverb = 'accept'\ncontrol = 'bmi_run'",
            "line 3: bmi_run is no control",
        ),
        ("[[acl_smtp_rcpt]]\nverb = 'accept'\nverify = 'recipient'", "line 3: verify is neither"),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a $domain_used_domain'",
            "line 3: byte 3: no variable is named \"domain_used_domain\"",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = '${if x}'",
            "line 3: byte 5: \"x\" is no condition",
        ),
        ("[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a$'", "line 3: byte 2: "),
        ("[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a\\'", "line 3: byte 1: a backslash"),
        ("[[acl_smtp_mail]]\nverb = 'warn'\nset.domain = 1", "line 3: domain cannot be set"),
        ("[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_mx = 1", "line 3: acl_mx cannot be set"),
        (
            "[[acl_smtp_mail]]\nverb = 'warn'\nset = 'x'",
            "line 3: set, header and header_raw have a second part",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'warn'\nhosts.x = 'x'",
            "line 3: set, header and header_raw have a second part",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'warn'\nmessage = 'x'",
            "line 3: message has no use at acl_smtp_mail",
        ),
        (
            "[[acl_smtp_connect]]\nverb = 'deny'\nsenders = 'x'",
            "line 3: senders has no use at acl_smtp_connect",
        ),
        (
            "[[acl_smtp_data]]\nverb = 'deny'\ndomains = 'x'",
            "line 3: domains has no use at acl_smtp_data",
        ),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nheader.x = 'x'", "line 3: header has no use"),
        (
            "[[acl_smtp_data_prdr]]\nverb = 'warn'\nadd_header = 'X: y'",
            "line 3: add_header has no use",
        ),
        ("[[acl_smtp_data]]\nverb = 'warn'\nprofile = 'x'", "line 3: profile has no use"),
        (
            "[[acl_smtp_data]]\nverb = 'warn'\nadd_header = 'X y'",
            "line 3: not the name of a header field",
        ),
        (
            "[[acl_smtp_data]]\nverb = 'warn'\nadd_header = '$domain: y'",
            "line 3: not the name of a header field",
        ),
        (
            "[[acl_smtp_data]]\nverb = 'deny'\nheader.'a b' = 'y'",
            "line 3: not the name of a header field",
        ),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = 'a : b/c'", "line 3: item 2"),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = 'a : +nowhere'",
            "line 3: item 2 (+nowhere): the table domainlist has no list",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = '^re(gex'",
            "line 3: item 1 (^re(gex): the regular expression is wrong",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nsenders = 'a*@b.example'",
            "line 3: item 1 (a*@b.example): a * is a wildcard",
        ),
        ("[[acl_smtp_mail]]\nverb = 'deny'\nhosts = 1.5", "line 3: not a text"),
        ("[[acl_smtp_mail]]\nverb = ['deny', 'deny']", "line 2: a second verb"),
        ("acl_smtp_mail = 'deny'", "line 1: rules are tables"),
        ("acl_smtp_mail = ['deny']", "line 1: rules are tables"),
        (
            "[[acl_data_smtp_prdr]]\nverb = 'deny'\n[[acl_smtp_data_prdr]]\nverb = 'deny'",
            "line 3: there are rules for this place under both its names",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'A'\n[macros]\nA = 'A'",
            "line 3: macros: A goes in a circle",
        ),
        ("[[acl_smtp_helo]]\nverb = 'deny'", "unknown field `acl_smtp_helo`"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_rate_limit_is_named_with_its_line() {
    for (text, message) in [
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = 'x / 5s'",
            "line 3: the limit is not a number",
        ),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5'", "line 3: the period"),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5x'", "line 3: the period"),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 0s'", "line 3: the period"),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 0m0s / strict'", "line 3: the period"),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / per_rcpt / per_mail'",
            "line 3: per_mail: a rate limit has one option of this kind",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / strict / readonly'",
            "line 3: readonly: a rate limit has one option of this kind",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / stricct'",
            "line 3: stricct is no option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / $domain / stricct'",
            "line 3: stricct is no option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / count=x'",
            "line 3: the count of a rate is not a number",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / uniq=$domain / x'",
            "line 3: uniq=$domain is no option",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '5 / 5s / per_addr'",
            "line 3: per_addr is no option",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '5 / 5s / per_rcpt'",
            "line 3: per_rcpt is no option",
        ),
        (
            "[[acl_smtp_connect]]\nverb = 'deny'\nratelimit = '5 / 5s'",
            "line 3: per_mail is no option",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn there_are_only_so_many_of_anything() {
    let rules = |count: usize| "[[acl_smtp_mail]]\nverb = 'deny'\n".repeat(count);
    assert!(Config::parse(&rules(1000)).is_ok());
    let entries = |count: usize| {
        let lines = vec!["'x'"; count].join(", ");
        format!("[[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = [{lines}]")
    };
    assert!(Config::parse(&entries(99)).is_ok());
    let items = |count: usize| {
        let items = vec!["x.example"; count].join(" : ");
        format!("[[acl_smtp_mail]]\nverb = 'deny'\nsender_domains = '{items}'")
    };
    assert!(Config::parse(&items(10_000)).is_ok());
    for (text, error) in [
        (rules(1001), "line 1: too many"),
        (entries(100), "line 1: too many"),
        (items(10_001), "line 3: more than 10000 items"),
    ] {
        assert_eq!(Config::parse(&text).unwrap_err().to_string(), error);
    }
}
