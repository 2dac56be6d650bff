//! Options and rules without an effect, or with a shared file, are refused with the line and the cause.
//! An explicit default is valid.

use std::fs;
use std::os::unix::fs::symlink;

use super::scratch::Scratch;
use crate::gateway::config::Config;

/// Why a configuration is refused; nothing if it is taken.
pub(super) fn refused(text: &str) -> String {
    Config::parse(text).map_or_else(|error| error.to_string(), |_| String::new())
}

const PROXIES: &str = "proxy_required_hosts names no host";
const RELAY: &str = "no mail goes to a next hop, since relay_to_domains is empty";
const ANYWAY: &str = "it selects the parts that lines have anyway";
const DMARC: &str = "dmarc_verify_hosts matches no client";
const SPF: &str = "no rule tests SPF, and dmarc_verify_hosts matches no client";
const EVENTS: &str = "every event_action is empty";
pub(super) const NOBODY: &str = "dmarc_verify_hosts = ''\n";
pub(super) const HOP: &str = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
const HERE: &str =
    "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\ndns_resolver = '[::1]:53'\n";
const BELIEVED: &str = "dns_resolver is on this host, and is believed anyway";
const OFF: &str = "event_action = ''\n";

/// What stands before an option, the option, and why it does nothing.
const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("", "proxy_protocol_timeout = '5s'", PROXIES),
    ("", "proxy_ipv4_in_tcp6 = true", PROXIES),
    ("", "proxy_refusal = 'exim'", PROXIES),
    ("", "log_selector = '+proxy'", PROXIES),
    ("proxy_required_hosts = ''\n", "log_selector = '-proxy +proxy'", PROXIES),
    ("", "log_selector = '-proxy'", ANYWAY),
    ("", "log_selector = '+proxy -proxy'", ANYWAY),
    ("", "log_selector = '+received_recipients'", ANYWAY),
    ("", "log_selector = '-outgoing_port -smtp_confirmation'", RELAY),
    (
        "tls_advertise_hosts = ''\n",
        "log_selector = '+tls_sni'",
        "tls_advertise_hosts matches no client",
    ),
    ("", "log_selector = '+tls_peerdn'", "tls_verify_certificates is not set"),
    ("message_size_limit = '9K'\n", "header_maxsize = '10K'", "it is more than message_size_limit"),
    ("header_maxsize = '200K'\n", "dkim_verify_header = '201K'", "it is more than header_maxsize"),
    ("", "dkim_verify_header = '2M'", "it is more than header_maxsize"),
    ("", "proxy_required_hosts = ':'", "the list matches no host"),
    ("", "proxy_required_hosts = '!192.0.2.1 : :'", "the list matches no host"),
    ("", "route_data = 'mx.example:25'", RELAY),
    ("", "dns_trust_ad = true", RELAY),
    (HERE, "dns_trust_ad = true", BELIEVED),
    ("dns_resolver = '[::ffff:127.0.0.1]:53'\n", "dns_trust_ad = true", BELIEVED),
    ("prdr_enable = true\n", "remote_smtp.hosts_try_prdr = '192.0.2.1'", RELAY),
    (
        HOP,
        "remote_smtp.hosts_try_prdr = '192.0.2.1'",
        "no client can ask for PRDR, since prdr_enable is off",
    ),
    ("", "[remote_smtp]\nevent_action = 'x'", RELAY),
    ("store = 'discard'\n", "maildir = 'x'", "store = \"discard\" keeps no mail"),
    ("store = 'discard'\n", "quarantine_maildir = 'x'", "store = \"discard\" keeps no mail"),
    ("store = 'discard'\n", "envelope_to_add = true", "store = \"discard\" keeps no mail"),
    (
        NOBODY,
        "quarantine_maildir = 'x'",
        "no rule has verb = \"quarantine\", and dmarc_verify_hosts matches no client",
    ),
    ("smtp_max_refused = 0\n", "smtp_max_refused_hosts = '*'", "smtp_max_refused is 0"),
    (
        "smtp_max_refused_hosts = ''\n",
        "smtp_max_refused = 5",
        "smtp_max_refused_hosts matches no client",
    ),
    ("host_lookup = ''\n", "host_lookup_timeout = '9s'", "host_lookup matches no client"),
    (
        "tls_advertise_hosts = ''\n",
        "tls_certificate = 'x'",
        "tls_advertise_hosts matches no client",
    ),
    ("", "tls_verify_hosts = '*'", "tls_verify_certificates is not set"),
    ("", "tls_try_verify_hosts = '192.0.2.1'", "tls_verify_certificates is not set"),
    ("", "tls_crl = 'x'", "tls_verify_certificates is not set"),
    (
        "tls_verify_hosts = ':'\n",
        "tls_verify_certificates = 'system'",
        "tls_verify_hosts and tls_try_verify_hosts match no client",
    ),
    (
        "tls_verify_hosts = '*'\ntls_verify_certificates = 'system'\n",
        "tls_try_verify_hosts = '192.0.2.1'",
        "tls_verify_hosts matches every client",
    ),
    (
        "tls_advertise_hosts = ''\ntls_verify_certificates = 'system'\n",
        "tls_verify_hosts = '*'",
        "tls_advertise_hosts matches no client",
    ),
    (
        "smtp_accept_max = 10\n",
        "smtp_accept_max_per_host = 11",
        "it is not less than smtp_accept_max, which is for all hosts",
    ),
    (
        "smtp_accept_max = 10\n",
        "smtp_accept_max_per_host = 10",
        "it is not less than smtp_accept_max, which is for all hosts",
    ),
    ("", "spf_guess = 'v=spf1 a/24 ?all'", "no rule has the condition spf_guess"),
    ("", "spf_smtp_comment_template = 'see %{d}'", "no rule uses $spf_smtp_comment"),
    ("", "dmarc_status_semantics = 'list_order'", "no rule has the condition dmarc_status"),
    (
        "",
        "dmarc_forensic_sender = 'a@b.example'",
        "no rule has control = \"dmarc_enable_forensic\"",
    ),
    (NOBODY, "dmarc_status_semantics = 'list_order'", DMARC),
    (NOBODY, "spf_lookups = 5", SPF),
    (NOBODY, "spf_void_lookups = 5", SPF),
    (NOBODY, "spf_timeout = '9s'", SPF),
    (NOBODY, "spf_loopback_passes = true", SPF),
    (NOBODY, "dmarc_reject = true", DMARC),
    (NOBODY, "dmarc_invalid_from = 'quarantine'", DMARC),
    (NOBODY, "dmarc_invalid_from = 'accept'", DMARC),
    ("dmarc_verify_hosts = ':'\n", "dmarc_reject = true", DMARC),
    (
        "host_lookup = '!192.0.2.1 : :'\n",
        "host_lookup_timeout = '9s'",
        "host_lookup matches no client",
    ),
    (NOBODY, "dmarc_temperror = 'defer'", DMARC),
    (NOBODY, "dmarc_timeout = '9s'", DMARC),
    (NOBODY, "dmarc_report_keep = '7d'", DMARC),
    (NOBODY, "dmarc_history_file = 'x'", DMARC),
    (NOBODY, "dmarc_forensic_sender = 'a@b.example'", DMARC),
    (NOBODY, "dkim_verify_signatures = 3", DMARC),
    (NOBODY, "dkim_verify_header = '1K'", DMARC),
    (
        "dmarc_timeout = '30s'\n",
        "spf_timeout = '16s'",
        "no rule tests SPF, and DMARC gives it half of dmarc_timeout, which is less",
    ),
    (OFF, "event_profile = '2014'", EVENTS),
    (OFF, "event_select = 'msg:*'", EVENTS),
    (OFF, "event_failure = 'refuse'", EVENTS),
    (OFF, "event_timeout = '9s'", EVENTS),
    (OFF, "event_queue_max = 5", EVENTS),
    (OFF, "event_overflow_limit = 5", EVENTS),
    (
        "event_select = 'msg:complete'\nevent_action = 'x'\n",
        "[local_delivery]\nevent_action = 'y'",
        "no event is selected that it is for",
    ),
    (
        "",
        "event_failure = 'refuse'",
        "tcp:connect, smtp:connect and tls:cert, which it is for, have no action",
    ),
];

#[test]
fn what_does_nothing_is_refused_with_the_cause() {
    for (before, option, cause) in WITHOUT_EFFECT {
        let text = format!("{before}\n{option}\n");
        let (line, name) = match option.split_once("]\n") {
            Some((table, rest)) => {
                let name = rest.split(' ').next().unwrap();
                (before.lines().count() + 3, format!("{}.{name}", &table[1..]))
            }
            None => (before.lines().count() + 2, option.split(' ').next().unwrap().to_owned()),
        };
        assert_eq!(refused(&text), format!("line {line}: {name} has no effect: {cause}"), "{text}");
    }
}

#[test]
fn what_has_an_effect_is_taken() {
    let proxies = "proxy_required_hosts = '192.0.2.1'\n";
    for text in [
        "",
        "proxy_protocol_timeout = '3s'\nproxy_refusal = 'drop'\nlog_selector = ''",
        "proxy_required_hosts = ''",
        &format!("{proxies}log_selector = '+proxy'\nproxy_ipv4_in_tcp6 = true"),
        "log_selector = '+all'",
        "log_selector = '+proxy -outgoing_port +subject'",
        &format!("{proxies}proxy_refusal = 'exim'\nproxy_protocol_timeout = 9"),
        // As in Exim: whoever is not excluded is in the list.
        "proxy_required_hosts = '!127.0.0.1'\nproxy_refusal = 'exim'",
        HOP,
        &format!("{HOP}dns_trust_ad = true"),
        &format!("{HOP}dns_trust_ad = true\ndns_resolver = '192.0.2.1:53'"),
        "dns_trust_ad = false\ndns_resolver = '127.0.0.1:53'",
        &format!("{HOP}prdr_enable = true\nremote_smtp.hosts_try_prdr = ''"),
        &format!("{HOP}event_failure = 'refuse'"),
        "tls_try_verify_hosts = '*'\ntls_verify_certificates = 'system'\nevent_failure = 'refuse'\n\
         event_action = '$tls_in_peercert'",
        "tls_verify_hosts = '${if eq{$sender_host_address}{192.0.2.1}{*}}'\n\
         tls_verify_certificates = 'system'",
        &format!("{HOP}[remote_smtp]\nevent_action = 'x'"),
        // Events of the mail that is thrown away are raised all the same.
        "store = 'discard'\n[local_delivery]\nevent_action = 'x'",
        "[remote_smtp]\nevent_action = ''",
        // Its rules are asked for clients that do not ask for PRDR, too.
        "[[acl_smtp_data_prdr]]\nverb = 'deny'\ndomains = 'a.example'",
        &format!("{NOBODY}dmarc_invalid_from = 'reject'"),
        "dkim_verify_signatures = 0",
        "spf_timeout = '30s'\n[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail'",
        "spf_timeout = '9s'",
        "spf_guess = 'v=spf1 a/24 ?all'\n[[acl_smtp_mail]]\nverb = 'deny'\nspf_guess = 'fail'",
        "spf_smtp_comment_template = 'see %{d}'\n[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail'\nmessage = '$spf_smtp_comment'",
        "dmarc_status_semantics = 'list_order'\n[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'reject'",
        "dmarc_forensic_sender = 'a@b.example'\n[[acl_smtp_rcpt]]\nverb = 'warn'\ncontrol = 'dmarc_enable_forensic'",
        &format!("{NOBODY}spf_lookups = 5\n[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail'"),
        // The hosts of one mx term may all be void lookups.
        "spf_lookups = 1\nspf_void_lookups = 5",
        "smtp_max_refused = 0",
        "event_action = ''",
        // A macro may be for rules to come.
        "[macros]\nUNUSED = 'x'",
        "smtp_data_min_rate = '800K'",
        "message_size_limit = '1K'",
    ] {
        assert_eq!(refused(text), "", "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let never = "the event in word 0 never happens here, or not in event_profile";
    let unsigned =
        "is 0: dmarc_reject would refuse mail that only its signature shows to be genuine";
    let kept = "is a local domain (local_domains or primary_hostname)";
    for (text, message) in [
        ("event_select = 'auth:fail'", format!("line 1: event_select: {never}")),
        ("event_select = 'auth:fail msg:*'", format!("line 1: event_select: {never}")),
        (
            "event_profile = '2014'\nevent_select = 'smtp:ehlo'",
            format!("line 2: event_select: {never}"),
        ),
        (
            "event_select = 'msg:* : auth:fail'",
            "line 1: event_select: the event in word 1 never happens here".to_owned(),
        ),
        (
            "dmarc_reject = true\ndkim_verify_signatures = 0",
            format!("line 2: dkim_verify_signatures {unsigned}"),
        ),
        (
            "dmarc_reject = true\ndkim_verify_header = 0",
            format!("line 2: dkim_verify_header {unsigned}"),
        ),
        (
            "smtp_data_min_rate = '10G'",
            "line 1: smtp_data_min_rate: at this rate a message".to_owned(),
        ),
        ("smtp_data_min_rate = '900K'", "line 1: smtp_data_min_rate: at this rate".to_owned()),
        (
            "local_domains = 'a.example'\nrelay_to_domains = 'b.example : A.example'\nroute_data = 'x:25'",
            format!("line 2: relay_to_domains: item 2 (A.example) {kept}"),
        ),
        (
            "local_domains = '*.example'\nrelay_to_domains = '*.a.example'\nroute_data = 'x:25'",
            format!("line 2: relay_to_domains: item 1 (*.a.example) {kept}"),
        ),
        (
            "primary_hostname = 'mx.example'\nlocal_domains = 'a.example'\nrelay_to_domains = 'mx.example'\nroute_data = 'x:25'",
            format!("line 3: relay_to_domains: item 1 (mx.example) {kept}"),
        ),
    ] {
        let error = refused(text);
        assert!(error.starts_with(&message), "{text}: {error}");
    }
}

#[test]
fn addresses_that_cannot_be_listened_at_together_are_refused() {
    for (list, item, other) in [
        ("0.0.0.0.25 : 127.0.0.1.25", 2, 1),
        ("127.0.0.1.25 : 127.0.0.2.25 : 0.0.0.0.25", 3, 1),
        ("<; ::.25 ; 0.0.0.0.25", 2, 1),
        ("<; 127.0.0.1.25 ; ::.25", 2, 1),
        ("<; ::1.25 ; ::.25", 2, 1),
        ("<; ::ffff:127.0.0.1.25 ; 127.0.0.1.25", 2, 1),
    ] {
        let error = refused(&format!("local_interfaces = '{list}'"));
        let expected = format!("line 1: local_interfaces: item {item} conflicts with item {other}");
        assert!(error.starts_with(&expected), "{list}: {error}");
    }
    for list in [
        "0.0.0.0.25 : 127.0.0.1.26",
        "127.0.0.1.25 : 127.0.0.2.25",
        "<; 0.0.0.0.25 ; ::1.25",
        "0.0.0.0.0 : 127.0.0.1.0",
    ] {
        assert_eq!(refused(&format!("local_interfaces = '{list}'")), "", "{list}");
    }
}

#[test]
fn a_resolver_is_one_host() {
    for (server, address) in [
        ("224.0.0.1:53", "224.0.0.1"),
        ("239.1.2.3:53", "239.1.2.3"),
        ("0.0.0.0:53", "0.0.0.0"),
        ("255.255.255.255:53", "255.255.255.255"),
        ("[::]:53", "::"),
        ("[ff02::1]:53", "ff02::1"),
        ("[::ffff:224.0.0.1]:53", "224.0.0.1"),
    ] {
        let expected = format!("line 1: dns_resolver: {address} is not a unicast address");
        assert_eq!(refused(&format!("dns_resolver = '{server}'")), expected);
    }
    assert_eq!(refused("dns_resolver = '[2001:db8::53]:53'"), "");
}

/// Options of which two name one file. `DIR` is a folder of the test, and the spool is below it.
const ONE_FILE: &[(&str, &str)] = &[
    (
        "dmarc_history_file = 'DIR/spool/gateway.sqlite'",
        "dmarc_history_file and the default of sqlite_dbfile name one file, ",
    ),
    (
        "dmarc_history_file = 'DIR/spool/dmarc.sqlite'",
        "dmarc_history_file and the database of DMARC's rows",
    ),
    (
        "sqlite_dbfile = 'DIR/spool/./x/../dmarc.sqlite'",
        "sqlite_dbfile and the database of DMARC's rows",
    ),
    (
        "sqlite_dbfile = 'DIR/x'\ndmarc_history_file = 'DIR/x'",
        "dmarc_history_file and sqlite_dbfile",
    ),
    (
        "sqlite_dbfile = 'DIR/x'\ndmarc_history_file = 'DIR/link/x'",
        "dmarc_history_file and sqlite_dbfile",
    ),
    (
        "sqlite_dbfile = 'DIR/text'\ndmarc_history_file = 'DIR/hard'",
        "dmarc_history_file and sqlite_dbfile",
    ),
    (
        "dmarc_history_file = 'DIR/spool/gateway.sqlite-wal'",
        "dmarc_history_file and a file that SQLite makes",
    ),
    (
        "sqlite_dbfile = 'DIR/x'\ndmarc_history_file = 'DIR/x-journal'",
        "dmarc_history_file and a file that",
    ),
    (
        "dmarc_history_file = 'DIR/spool/events-aside'",
        "dmarc_history_file and the file of events that wait",
    ),
    ("dmarc_history_file = 'DIR/spool/tls-key.pem'", "dmarc_history_file and the key that is made"),
    (
        "tls_certificate = 'DIR/text'\nsqlite_dbfile = 'DIR/text'",
        "sqlite_dbfile and tls_certificate",
    ),
    ("maildir = 'DIR/spool/journal'", "maildir and the journal"),
    ("maildir = 'DIR/spool/outbox/'", "maildir and the outbox"),
    ("maildir = 'DIR/x'\nsqlite_dbfile = 'DIR/x'", "maildir and sqlite_dbfile"),
    ("maildir = 'DIR/x'\nquarantine_maildir = 'DIR/x/'", "quarantine_maildir and maildir"),
    ("quarantine_maildir = 'DIR/spool/maildir'", "quarantine_maildir and the Maildir"),
    (
        "dmarc_tld_file = 'DIR/list'\ndmarc_history_file = 'DIR/list'",
        "dmarc_history_file and dmarc_tld_file",
    ),
];

#[test]
fn two_options_that_name_one_file_are_refused() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    fs::write(folder.join("text"), "").unwrap();
    let suffixes = "// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n";
    fs::write(folder.join("list"), suffixes).unwrap();
    fs::hard_link(folder.join("text"), folder.join("hard")).unwrap();
    symlink(folder, folder.join("link")).unwrap();
    let read = |text: &str| {
        let text = format!("spool_directory = 'DIR/spool'\n{text}");
        refused(&text.replace("DIR", &folder.display().to_string()))
    };
    for (text, message) in ONE_FILE {
        let error = read(text);
        let stated = error.split_once(": ").is_some_and(|(_, error)| error.starts_with(message));
        assert!(stated && error.starts_with("line "), "{text}: {error}");
    }
    for text in [
        "dmarc_history_file = 'DIR/spool/history'\nsqlite_dbfile = 'DIR/spool/gateway.sqlite'",
        "tls_certificate = 'DIR/text'\ntls_privatekey = 'DIR/text'",
        "maildir = 'DIR/spool/maildir'",
        "quarantine_maildir = 'DIR/spool/maildir/.Quarantine'",
        "maildir = 'DIR/$local_part'\nquarantine_maildir = 'DIR/held'",
        "dmarc_report_keep = 0\ndmarc_history_file = 'DIR/spool/dmarc.sqlite'",
    ] {
        assert_eq!(read(text), "", "{text}");
    }
}
