//! `--check`: it opens the files of a configuration, and neither makes nor changes anything.

use std::fs;
use std::path::Path;

use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::config::opening;
use crate::gateway::telemetry::log;

/// Checks a configuration, in which `DIR` is a folder of the test; returns what is wrong, or what an
/// administrator should know, or nothing.
pub(super) fn check(folder: &Path, text: &str) -> String {
    let text = text.replace("DIR", &folder.display().to_string());
    let text = format!("spool_directory = '{}/spool'\n{text}", folder.display());
    let file = folder.join("gateway.toml");
    fs::write(&file, text).unwrap();
    opening::read(Some(&file), &folder.join("resolv.conf"))
        .map_or_else(|error| log::chain(&error), |(_, warnings)| warnings.join("\n"))
}

/// All files and folders, with their sizes and times.
fn everything(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let data = entry.metadata().unwrap();
        found.push(format!("{:?} {} {:?}", entry.path(), data.len(), data.modified().unwrap()));
        if data.is_dir() {
            found.extend(everything(&entry.path()));
        }
    }
    found.retain(|line| !line.contains("gateway.toml")); // Each check writes it.
    found.sort();
    found
}

#[test]
fn a_sound_configuration_is_sound_and_nothing_is_made() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    fs::create_dir(folder.join("lists")).unwrap();
    fs::write(folder.join("lists/keys"), "ann: 1\n").unwrap();
    let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let database = rusqlite::Connection::open(folder.join("mail.db")).unwrap();
    database.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a)").unwrap();
    let text = "maildir = 'DIR/mail/box'\nsqlite_dbfile = 'DIR/mail.db'\n\
                tls_certificate = 'DIR/cert.pem'\ntls_privatekey = 'DIR/key.pem'\n\
                dmarc_history_file = 'DIR/spool/history'\nlookup_directories = 'DIR/lists'\n\
                local_parts = 'lsearch;DIR/lists/keys : DIR/lists/keys'";
    let servers = "\npgsql_servers = 'nowhere.example/db/user/pa$$word'\n\
                   event_action = '${lookup pgsql{SELECT 1}}${lookup sqlite{SELECT 1}}'";
    let text = &format!("{text}{}", if cfg!(feature = "pgsql") { servers } else { "" });
    assert_eq!(check(folder, text), "");
    let before = everything(folder);
    assert_eq!(check(folder, text), "");
    assert_eq!(everything(folder), before);
    assert!(!folder.join("spool").exists() && !folder.join("mail").exists());
    assert_eq!(check(folder, ""), "");
}

#[test]
fn what_would_do_nothing_is_refused_with_its_line() {
    for (text, message) in [
        ("route_data = 'mx_example'", "line 1: route_data: the next hop is not the name of a host"),
        ("route_data = 'mx.example/A'", "line 1: route_data: "),
        ("route_data = '[mx.example]:25'", "line 1: route_data: the next hop in brackets"),
        ("route_data = '${domain}/MX$'", "line 1: route_data: byte 13: "),
        ("route_data = 'mx.example:smtp'", "line 1: route_data: "),
        ("route_data = 'mx.example:0'", "line 1: route_data: "),
        ("route_data = '2001:db8::1:25'", "line 1: route_data: "),
        ("\nmaildir = '/var/mail/$nobody'", "line 2: maildir: byte 11: unknown variable"),
        (
            "\nquarantine_maildir = '$h_subject:'",
            "line 2: quarantine_maildir: byte 0: header fields are not available",
        ),
        ("smtp_banner = '$primary_hostname ESMTP'", "line 1: smtp_banner: $ has no meaning here"),
        ("spool_directory = '${env{HOME}}'", "line 1: spool_directory: $ has no meaning here"),
        (
            "local_domains = 'a b'",
            "line 1: local_domains: item 1 (a b): blanks and commas do not separate items",
        ),
        ("local_parts = '$nobody'", "line 1: local_parts: byte 1: unknown variable"),
        (
            "local_parts = '+nobody'",
            "line 1: local_parts: item 1 (+nobody): no such list in the table localpartlist",
        ),
        ("smtp_accept_max = 'many'", "line 1: smtp_accept_max: "),
        ("\n[hostlist]\nfew = 'x/y'", "line 3: hostlist: the list few: item 1 (x/y): "),
        ("event_timeout = 0", "line 1: event_timeout must be greater than zero"),
        ("local_interfaces = 'x'", "line 1: local_interfaces: item 1"),
        ("lookup_directories = 'x'", "line 1: lookup_directories: item 1"),
        (
            "tls_on_connect_ports = 'smtps'",
            "line 1: tls_on_connect_ports: item 1 (smtps) is not a port",
        ),
        (
            "tls_on_connect_ports = '2525 : 2525'",
            "line 1: tls_on_connect_ports: item 2: 2525 is a duplicate",
        ),
        (
            "tls_on_connect_ports = '465'",
            "line 1: tls_on_connect_ports: item 1: local_interfaces has no address with port 465",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

/// Configurations, and the error.
const CANNOT_WORK: &[(&str, &str)] = &[
    ("dns_resolver = '127.0.0.1:0'", "line 1: dns_resolver: the port must not be 0"),
    ("dns_resolver = '[::1]:0'", "line 1: dns_resolver: the port must not be 0"),
    ("route_data = '[::1]:0'", "line 1: route_data: "),
    (
        "pgsql_servers = 'a/b/c/d : db::0/mail/me/pw'",
        "line 1: pgsql_servers: item 2: the port must not be 0",
    ),
    (
        "pgsql_servers = '(/run/.s.PGSQL.0)/mail/me/pw'",
        "line 1: pgsql_servers: item 1: the port must not be 0",
    ),
    (
        "pgsql_servers = '/mail/me/pw'",
        "line 1: pgsql_servers: item 1 is not host/database/user/password",
    ),
    ("pgsql_servers = 'db//me/pw'", "line 1: pgsql_servers: item 1 is not host/database"),
    ("pgsql_servers = 'db/mail//pw'", "line 1: pgsql_servers: item 1 is not host/database"),
    (
        "local_interfaces = '127.0.0.1.25 : 127.0.0.2.25 : 127.0.0.1.25'",
        "line 1: local_interfaces: item 3 is a duplicate",
    ),
    // RFC 5321 section 4.2: textstring, and section 4.5.3.1.5.
    ("smtp_banner = \"ESMTP\\nready\"", "line 1: smtp_banner: character 6 is not printable ASCII"),
    ("smtp_banner = \"ESMTP\\r\"", "line 1: smtp_banner: character 6 is not printable ASCII"),
    ("smtp_banner = \"\\u0000\"", "line 1: smtp_banner: character 1 is not printable ASCII"),
    ("smtp_banner = 'Grüße'", "line 1: smtp_banner: character 3 is not printable ASCII"),
    (
        "\nprimary_hostname = 'bücher.example'",
        "line 2: primary_hostname: bücher.example is not ASCII; write its A-labels, xn--bcher-kva.example",
    ),
    ("primary_hostname = \"mx\\n.example\"", "line 1: primary_hostname: not a domain"),
    (
        "dmarc_forensic_sender = 'jürgen@example.com'",
        "line 1: dmarc_forensic_sender: character 2 is not printable ASCII",
    ),
    ("dmarc_forensic_sender = 'ann'", "line 1: dmarc_forensic_sender: not a mail address"),
    (
        "spf_smtp_comment_template = 'ü'",
        "line 1: spf_smtp_comment_template: invalid SPF macro, at byte 0",
    ),
    (
        "spf_smtp_comment_template = \"a\\nb\"",
        "line 1: spf_smtp_comment_template: invalid SPF macro, at byte 1",
    ),
    ("spf_guess = 'v=spf1 a:$domain.example'", "line 1: spf_guess: $ has no meaning here"),
    (
        "spf_smtp_comment_template = '$sender_host_address'",
        "line 1: spf_smtp_comment_template: $ has no meaning here",
    ),
    (
        "[[acl_smtp_connect]]\nverb = 'deny'\nmessage = 'für niemand'",
        "line 3: message: only ASCII is allowed before MAIL",
    ),
    // The one that is too small, the one that is too large, and the line of both.
    (
        "message_memory_limit = '1M'\nmessage_size_limit = 1048577",
        "line 1: message_memory_limit (line 1) is smaller than message_size_limit (line 2): ",
    ),
    (
        "message_memory_limit = '49M'",
        "line 1: message_memory_limit (line 1) is smaller than message_size_limit (50M by default): ",
    ),
    (
        "\nmessage_size_limit = '513M'",
        "line 2: message_memory_limit (512M by default) is smaller than message_size_limit (line 2): ",
    ),
    ("maildir = ''", "line 1: maildir: empty path"),
    ("quarantine_maildir = ''", "line 1: quarantine_maildir: empty path"),
    ("sqlite_dbfile = ':memory:'", "line 1: sqlite_dbfile: empty path"),
    ("host_lookup_timeout = 0", "line 1: host_lookup_timeout must be greater than zero"),
    ("spf_timeout = '0s'", "line 1: spf_timeout must be greater than zero"),
    ("dmarc_timeout = 0", "line 1: dmarc_timeout must be greater than zero"),
    ("lookup_timeout = 0", "line 1: lookup_timeout must be greater than zero"),
    ("lookup_rows_max = 0", "line 1: lookup_rows_max must be greater than zero"),
    ("lookup_size_limit = 0", "line 1: lookup_size_limit must be greater than zero"),
    ("lookup_file_size_limit = 0", "line 1: lookup_file_size_limit must be greater"),
    ("smtp_receive_timeout = 9223372036854775807", "line 1: smtp_receive_timeout: "),
    (
        "proxy_required_hosts = '127.0.0.1'\nhosts_proxy = '127.0.0.1'",
        "line 1: proxy_required_hosts and hosts_proxy are two names of one option",
    ),
    ("hosts_proxy = 'proxy.example'", "line 1: proxy_required_hosts: give addresses"),
    ("[domainlist]\nlocal_domains = 'a.example'", "line 2: domainlist: local_domains is an option"),
    ("\nevent_profile = '2015'", "line 2: event_profile: unknown word \"2015\""),
    (
        "[remote_smtp]\n\nevent_acton = 'x'",
        "line 3: remote_smtp.event_acton: there is no option of this name",
    ),
    (
        "[local_delivery]\nevent_action = '$nobody'",
        "line 2: [local_delivery] event_action: byte 1: unknown variable",
    ),
    ("[macros]\nX = 'a'\nx = 'a'", "line 3: macros: x: a name is a capital letter"),
    ("maildir = 'A'\n[macros]\nA = 'A'", "line 3: macros: A is circular"),
];

#[test]
fn what_cannot_work_is_refused_with_its_line() {
    for (text, message) in CANNOT_WORK {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn what_can_work_is_taken() {
    for text in [
        "route_data = 'mx.example:25'\nrelay_to_domains = 'a.example'",
        "route_data = '[2001:db8::1]:2525'\nrelay_to_domains = '*'",
        "route_data = '192.0.2.1:25'\nrelay_to_domains = '*.a.example'",
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = ':'",
        // Any port that is free, on several addresses.
        "local_interfaces = '127.0.0.1.0 : 127.0.0.1.0'",
        "dns_resolver = '127.0.0.1:53'",
        "message_memory_limit = '1M'\nmessage_size_limit = '1M'",
        "spf_smtp_comment_template = 'See%_http://www.example.com/?%{S}'\n[[acl_smtp_rcpt]]\nverb = 'deny'\nspf = 'fail'\nmessage = '$spf_smtp_comment'",
        "smtp_receive_timeout = '5000w'",
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nmessage = 'für niemand'",
    ] {
        assert!(Config::parse(text).is_ok(), "{text}");
    }
    // 220, a blank, the host's name, a blank and CR LF are twelve octets more than a name of two.
    let banner = |octets| {
        Config::parse(&format!("primary_hostname = 'mx'\nsmtp_banner = '{}'", "x".repeat(octets)))
    };
    assert!(banner(503).is_ok());
    let error = banner(504).unwrap_err().to_string();
    assert!(error.starts_with("line 2: smtp_banner: the line with it has 513 octets"), "{error}");
}

/// What `SQLite` itself says of a statement, and no more than that.
#[test]
fn the_syntax_of_queries_is_checked_and_no_table_is_needed() {
    for (query, is_sound) in [
        ("SELECT a FROM t WHERE b = '${quote_sqlite:$domain}'", true),
        (
            "SELECT a FROM t WHERE b LIKE '%${quote_sqlite:$domain}' AND c = '$primary_hostname'",
            true,
        ),
        ("INSERT INTO t (a) VALUES ('${quote_sqlite:${lc:$domain}}')", true),
        ("SELECT nowhere", true),
        ("SELECT no_such_function(1)", true),
        ("PRAGMA user_version", true),
        // What is not known yet may be the name of a table.
        ("SELECT a FROM $acl_m_table WERE b = 1", true),
        ("SELECT a FROM ${if eq{$domain}{a.example}{t}{u}} WHERE b = 1", true),
        ("SELEC a FROM t", false),
        ("SELECT a FROM t WERE b = '${quote_sqlite:$domain}'", false),
        ("SELECT a FROM t WHERE b = ('${quote_sqlite:$domain}'", false),
        ("SELECT a FROM t WHERE b = '${quote_sqlite:$domain}", false),
        ("SELECT a FROM t WHERE b = ${quote_sqlite:$domain}", false),
        ("SELECT a FROM t WHERE b = ?", false),
        ("SELECT a FROM", false),
        ("SELECT # FROM t", false),
        ("INSERT INTO t VALUES", false),
    ] {
        for place in [
            "[[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = ",
            "\n[[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = ",
        ] {
            let text = format!("{place}\"${{lookup sqlite{{{query}}}}}\"");
            let line = text.lines().count();
            let error = Config::parse(&text).err().map(|error| error.to_string());
            let expected = format!("line {line}: byte 0: the lookup sqlite: ");
            let stated = error.as_ref().is_some_and(|error| error.starts_with(&expected));
            assert!(if is_sound { error.is_none() } else { stated }, "{query}: {error:?}");
        }
    }
    let error = Config::parse("event_action = '${lookup sqlite{INSERT INTO}}'").unwrap_err();
    let expected = "line 1: event_action: byte 0: the lookup sqlite: SQLite: incomplete input";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = Config::parse("local_parts = '${lookup sqlite{SELECT}}'").unwrap_err().to_string();
    assert!(error.starts_with("line 1: local_parts: byte 0: the lookup sqlite: "), "{error}");
}

#[cfg(feature = "pgsql")]
#[test]
fn values_in_queries_of_postgresql_stand_in_strings() {
    for (query, is_sound) in [
        ("SELECT a FROM t WHERE b = '${quote_pgsql:$domain}'", true),
        ("SELECT a FROM $acl_m_table WHERE b = '${quote_pgsql:$domain}'", true),
        ("SELECT a FROM t WHERE b = ${quote_pgsql:$domain}", false),
        ("SELECT a FROM t WHERE b = '${quote_pgsql:$domain}", false),
        (r"SELECT a FROM t WHERE b = \$1", false),
    ] {
        let text = format!(
            "pgsql_servers = 'db/mail/me/pw'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n\
             condition = '''${{lookup pgsql{{{query}}}}}'''"
        );
        let error = Config::parse(&text).err().map(|error| error.to_string());
        let expected = "line 4: byte 0: the lookup pgsql: ";
        let stated = error.as_ref().is_some_and(|error| error.starts_with(expected));
        assert!(if is_sound { error.is_none() } else { stated }, "{query}: {error:?}");
    }
}
