//! Lists and texts of rules that are refused, each with its line.

use super::config_effect::refused;
use crate::gateway::config::Config;

/// Rules, and the error.
const WRONG_TEXTS: &[(&str, &str)] = &[
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nsenders = ['a@x.example', 'b@x.example']",
        "line 3: senders: found a list; expected one text in quotes, whose items are separated by colons, as in \"a : b\"",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\n'!domains' = [\n'x.example']",
        "line 4: !domains: found a list; expected one text in quotes, whose items",
    ),
    (
        "[[acl_smtp_data]]\nverb = 'deny'\nheader.subject = ['a', 'b']",
        "line 3: header.subject: found a list",
    ),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nspf = ['fail', 'softfail']", "line 3: spf: found a list"),
    (
        "[[acl_smtp_mail]]\nverb = ['deny']",
        "line 2: verb: found a list; expected one text in quotes",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = ['one', 'two']",
        "line 3: message: found a list; expected one text in quotes",
    ),
    ("[[acl_smtp_rcpt]]\nverb = 'accept'\nprofile = ['a', 'b']", "line 3: profile: found a list"),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nsenders = true", "line 3: must be a string"),
    ("[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = 17", "line 3: must be a string"),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nsenders = 'ann@x.example, bob@x.example'",
        "line 3: item 1 (ann@x.example, bob@x.example): blanks and commas do not separate items; use colons, or begin the list with <,",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nsenders = '! ann@x.example bob@x.example : *@y.example'",
        "line 3: item 1 (ann@x.example bob@x.example): blanks and commas do not",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = 'root : ann, bob'",
        "line 3: item 2 (ann, bob): blanks and commas do not",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nsenders = '@x.example'",
        "line 3: item 1 (@x.example): no address begins with @; write *@x.example",
    ),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = 'ann : !ann@x.example'",
        "line 3: item 2 (ann@x.example): an address is no local part; use recipients",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nencrypted = 'TLS1.3'",
        "line 3: item 1 (TLS1.3): not the name of a cipher suite, such as TLS_",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\ncondition = '${if match{$sender_address}{(}}'",
        "line 3: byte 5: invalid regular expression",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = '${sg{$sender_address}{*}{b}}'",
        "line 3: byte 0: invalid regular expression",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = '550 5.1.1.1 no'",
        "line 3: message: 5.1.1.1 is no enhanced status code of three numbers",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nhosts = '192.0.2.1 ; 192.0.2.2'",
        "a list whose items are separated by semicolons begins with <;",
    ),
    (
        "event_action = '${lookup sqlite{SELECT 1; DROP TABLE a}}'",
        "more than one statement in the query: text after ';' at byte 8 of its SQL",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\ncondition = '${lookup sqlite{SELECT 1 FROM a; SELECT 2}}'",
        "more than one statement in the query",
    ),
];

/// Lists and words of options and rules, and the error.
const WITH_HINTS: &[(&str, &str)] = &[
    (
        "proxy_required_hosts = '2001:db8::1 : 192.0.2.1'",
        "line 1: proxy_required_hosts: item 1 (2001): not an IP address, an address block such as 192.0.2.0/24, or a host name; double the colons of an item, or begin the list with <;",
    ),
    ("host_lookup = '::1'", "item 1 (:1): not an IP address"),
    ("host_lookup = '::1'", "host name; double the colons of an item, or begin the list with <;"),
    ("tls_verify_hosts = '[2001:db8::1]'", "; double the colons of an item, or begin"),
    ("proxy_required_hosts = 'a.example, b.example'", "; items are separated by colons"),
    ("dmarc_verify_hosts = '192.0.2.1 192.0.2.2'", "; items are separated by colons"),
    ("[hostlist]\nours = '2001:db8::/32'", "hostlist: the list ours: item 1 (2001): not an IP"),
    ("[hostlist]\nours = '2001:db8::/32'", "; double the colons of an item, or begin"),
    ("[remote_smtp]\nhosts_require_tls = '2001:db8::1'", "; double the colons of an item, or"),
    ("[[acl_smtp_connect]]\nverb = 'deny'\nhosts = '2001:db8::1'", "; double the colons of an"),
    (
        "[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = 'a.example, b.example'",
        "line 3: item 1 (a.example, b.example): blanks and commas do not separate items; use colons",
    ),
    (
        "hosts_proxy = 'müller.example'",
        "item 1 (m\\xc3\\xbcller.example): not ASCII; write a host name",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'hardfail'",
        "line 3: spf: item 1 (hardfail) is no result; expected none, neutral, pass, fail, softfail, temperror, permerror",
    ),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nspf_guess = 'fail, softfail'", "line 3: spf_guess: item 1"),
    ("[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail, none'", "; items are separated by colons"),
    (
        "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'pass : fail'",
        "line 3: dmarc_status: item 1 (pass) is no result; expected accept, reject, quarantine",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\n'!spff' = 'fail'",
        "!spff is neither a condition nor a modifier; did you mean spf?",
    ),
    (
        "[[acl_smtp_mail]]\nverb = 'deny'\nmessage = '$sender_hostaddress'",
        "line 3: byte 1: unknown variable \"sender_hostaddress\"; did you mean sender_host_address?",
    ),
    ("local_parts = '$localpart'", "unknown variable \"localpart\"; did you mean local_part?"),
    ("event_select = 'msg:deliver'", "word 1 (msg:deliver); did you mean msg:delivery?"),
    (
        "log_format = 'json'\nproxy_required_hosts = 127.0.0.1 # ours",
        "line 2: proxy_required_hosts: found 127.0.0.1 without quotes; a text stands in quotes, as proxy_required_hosts = \"127.0.0.1\"",
    ),
    ("primary_hostname = mx.example", "line 1: primary_hostname: found mx.example without quotes"),
    ("[[acl_smtp_mail]]\nverb = deny", "line 2: verb: found deny without quotes"),
];

#[test]
fn an_error_says_what_is_written_instead() {
    for (text, message) in WITH_HINTS {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    for text in ["smtp_accept_max = 1,000", "smtp_accept_max = \"", "a", "[a", "a = 'x\\"] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(!error.contains("without quotes"), "{text}: {error}");
    }
}

#[test]
fn a_value_that_cannot_mean_its_text_is_refused() {
    for (text, message) in WRONG_TEXTS {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn a_value_that_can_is_taken() {
    for (place, line) in [
        ("acl_smtp_mail", "senders = '<, ann@x.example, bob@x.example'"),
        ("acl_smtp_mail", "senders = '^ann, bob@x\\.example\\$ : : *@x.example'"),
        ("acl_smtp_rcpt", "local_parts = '^ann@home\\$ : *-request'"),
        ("acl_smtp_mail", "encrypted = '* '"),
        ("acl_smtp_mail", "condition = ['yes', '${if eq{a}{a}}']"),
        ("acl_smtp_mail", "add_header = ['X-A: b', 'X-C: d']"),
    ] {
        let text =
            format!("[[{place}]]\nverb = 'warn'\nset.acl_m_x = ['1', '${{acl_m_x}}2']\n{line}\n");
        assert!(Config::parse(&text).is_ok(), "{text}: {}", Config::parse(&text).unwrap_err());
    }
}

/// A sender could choose the query otherwise.
#[test]
fn a_value_that_anybody_may_have_written_is_quoted_in_a_query() {
    for (query, told) in [
        (
            "SELECT a FROM t WHERE b = '$domain'",
            "$domain is not quoted: write ${quote_sqlite:$domain}",
        ),
        (
            "SELECT a FROM t WHERE b = '${quote_sqlite:$domain}' AND c = '${local_part}'",
            "$local_part is not quoted: write ${quote_sqlite:$local_part}",
        ),
        (
            "SELECT a FROM t WHERE b = '${lc:$local_part}'",
            "a value with $local_part is not quoted: write ${quote_sqlite:…} around all of it",
        ),
        (
            "SELECT a FROM t WHERE b = '${quote_pgsql:$domain}'",
            "an untrusted value is not quoted: write ",
        ),
        (
            "SELECT a FROM t WHERE b = '${quote:$sender_address}'",
            "a value with $sender_address is not quoted: write",
        ),
        ("SELECT a FROM $sender_helo_name", "$sender_helo_name is not quoted: write "),
        ("SELECT a FROM $acl_m_table WERE b = '$domain'", "$domain is not quoted: write "),
    ] {
        let text = format!(
            "[[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = \"${{lookup sqlite{{{query}}}}}\""
        );
        let error = Config::parse(&text).unwrap_err().to_string();
        let expected = format!("line 3: byte 0: the lookup sqlite: {told}");
        assert!(error.starts_with(&expected), "{query}: {error}");
    }
    let text =
        "[[acl_smtp_data]]\nverb = 'deny'\ncondition = \"${lookup sqlite{SELECT '$h_to:'}}\"";
    let error = Config::parse(text).unwrap_err().to_string();
    assert!(
        error.contains("an untrusted value is not quoted: write ${quote_sqlite:…} around it"),
        "{error}"
    );
    for variable in ["sender_address", "event_data", "sender_helo_name"] {
        let text = format!("event_action = \"${{lookup sqlite{{SELECT '${variable}'}}}}\"");
        let error = Config::parse(&text).unwrap_err().to_string();
        let told = format!("${variable} is not quoted: write ${{quote_sqlite:${variable}}}");
        assert!(error.contains(&told), "{variable}: {error}");
    }
}

/// In a list of hosts, senders and so on `^` begins an expression; here it would be the character.
#[test]
fn an_expression_for_a_header_field_is_refused() {
    for (line, item, field) in [
        ("header.subject = '^t'", 1, "h_subject"),
        ("header.Subject = 'a : ^$h_from:'", 2, "h_Subject"),
        ("header_raw.x-spam = '<; a:b ; ^c'", 2, "rh_x-spam"),
        ("'!header'.subject = '^t : a'", 1, "h_subject"),
    ] {
        let text = format!("[[acl_smtp_data]]\nverb = 'deny'\n{line}");
        let expected = format!(
            "line 3: item {item}: ^ has no meaning here; for an expression use condition = \
             \"${{if match{{${field}:}}{{...}}}}\""
        );
        assert_eq!(refused(&text), expected, "{line}");
    }
    for line in ["header.subject = '*^t'", "header.subject = 'a^b'", "header.subject = '\\^t'"] {
        assert_eq!(refused(&format!("[[acl_smtp_data]]\nverb = 'deny'\n{line}")), "", "{line}");
    }
}

#[test]
fn an_empty_list_of_a_condition_is_refused() {
    let bounces = "; the sender of bounces is \":\"";
    for (condition, hint) in [
        ("hosts", ""),
        ("'!hosts'", ""),
        ("encrypted", ""),
        ("authenticated", ""),
        ("senders", bounces),
        ("sender_domains", ""),
        ("recipients", ""),
        ("domains", ""),
        ("local_parts", ""),
        ("profiles", "; no profile is \":\""),
        ("header.subject", ""),
        ("header_raw.subject", ""),
    ] {
        for empty in ["", " ", "<;", "EMPTY"] {
            let text = format!(
                "[[acl_smtp_data_prdr]]\nverb = 'deny'\n{condition} = '{empty}'\n\
                 [[acl_smtp_rcpt]]\nverb = 'warn'\nprofile = 'a'\n[macros]\nEMPTY = ''"
            );
            let expected = format!("line 3: the list is empty, and matches nothing{hint}");
            assert_eq!(refused(&text), expected, "{text}");
            let expanded = text
                .replace(&format!("= '{empty}'\n[[acl_smtp_rcpt"), "= '$acl_m_x'\n[[acl_smtp_rcpt");
            assert_eq!(refused(&expanded), "", "{expanded}");
        }
    }
}
