//! Files, folders and databases that a configuration names, and that cannot be used.

use std::fs;

use super::config_check::check;
use super::scratch::Scratch;

/// Options, and lines of rules (`RULE`), that name files below `DIR`; and the error.
const NAMED: &[(&str, &str)] = &[
    ("maildir = 'DIR/text'", "line 2: maildir: DIR/text is not a directory"),
    ("maildir = 'DIR/text/below'", "line 2: maildir: DIR/text is not a directory"),
    ("maildir = 'DIR/text/$local_part'", "line 2: maildir: DIR/text is not a directory"),
    ("quarantine_maildir = 'DIR/text'", "line 2: quarantine_maildir: DIR/text is not a directory"),
    (
        "quarantine_maildir = 'DIR/text/a-$domain'",
        "line 2: quarantine_maildir: DIR/text is not a directory",
    ),
    ("sqlite_dbfile = 'DIR/text'", "line 2: sqlite_dbfile: DIR/text is not an SQLite database"),
    ("sqlite_dbfile = 'DIR/lists'", "line 2: sqlite_dbfile: DIR/lists cannot be read"),
    (
        "lookup_directories = 'DIR/none'\nevent_action = '${expand:$event_data}'",
        "line 2: lookup_directories: DIR/none cannot be read",
    ),
    (
        "lookup_directories = 'DIR/text'\nevent_action = '${expand:$event_data}'",
        "line 2: lookup_directories: DIR/text is not a directory",
    ),
    (
        "relay_to_domains = 'next.example'\nroute_data = 'next.example/MX'\n\
         remote_smtp.mta_sts_directory = 'DIR/none'",
        "line 4: remote_smtp.mta_sts_directory: DIR/none is not a directory",
    ),
    (
        "RELAY remote_smtp.tls_crl = 'DIR/none'",
        "line 4: remote_smtp.tls_crl: cannot read DIR/none: ",
    ),
    (
        "RELAY remote_smtp.tls_crl = 'DIR/text'",
        "line 4: remote_smtp.tls_crl: DIR/text has no certificate revocation list",
    ),
    (
        "RELAY remote_smtp.tls_verify_certificates = 'DIR/none'",
        "line 4: remote_smtp.tls_verify_certificates: cannot read DIR/none: ",
    ),
    (
        "RELAY remote_smtp.tls_verify_certificates = '/dev/null'",
        "line 4: remote_smtp.tls_verify_certificates: /dev/null has no certificate",
    ),
    ("sqlite_dbfile = 'DIR/none/x.sqlite'", "line 2: sqlite_dbfile: DIR/none is not a directory"),
    (
        "dmarc_history_file = 'DIR/text/x'",
        "line 2: dmarc_history_file: DIR/text is not a directory",
    ),
    (
        "dmarc_history_file = 'DIR/lists'",
        "line 2: dmarc_history_file: DIR/lists is a directory, not a file",
    ),
    (
        "dmarc_history_file = 'DIR/none/x'",
        "line 2: dmarc_history_file: DIR/none is not a directory",
    ),
    ("smtp_accept_max = 0", "line 2: smtp_accept_max must be greater than zero"),
    ("dmarc_tld_file = 'DIR/none'", "line 2: dmarc_tld_file: "),
    (
        "RULE message = '${lookup{x}lsearch{DIR/lists/none}}'",
        "line 5: byte 0: DIR/lists/none: cannot read the file",
    ),
    (
        "RULE message = '${lookup{x}lsearch{DIR/text}}'",
        "the file is not below a folder of lookup_directories",
    ),
    (
        "RULE message = '${lookup sqlite,file=DIR/lists/none{SELECT 1}}'",
        "line 5: byte 0: DIR/lists/none",
    ),
    ("RULE domains = 'DIR/lists/none'", "line 5: byte 0: DIR/lists/none"),
    ("RULE local_parts = 'a : lsearch;DIR/lists/none'", "line 5: byte 0: DIR/lists/none"),
    ("RULE condition = '${if match_domain{$domain}{DIR/lists/none}}'", "DIR/lists/none"),
    (
        "local_parts = 'DIR/lists/none'\nlookup_directories = 'DIR/lists'",
        "line 2: local_parts: byte 0: DIR/lists/none",
    ),
];

#[test]
fn what_is_named_is_opened() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    fs::write(folder.join("text"), "not a database\n").unwrap();
    fs::create_dir(folder.join("lists")).unwrap();
    fs::write(folder.join("lists/keys"), "ann: 1\n").unwrap();
    let rule = "lookup_directories = 'DIR/lists'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n";
    for (text, message) in NAMED {
        let relay = "relay_to_domains = 'next.example'\nroute_data = 'next.example/MX'\n";
        let text = text.replace("RULE ", rule).replace("RELAY ", relay);
        let error = check(folder, &text);
        let message = message.replace("DIR", &folder.display().to_string());
        assert!(error.contains(&message), "{text}: {error}");
    }
}
