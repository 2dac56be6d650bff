//! Lists and texts of rules that are refused, each with its line.

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
