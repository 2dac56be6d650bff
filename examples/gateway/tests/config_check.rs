//! `--check`: what a configuration names is opened, and nothing is made or changed.

use std::fs;
use std::path::Path;

use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::config::opening;

/// Checks a configuration, in which `DIR` is a folder of the test; returns what is wrong, or nothing.
fn check(folder: &Path, text: &str) -> String {
    let text = text.replace("DIR", &folder.display().to_string());
    let text = format!("spool_directory = '{}/spool'\n{text}", folder.display());
    let file = folder.join("gateway.toml");
    fs::write(&file, text).unwrap();
    opening::check(Some(&file))
        .map_or_else(|error| crate::gateway::telemetry::log::chain(&error), |()| String::new())
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
fn what_is_named_is_opened() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    fs::write(folder.join("text"), "not a database, and no certificate\n").unwrap();
    fs::create_dir(folder.join("lists")).unwrap();
    fs::write(folder.join("lists/keys"), "ann: 1\n").unwrap();
    let rule = |line: &str| {
        format!("lookup_directories = 'DIR/lists'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n{line}")
    };
    for (text, message) in [
        (
            "tls_certificate = 'DIR/none.pem'".into(),
            "line 2: tls_certificate: DIR/none.pem has no usable PEM",
        ),
        ("tls_certificate = 'DIR/text'".into(), "line 2: tls_certificate: "),
        ("maildir = 'DIR/text'".into(), "line 2: maildir: DIR/text is not a directory"),
        ("maildir = 'DIR/text/below'".into(), "line 2: maildir: DIR/text is not a directory"),
        (
            "sqlite_dbfile = 'DIR/text'".into(),
            "line 2: sqlite_dbfile: DIR/text is not an SQLite database",
        ),
        ("sqlite_dbfile = 'DIR/lists'".into(), "line 2: sqlite_dbfile: DIR/lists cannot be read"),
        (
            "lookup_directories = 'DIR/none'".into(),
            "line 2: lookup_directories: DIR/none cannot be read",
        ),
        (
            "lookup_directories = 'DIR/text'".into(),
            "line 2: lookup_directories: DIR/text is not a directory",
        ),
        (
            "dmarc_history_file = 'DIR/text/x'".into(),
            "line 2: dmarc_history_file: DIR/text is not a directory",
        ),
        (
            "dmarc_history_file = 'DIR/lists'".into(),
            "line 2: dmarc_history_file: DIR/lists is a directory, not a file",
        ),
        ("smtp_accept_max = 0".into(), "line 2: smtp_accept_max must be greater than zero"),
        ("dmarc_tld_file = 'DIR/none'".into(), "line 2: dmarc_tld_file: "),
        (
            rule("message = '${lookup{x}lsearch{DIR/lists/none}}'"),
            "line 5: byte 0: DIR/lists/none: the file cannot be read",
        ),
        (
            rule("message = '${lookup{x}lsearch{DIR/text}}'"),
            "it is not below one of lookup_directories",
        ),
        (
            rule("message = '${lookup sqlite,file=DIR/lists/none{SELECT 1}}'"),
            "line 5: byte 0: DIR/lists/none",
        ),
        (rule("domains = 'DIR/lists/none'"), "line 5: byte 0: DIR/lists/none"),
        (rule("local_parts = 'a : lsearch;DIR/lists/none'"), "line 5: byte 0: DIR/lists/none"),
        (rule("condition = '${if match_domain{$domain}{DIR/lists/none}}'"), "DIR/lists/none"),
        (
            "local_parts = 'DIR/lists/none'\nlookup_directories = 'DIR/lists'".into(),
            "line 2: local_parts: byte 0: DIR/lists/none",
        ),
    ] {
        let error = check(folder, &text);
        let message = message.replace("DIR", &folder.display().to_string());
        assert!(error.contains(&message), "{text}: {error}");
    }
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
                local_parts = 'lsearch;DIR/lists/keys : DIR/lists/keys'\n\
                pgsql_servers = 'nowhere.example/db/user/pa$$word'";
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
        ("route_data = 'postfix'", "line 1: route_data: the next hop is a host name or an address"),
        ("route_data = 'mx.example'", "line 1: route_data: "),
        ("route_data = 'mx.example:smtp'", "line 1: route_data: "),
        ("route_data = 'mx.example:0'", "line 1: route_data: "),
        ("route_data = '2001:db8::1:25'", "line 1: route_data: "),
        ("\nmaildir = '/var/mail/$local_part'", "line 2: maildir: $ has no meaning here"),
        ("smtp_banner = '$primary_hostname ESMTP'", "line 1: smtp_banner: $ has no meaning here"),
        ("spool_directory = '${env{HOME}}'", "line 1: spool_directory: $ has no meaning here"),
        ("tls_certificate = '$tls_sni.pem'", "line 1: tls_certificate: $ has no meaning here"),
        ("local_domains = 'a b'", "line 1: local_domains: item 1 (a b): not a domain"),
        ("local_parts = '$nobody'", "line 1: local_parts: byte 1: no variable is named"),
        (
            "local_parts = '+nobody'",
            "line 1: local_parts: item 1 (+nobody): the table localpartlist",
        ),
        ("smtp_accept_max = 'many'", "line 1: smtp_accept_max: "),
        ("\n[hostlist]\nfew = 'x/y'", "line 3: hostlist: the list few: item 1 (x/y): "),
        ("event_timeout = 0", "line 1: event_timeout must be greater than zero"),
        ("local_interfaces = 'x'", "line 1: local_interfaces: item 1"),
        ("lookup_directories = 'x'", "line 1: lookup_directories: item 1"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
    for text in [
        "route_data = 'mx.example:25'",
        "route_data = '[2001:db8::1]:2525'",
        "route_data = '192.0.2.1:25'",
        "[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = ':'",
    ] {
        assert!(Config::parse(text).is_ok(), "{text}");
    }
}
