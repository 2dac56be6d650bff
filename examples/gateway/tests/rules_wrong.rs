//! Rules that are refused, each with its line.

use crate::gateway::config::Config;

/// Rules, and the error.
const WRONG_RULES: &[(&str, &str)] = &[
    ("[[acl_smtp_mail]]\nmessage = 'x'", "line 1: the rule has no verb"),
    ("[[acl_smtp_mail]]\n\nverb = 'refuse'", "line 3: unknown verb refuse"),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nspam = '*'", "line 3: spam of Exim is not supported here"),
    ("[[acl_smtp_mail]]\nverb = 'deny'\n'!message' = '*'", "line 3: !message is neither"),
    // Of the text of 2014, what belongs to other products.
    (
        "[[acl_smtp_data]]\nverb = 'defer'\n'!dcc' = '*'",
        "line 3: dcc of Exim is not supported here",
    ),
    ("[[acl_smtp_rcpt]]\nverb = 'accept'\ncontrol = 'bmi_run'", "line 3: unknown control bmi_run"),
    (
        "[[acl_smtp_mail]]\nverb = 'warn'\ncontrol = 'dmarc_override/trusted_forward'",
        "line 3: unknown control dmarc_override/trusted_forward; did you mean dmarc_override/trusted_forwarder?",
    ),
    (
        "[[acl_smtp_data]]\nverb = 'warn'\ncontrol = 'dmarc_override/mailing_list'",
        "line 3: control dmarc_override/mailing_list has no effect at acl_smtp_data; it has one at acl_smtp_connect, ",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'accept'\nverify = 'recipient'",
        "line 3: verify of Exim is not supported here",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a $domain_used_domain'",
        "line 3: byte 3: unknown variable \"domain_used_domain\"",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = '${if x}'",
        "line 3: byte 5: unknown condition \"x\"",
    ),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a$'", "line 3: byte 2: "),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'a\\'",
        "line 3: byte 1: backslash at the end of the text",
    ),
    ("[[acl_smtp_mail]]\nverb = 'warn'\nset.domain = 1", "line 3: domain cannot be set"),
    ("[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_mx = 1", "line 3: acl_mx cannot be set"),
    (
        "[[acl_smtp_mail]]\nverb = 'warn'\nset = 'x'",
        "line 3: set: only set, header and header_raw take a second part",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'warn'\nhosts.x = 'x'",
        "line 3: hosts: only set, header and header_raw take a second part",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'warn'\nmessage = 'x'",
        "line 3: message has no effect at acl_smtp_mail with the verb warn",
    ),
    (
        "[[acl_smtp_connect]]\nverb = 'deny'\nsenders = 'x'",
        "line 3: the condition senders has nothing to test at acl_smtp_connect; it is known at acl_smtp_mail, ",
    ),
    (
        "[[acl_smtp_data]]\nverb = 'deny'\ndomains = 'x'",
        "line 3: the condition domains has nothing to test at acl_smtp_data; it is known at acl_smtp_rcpt and acl_smtp_data_prdr",
    ),
    ("[[acl_smtp_rcpt]]\nverb = 'deny'\nheader.x = 'x'", "line 3: the condition header has"),
    (
        "[[acl_smtp_data_prdr]]\nverb = 'warn'\nadd_header = 'X: y'",
        "line 3: add_header has no effect",
    ),
    ("[[acl_smtp_data]]\nverb = 'warn'\nprofile = 'x'", "line 3: profile has no effect"),
    (
        "[[acl_smtp_data]]\nverb = 'warn'\nadd_header = 'X y'",
        "line 3: add_header: NAME: text expected",
    ),
    (
        "[[acl_smtp_data]]\nverb = 'warn'\nadd_header = '$domain: y'",
        "line 3: add_header: NAME: text expected",
    ),
    (
        "[[acl_smtp_data]]\nverb = 'deny'\nheader.'a b' = 'y'",
        "line 3: add_header: NAME: text expected",
    ),
    ("[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = 'a : b/c'", "line 3: item 2"),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = 'a : +nowhere'",
        "line 3: item 2 (+nowhere): no such list in the table domainlist",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = '^re(gex'",
        "line 3: item 1 (^re(gex): invalid regular expression",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nsenders = 'a*@b.example'",
        "line 3: item 1 (a*@b.example): a * is a wildcard",
    ),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nhosts = 1.5", "line 3: must be a string"),
    ("[[acl_smtp_mail]]\nverb = ['deny', 'deny']", "line 2: the rule has a second verb"),
    ("acl_smtp_mail = 'deny'", "line 1: rules are tables"),
    ("acl_smtp_mail = ['deny']", "line 1: rules are tables"),
    (
        "[[acl_data_smtp_prdr]]\nverb = 'deny'\n[[acl_smtp_data_prdr]]\nverb = 'deny'",
        "line 3: rules for this stage under both of its names: use one",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = 'A'\n[macros]\nA = 'A'",
        "line 3: macros: A is circular",
    ),
    (
        "[[acl_smtp_hello]]\nverb = 'deny'",
        "line 1: acl_smtp_hello: there is no option of this name (--print-config writes all); did you mean acl_smtp_helo?",
    ),
];

#[test]
fn what_is_wrong_with_a_rule_is_named_with_its_line() {
    for (text, message) in WRONG_RULES {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

const STAGES: [&str; 6] = [
    "acl_smtp_connect",
    "acl_smtp_helo",
    "acl_smtp_mail",
    "acl_smtp_rcpt",
    "acl_smtp_data_prdr",
    "acl_smtp_data",
];

/// Variables, and whether they have a value at each of [`STAGES`].
const KNOWN_AT: &[(&str, [bool; 6])] = &[
    ("sender_host_address sender_host_port sender_host_name primary_hostname", [true; 6]),
    ("received_ip_address received_port received_protocol", [true; 6]),
    ("proxy_session proxy_external_address proxy_local_port acl_c0 acl_m_x", [true; 6]),
    ("sender_rate sender_rate_limit sender_rate_period", [true; 6]),
    ("sender_helo_name smtp_command tls_in_cipher", [false, true, true, true, true, true]),
    ("prdr_requested", [false, false, true, true, true, true]),
    (
        "sender_address sender_address_domain sender_address_local_part",
        [false, false, true, true, true, true],
    ),
    ("message_size recipients_count", [false, false, true, true, true, true]),
    ("spf_result spf_received spf_smtp_comment", [false, false, true, true, true, true]),
    ("local_part domain", [false, false, false, true, true, false]),
    ("profile", [false, false, false, true, true, true]),
    ("sender_fullhost tod_epoch tod_log", [true; 6]),
    ("rcpt_count rcpt_fail_count rcpt_defer_count", [false, false, true, true, true, true]),
    ("message_body message_headers recipients", [false, false, false, false, true, true]),
    ("h_subject: rh_to: dmarc_status dmarc_ar_header", [false, false, false, false, true, true]),
];

/// A rule for which no variable is always the same.
const TESTS: &str = "[[acl_smtp_rcpt]]\nverb = 'warn'\nspf = 'fail'\nprofile = 'x'\n\
                     ratelimit = '5 / 1m / per_cmd / readonly'";

/// Where a variable can have a value: the chapter on string expansions of Exim's specification has it for each of
/// its variables, and the text of 2014 for those of SPF and DMARC.
#[test]
fn a_variable_without_a_value_at_a_stage_is_refused_there() {
    for (names, at) in KNOWN_AT {
        for name in names.split(' ') {
            for (stage, is_known) in STAGES.iter().zip(at) {
                for line in [
                    "condition = 'NAME'",
                    "log_message = '${if eq{NAME}{x}{y}}'",
                    "set.acl_c1 = 'NAME'",
                    "hosts = 'NAME'",
                    "ratelimit = 'NAME / 1m / per_cmd'",
                ] {
                    let line = line.replace("NAME", &format!("${name}"));
                    let text =
                        format!("[[{stage}]]\nverb = 'warn'\n{line}\nlogwrite = 'x'\n{TESTS}");
                    let error = Config::parse(&text).err().map(|error| error.to_string());
                    let stated = error.as_ref().is_some_and(|error| {
                        error.starts_with("line 3: byte ")
                            && [" are not available at ", " is not available at "]
                                .iter()
                                .any(|text| error.contains(&format!("{text}{stage}")))
                    });
                    assert!(if *is_known { error.is_none() } else { stated }, "{text}: {error:?}");
                }
            }
        }
    }
}

#[test]
fn a_list_is_good_where_its_variables_have_a_value() {
    let list = "[hostlist]\nof = '${if eq{$domain}{a.example}{*}}'\n";
    for (stage, is_known) in STAGES.iter().zip([false, false, false, true, true, false]) {
        let text = format!("{list}[[{stage}]]\nverb = 'deny'\nhosts = '+of'");
        let error = Config::parse(&text).err().map(|error| error.to_string());
        let stated = error.as_deref().is_some_and(|error| {
            error.starts_with("line 5: +of: byte 9: $domain is not available at acl_smtp_")
        });
        assert!(if is_known { error.is_none() } else { stated }, "{text}: {error:?}");
    }
    for (text, message) in [
        ("host_lookup = '$sender_host_name'", "byte 1: $sender_host_name is not available"),
        ("tls_advertise_hosts = '${if def:acl_c0{*}}'", "byte 9: $acl_c0 is not available"),
        ("dmarc_verify_hosts = '$sender_helo_name'", "byte 1: $sender_helo_name is not available"),
        ("smtp_max_refused_hosts = '$domain'", "byte 1: $domain is not available"),
        ("local_parts = '$h_to:'", "byte 0: header fields are not available at acl_smtp_rcpt"),
        ("local_domains = '$dmarc_status'", "byte 1: $dmarc_status is not available"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        let option = text.split(' ').next().unwrap();
        assert!(error.starts_with(&format!("line 1: {option}: {message}")), "{text}: {error}");
    }
    assert!(Config::parse("tls_advertise_hosts = '$sender_host_name'").is_ok());
}

#[test]
fn an_item_that_is_only_a_negation_is_refused() {
    for condition in [
        "hosts",
        "senders",
        "sender_domains",
        "recipients",
        "domains",
        "local_parts",
        "profiles",
        "authenticated",
    ] {
        for (list, item) in [
            ("!", 1),
            ("! ", 1),
            ("!:*", 1),
            ("a.example : ! : b.example", 2),
            ("<; ! ; a.example", 1),
            ("<\\n a.example\\n!\\t", 2),
        ] {
            let text = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{condition} = \"{list}\"");
            let error = Config::parse(&text).unwrap_err().to_string();
            let expected = format!("line 3: item {item}: ! without a pattern matches everything");
            assert!(error.starts_with(&expected), "{text}: {error}");
        }
    }
    for option in [
        "local_domains",
        "local_parts",
        "relay_to_domains",
        "host_lookup",
        "tls_advertise_hosts",
        "dmarc_verify_hosts",
        "helo_accept_junk_hosts",
        "smtp_max_refused_hosts",
        "remote_smtp.hosts_try_prdr",
        "proxy_required_hosts",
    ] {
        let text = format!("route_data = 'a.example:25'\n{option} = '192.0.2.1 : ! '");
        let error = Config::parse(&text).unwrap_err().to_string();
        let expected = format!("line 2: {option}: item 2: ! without a pattern matches everything");
        assert!(error.starts_with(&expected), "{text}: {error}");
    }
    for table in ["addresslist", "domainlist", "hostlist", "localpartlist"] {
        let error = Config::parse(&format!("[{table}]\nfew = '!'")).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!(
                "line 2: {table}: the list few: item 1: ! without a pattern"
            )),
            "{error}"
        );
    }
    // What negates something is Exim's, as is an item that is nothing.
    for list in ["!a.example", "!a.example : *", ":"] {
        let text =
            format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = '{list}'\nsenders = '{list}'");
        assert!(Config::parse(&text).is_ok(), "{text}");
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
            "line 3: per_mail: duplicate or conflicting option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / strict / readonly'",
            "line 3: readonly: duplicate or conflicting option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / stricct'",
            "line 3: stricct: unknown option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / $domain / stricct'",
            "line 3: stricct: unknown option",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / count=x'",
            "line 3: count= must be a number",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 5s / uniq=$domain / x'",
            "line 3: uniq=$domain: unknown option",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '5 / 5s / per_addr'",
            "line 3: per_addr counts nothing",
        ),
        (
            "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '5 / 5s / per_rcpt'",
            "line 3: per_rcpt counts nothing",
        ),
        (
            "[[acl_smtp_connect]]\nverb = 'deny'\nratelimit = '5 / 5s'",
            "line 3: per_mail counts nothing",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

/// Source: Exim 4.96, `exim4 -bh` with the same options, each at the stages that both have.
#[test]
fn rate_limits_count_where_there_is_something_to_count() {
    let stages = ["acl_smtp_connect", "acl_smtp_mail", "acl_smtp_rcpt", "acl_smtp_data"];
    for (option, at) in [
        ("per_conn", [true, true, true, true]),
        ("per_cmd", [true, true, true, true]),
        ("per_mail", [false, true, true, true]),
        ("per_byte", [false, true, true, true]),
        ("per_rcpt", [false, false, true, true]),
        ("per_addr", [false, false, true, false]),
    ] {
        for (stage, counts) in stages.iter().zip(at) {
            let read = |mode: &str| {
                let limit = format!("100 / 1h / {option}{mode}");
                let text = format!("[[{stage}]]\nverb = 'warn'\nratelimit = '{limit}'");
                Config::parse(&text).err().map(|error| error.to_string())
            };
            for mode in ["", " / strict", " / leaky"] {
                let error = read(mode);
                let stated = error.as_ref().is_some_and(|error| {
                    error.starts_with(&format!("line 3: {option} counts nothing at {stage}"))
                });
                assert!(
                    if counts { error.is_none() } else { stated },
                    "{option} {stage}: {error:?}"
                );
            }
            // As Exim has it, only what makes an address unique is not known elsewhere.
            let looks = read(" / readonly").is_none();
            assert_eq!(looks, counts || option != "per_addr", "{option} {stage}");
        }
    }
    for (options, message) in [
        ("strict / leaky", "leaky: duplicate or conflicting option"),
        ("per_mail / per_mail", "per_mail: duplicate or conflicting option"),
        ("count=1 / count=2", "count=2: duplicate or conflicting option"),
        ("unique=$domain / unique=$domain", "unique=$domain: duplicate or conflicting option"),
        ("per_addr / unique=$domain", "unique=$domain: duplicate or conflicting option"),
        ("unique=$domain / per_addr", "per_addr: duplicate or conflicting option"),
        ("count=", "count= must be a number greater than zero"),
        ("count=0", "count= must be a number greater than zero"),
        ("count=-1", "count= must be a number greater than zero"),
        ("unique=", "unique=: unknown option"),
    ] {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 1h / {options}'");
        let error = Config::parse(&text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line 3: {message}")), "{options}: {error}");
    }
}

#[test]
fn there_are_only_so_many_of_anything() {
    let rules =
        |count: usize| "[[acl_smtp_mail]]\nverb = 'deny'\nhosts = 'x.example'\n".repeat(count);
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
        (rules(1001), "line 1: too many rules or conditions"),
        (entries(100), "line 1: too many rules or conditions"),
        (items(10_001), "line 3: list has more than 10000 items"),
    ] {
        assert_eq!(Config::parse(&text).unwrap_err().to_string(), error);
    }
}
