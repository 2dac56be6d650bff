//! Options of the main section behind the head of a table, where they would be something else.

use std::fs;

use super::config_effect::refused;
use super::scratch::Scratch;
use crate::gateway::config::{Config, opening};

#[test]
fn an_option_behind_the_head_of_a_table_is_refused() {
    for table in [
        "acl",
        "addresslist",
        "domainlist",
        "hostlist",
        "localpartlist",
        "local_delivery",
        "macros",
        "remote_smtp",
    ] {
        for (line, name) in [
            ("local_domains = 'example.com'", "local_domains"),
            ("prdr_enable = true", "prdr_enable"),
            ("event_select = '*'", "event_select"),
            ("smtp_accept_max = 5", "smtp_accept_max"),
        ] {
            let expected = format!(
                "line 2: {table}: {name} is an option; write it before the tables, as {name} = …"
            );
            assert_eq!(refused(&format!("[{table}]\n{line}")), expected);
        }
    }
    let expected = "line 2: hostlist: remote_smtp.hosts_try_dane is an option; write it before the tables, as \
                    remote_smtp.hosts_try_dane = …";
    assert_eq!(refused("[hostlist]\nremote_smtp.hosts_try_dane = ''"), expected);
    // An option of both has the meaning of its table.
    let own = "[remote_smtp]\ntls_verify_hosts = '*'\ntls_try_verify_hosts = ''\n";
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
    assert!(!refused(&format!("{relay}{own}")).contains("is an option"));
}

#[test]
fn an_option_in_a_rule_is_refused() {
    for head in ["acl_smtp_connect", "acl_smtp_rcpt", "acl_smtp_data", "acl.own"] {
        for (line, name) in [
            ("prdr_enable = true", "prdr_enable"),
            ("local_domains = 'example.com'", "local_domains"),
            ("remote_smtp.hosts_try_dane = ''", "remote_smtp.hosts_try_dane"),
        ] {
            let rcpt = "[[acl_smtp_mail]]\nverb = 'deny'\nacl = 'own'\n";
            let call = if head == "acl.own" { rcpt } else { "" };
            let number = 4 + call.lines().count();
            let expected = format!(
                "line {number}: {name} is an option; write it before the tables, as {name} = …"
            );
            let text = format!("{call}[[{head}]]\nverb = 'deny'\nmessage = 'no'\n{line}");
            assert_eq!(refused(&text), expected, "{text}");
        }
    }
    // The name of an option that is a condition, too.
    let condition = "[[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = 'ann'";
    assert_eq!(refused(condition), "");
    // A list of rules with the name of an option.
    let named =
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nacl = 'maildir'\n[[acl.maildir]]\nverb = 'accept'";
    assert_eq!(refused(named), "");
}

#[test]
fn a_list_of_tables_in_place_of_a_table_is_refused() {
    for table in ["domainlist", "hostlist", "macros", "remote_smtp", "local_delivery"] {
        let expected =
            format!("line 1: {table}: found a list of tables, [[{table}]]; write [{table}]");
        assert_eq!(refused(&format!("[[{table}]]\nA = 'x'")), expected);
    }
}

#[test]
fn a_set_in_the_form_of_exim_is_told_how_it_is_written() {
    for (line, written) in [
        ("set = 'acl_m_x = 5'", "set.acl_m_x = \"5\""),
        ("set = '$acl_m_x=a b'", "set.acl_m_x = \"a b\""),
        ("set = ['acl_c_x = $domain']", "set.acl_c_x = \"$domain\""),
    ] {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\n{line}");
        let expected = format!(
            "line 3: set: the name of the variable stands before the value; write {written}"
        );
        assert_eq!(refused(&text), expected);
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_the_line() {
    let scratch = Scratch::new();
    let file = scratch.path().join("gateway.toml");
    for (octets, line, octet) in [
        (&b"# f\xFCr\n"[..], 1, "0xFC"),
        (b"prdr_enable = true\n\n# \xC3\xBC \xE9\n", 3, "0xE9"),
        (b"# \xC3", 1, "0xC3"),
    ] {
        fs::write(&file, octets).unwrap();
        let expected =
            format!("line {line}: the octet {octet} is not UTF-8; save the file in UTF-8");
        let error = opening::read(Some(&file), &scratch.path().join("none")).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(Config::decode(octets.to_vec()).unwrap_err().to_string(), expected);
    }
}
