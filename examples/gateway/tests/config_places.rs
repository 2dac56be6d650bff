//! Options of the main section behind the head of a table, where they would be something else.

use std::fs;

use super::config_effect::refused;
use super::scratch::Scratch;
use crate::gateway::config::{Config, opening};
use crate::gateway::policy::nearest::nearest;

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

#[test]
fn an_item_that_separators_have_cut_or_not_has_a_hint() {
    let colons = "; double the colons of an item, or begin the list with <;";
    let by_colons = "; items are separated by colons";
    for (line, end) in [
        ("local_interfaces = '2001:db8::1.25'", colons),
        ("local_interfaces = '[2001:db8::1]:25 : 127.0.0.1.25'", colons),
        ("local_interfaces = '127.0.0.1:25 : 127.0.0.2.25'", "or [::1]:2525"),
        ("local_interfaces = '127.0.0.1.25, 127.0.0.2.25'", by_colons),
        (
            "local_interfaces = '<; 127.0.0.1.25 127.0.0.2.25'",
            "; items are separated by semicolons",
        ),
        (
            "tls_on_connect_ports = '465, 587'",
            "item 1 (465, 587) is not a port; items are separated by colons",
        ),
        ("tls_on_connect_ports = 'smtps'", "item 1 (smtps) is not a port"),
        ("lookup_directories = '/etc : lists'", "item 2 (\"lists\") is not an absolute path"),
        ("pgsql_servers = 'db:5432/mail/me/pw'", colons),
        ("pgsql_servers = 'db/mail/me/pa:ss'", colons),
        ("pgsql_servers = '[2001:db8::1]/mail/me/pw'", colons),
        ("pgsql_servers = 'a/mail, b/mail'", by_colons),
        ("pgsql_servers = 'db'", "item 1 is not host/database/user/password"),
        ("pgsql_servers = '<; db:x/mail/me/pw'", "item 1 is not host/database/user/password"),
    ] {
        let told = refused(line);
        assert!(told.starts_with("line 1: ") && told.ends_with(end), "{line}: {told}");
    }
}

#[test]
fn a_tilde_is_not_the_name_of_a_folder() {
    for line in ["spool_directory = '~/gw'", "maildir = '~/Maildir'", "tls_certificate = '~'"] {
        let name = line.split(' ').next().unwrap();
        let expected =
            format!("line 1: {name}: ~ is not expanded; write the path of the home directory");
        assert_eq!(refused(line), expected);
    }
    assert_eq!(refused("maildir = '/var/mail/~ann'"), "");
}

#[test]
fn a_name_with_control_characters_is_refused_and_escaped() {
    for head in ["", "[domainlist]\n", "[[acl_smtp_rcpt]]\n", "[remote_smtp]\n"] {
        let told = refused(&format!("{head}\"a\\nfake line\\u001b[31m\" = 'x'"));
        assert!(told.contains(r"a\nfake line\u{1b}[31m: a name has no control"), "{told:?}");
    }
}

#[test]
fn words_of_exim_for_true_and_false_are_told_with_those_of_toml() {
    for (line, written) in [
        ("prdr_enable = yes", "found yes; write prdr_enable = true"),
        ("prdr_enable = True", "found True; write prdr_enable = true"),
        ("dns_trust_ad = NO", "found NO; write dns_trust_ad = false"),
        ("[remote_smtp]\ntls_tempfail_tryclear = off", "write tls_tempfail_tryclear = false"),
        ("primary_hostname = yes", "a text stands in quotes, as primary_hostname = \"yes\""),
    ] {
        let told = refused(line);
        assert!(told.ends_with(written), "{line}: {told}");
    }
}

/// The comparison takes the product of both lengths, and a name may fill the file.
#[test]
fn a_name_that_is_longer_than_any_is_like_none() {
    let [known, typed] = ["b", "c"].map(|end| format!("{}{end}", "a".repeat(99)));
    assert_eq!(nearest(&typed, [&*known]), Some(&*known));
    assert_eq!(nearest(&format!("{typed}c"), [&*known]), None);
}
