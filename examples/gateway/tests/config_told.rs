//! All that is told of a configuration: several faults, warnings, and what a reload has changed.

use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::config::opening;

/// The faults of a configuration, as `--check` has them.
fn faults(text: &str) -> Vec<String> {
    let scratch = Scratch::new();
    let file = scratch.path().join("gateway.toml");
    std::fs::write(&file, text).unwrap();
    let error = opening::read(Some(&file), &scratch.path().join("resolv.conf")).unwrap_err();
    [&[error.to_string()], error.others()].concat()
}

#[test]
fn each_independent_fault_is_told_with_its_line() {
    let text = "smtp_baner = 'x'\nrecipients_max = 'many'\nlocal_interfaces = '127.0.0.1'\n\
                relay_to_domains = 'a.example'\nroute_data = '127.0.0.1.26'\nevent_timeout = '0s'\n\
                [remote_smtp]\nhosts_try_dane = ['a']\n\
                [[acl_smtp_rcpt]]\nverb = 'deny'\nsender = 'x'\n\
                [[acl_smtp_mail]]\nverb = 'deny'\nrecipients = 'x'\n\
                [[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = '$nonsense'\n";
    let mut found = faults(text);
    found.sort_by_key(|line| {
        let number = line.strip_prefix("line ").unwrap().split(':').next().unwrap();
        number.parse::<usize>().unwrap()
    });
    let starts = [
        "line 1: smtp_baner: there is no option",
        "line 2: recipients_max: found the text",
        "line 3: local_interfaces: item 1",
        "line 5: route_data: 127.0.0.1.26 is not",
        "line 6: event_timeout must be greater",
        "line 8: remote_smtp.hosts_try_dane: found a list",
        "line 11: sender is neither a condition",
        "line 14: the condition recipients has nothing to test",
        "line 17: byte 1: unknown variable",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{start}: {line}");
    }
}

/// A fault that only follows from another is not told.
#[test]
fn a_fault_that_follows_from_another_is_not_told() {
    for (text, count) in [
        ("[hostlist]\na = 5\n[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = '+a'", 1),
        ("[macros]\nA = 5\n[[acl_smtp_rcpt]]\nverb = 'deny'\nhosts = 'A'", 1),
        ("relay_to_domains = 'a.example'\nroute_data = ''", 1),
        ("tls_certificate = ''\ntls_privatekey = 'x'", 1),
        (
            "pgsql_servers = 'x'\n[[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = '${lookup pgsql{SELECT 1}}'",
            1,
        ),
        ("smtp_banner = ", 1),
        ("relay_to_domains = 'a.example'", 1),
        ("[[acl_smtp_rcpts]]\nverb = 'deny'\n[[acl_smtp_rcpts]]\nverb = 'x'", 1),
        (
            "a = 1\n[[acl_smtp_rcpts]]\nverb = 'deny'\n[remote_smtp]\nb = 2\n[[acl_smtp_rcpt]]\nc = 3",
            4,
        ),
    ] {
        assert_eq!(faults(text).len(), count, "{text}: {:?}", faults(text));
    }
    // No more than is read with patience.
    let many: Vec<_> = (0..50).map(|number| format!("no_{number} = 1\n")).collect();
    let found = faults(&many.concat());
    assert_eq!(found.len(), 21, "{found:?}"); // With a line about those that are left out.
    assert_eq!(found.last().unwrap(), "further errors are not listed");
    // Those of the first lines, whatever their names.
    let names = (0..50).map(|number| format!("no_{:02} = 1\n", (number + 25) % 50));
    let found = faults(&names.collect::<String>());
    for (at, fault) in found.iter().skip(1).take(19).enumerate() {
        assert!(fault.starts_with(&format!("line {}: ", at + 1)), "{found:?}");
    }
}

#[test]
fn lists_and_macros_that_nobody_uses_are_told() {
    let text = "local_domains = '+ours : LOCAL'\nrelay_to_domains = 'a.example'\nroute_data = 'b.example'\n\
                [macros]\nLOCAL = 'c.example'\nNOBODY = 'd.example'\n\
                [domainlist]\nours = 'e.example'\nothers = '+ours'\n\
                [hostlist]\nnear = '192.0.2.1'\nfar = '192.0.2.2'\n\
                [[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = '${if match_ip{$sender_host_address}{${listnamed:near}}}'\n";
    let warnings = Config::parse(text).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "line 6: macros.NOBODY is unused: no text has the macro",
            "line 9: domainlist.others is unused: no text names the list",
            "line 12: hostlist.far is unused: no text names the list",
        ]
    );
}

#[test]
fn a_variable_of_rules_without_a_value_or_a_reader_is_told() {
    let rule = |list: &str, rest: &str| format!("[[{list}]]\nverb = 'warn'\n{rest}\n");
    let set = rule("acl_smtp_mail", "set.acl_m_spam = '1'");
    let read = |text: &str| rule("acl_smtp_rcpt", &format!("logwrite = '{text}'"));
    let is_empty =
        |line: usize, name: &str| vec![format!("line {line}: ${name} is empty: no rule sets it")];
    for (text, warnings) in [
        (format!("{set}{}", read("$acl_m_spam")), vec![]),
        (format!("{set}{}", read("${acl_m_spam}x")), vec![]),
        (format!("{set}{}", read("${if def:acl_m_spam}")), vec![]),
        (
            format!(
                "{set}{}",
                rule("acl_smtp_rcpt", "set.acl_c3 = '$acl_m_spam'\nlogwrite = '$acl_c3'")
            ),
            vec![],
        ),
        (read("$acl_m_spamm"), is_empty(3, "acl_m_spamm")),
        (read("${lc:$acl_c0}"), is_empty(3, "acl_c0")),
        // Neither is a variable of rules.
        (read("$acl_narg $acl_arg1 acl_m_spam"), vec![]),
        (set.clone(), vec!["line 3: set.acl_m_spam is unused: no text reads it".to_owned()]),
        (
            format!("{set}{}", read("$acl_m_spam0")),
            vec![
                "line 6: $acl_m_spam0 is empty: no rule sets it".to_owned(),
                "line 3: set.acl_m_spam is unused: no text reads it".to_owned(),
            ],
        ),
        // The name is made by a macro.
        (
            format!("[macros]\nNAME = 'acl_m_x'\n{}", read("${NAME}")),
            vec!["line 2: $acl_m_x is empty: no rule sets it".to_owned()],
        ),
    ] {
        assert_eq!(Config::parse(&text).unwrap().warnings, warnings, "{text}");
    }
}

#[test]
fn a_next_hop_that_is_the_gateway_itself_is_told() {
    let relay = |interfaces: &str, next_hop: &str| {
        format!(
            "local_interfaces = '{interfaces}'\nrelay_to_domains = 'a.example'\nroute_data = '{next_hop}'"
        )
    };
    let told = "line 3: route_data is an address of local_interfaces: relayed mail comes back to this gateway";
    for (interfaces, next_hop, is_own) in [
        ("127.0.0.1.2525", "127.0.0.1:2525", true),
        ("192.0.2.1.25 : 127.0.0.1.2525", "192.0.2.1", true),
        ("0.0.0.0.2525", "127.0.0.1:2525", true),
        ("<; [::1]:2525", "[::1]:2525", true),
        ("127.0.0.1.2525", "[::ffff:127.0.0.1]:2525", true),
        ("<; [::ffff:192.0.2.1]:2525", "192.0.2.1:2525", true),
        ("127.0.0.1.2525", "127.0.0.1:2526", false),
        ("127.0.0.1.2525", "127.0.0.2:2525", false),
        ("0.0.0.0.25", "192.0.2.1", false),
        ("0.0.0.0.2525", "[::1]:2525", false),
        ("<; [::]:2525", "127.0.0.1:2525", true),
        ("127.0.0.1.2525", "mx.example:2525", false),
    ] {
        let warnings = Config::parse(&relay(interfaces, next_hop)).unwrap().warnings;
        let is_told = warnings.iter().any(|warning| warning.starts_with(told));
        assert_eq!(is_told, is_own, "{interfaces} {next_hop}: {warnings:?}");
    }
    // Without a domain that is relayed the default stays without a warning.
    assert_eq!(Config::parse("").unwrap().warnings, Vec::<String>::new());
}

#[test]
fn a_server_that_is_open_to_everybody_is_told() {
    let relay = "route_data = 'b.example'\nrelay_to_domains = ";
    let open = "relay_to_domains matches every domain, and no rule refuses mail: any client can send mail to anybody";
    let proxy = "proxy_required_hosts matches every host: any client can claim any address";
    for (text, warning) in [
        (format!("{relay}'*'"), open),
        (format!("{relay}'!a.example : *'"), open),
        (format!("{relay}'+all'\n[domainlist]\nall = '*'"), open),
        (format!("{relay}'*'\n[[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = 'x'"), open),
        (format!("{relay}'*'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n'!hosts' = '192.0.2.0/24'"), ""),
        (format!("{relay}'*.example'"), ""),
        (format!("{relay}'${{if eq{{$domain}}{{}}{{a}}{{*}}}}'"), ""),
        ("proxy_required_hosts = '*'".to_owned(), proxy),
        ("proxy_required_hosts = '!192.0.2.1 : 0.0.0.0/0 : ::::/0'".to_owned(), proxy),
        ("proxy_required_hosts = '<; ::/0'".to_owned(), proxy),
        ("proxy_required_hosts = '192.0.2.0/24'".to_owned(), ""),
        ("proxy_required_hosts = '<; 2001:db8::/32'".to_owned(), ""),
    ] {
        let warnings =
            Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")).warnings;
        let line = if text.starts_with("route_data") { 2 } else { 1 };
        let expected =
            if warning.is_empty() { String::new() } else { format!("line {line}: {warning}") };
        assert!(warnings.concat().starts_with(&expected), "{text}: {warnings:?}");
        assert_eq!(warnings.is_empty(), warning.is_empty(), "{text}: {warnings:?}");
    }
}

#[test]
fn a_reload_names_each_option_that_waits_for_a_start() {
    let written = |text: &str| {
        let config = Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        config.server.startup.written
    };
    let old = written("");
    assert!(old.changed(&written("smtp_banner = 'x'\nrecipients_max = 5")).is_empty());
    for options in [
        &["primary_hostname = 'a.example'"][..],
        &["local_interfaces = '127.0.0.1.2526'"],
        &["metrics_interface = '127.0.0.1.9101'"],
        &["spool_directory = 'x'"],
        &["maildir = 'x'"],
        &["maildir = 'x'", "quarantine_maildir = 'y'"],
        &["store = 'discard'"],
        &["event_queue_max = 5", "event_timeout = '7s'"],
        &["dmarc_history_file = 'x'"],
        &["message_memory_limit = '600M'"],
        &["smtp_data_min_rate = 600"],
        &["smtp_accept_max = 300", "smtp_accept_max_per_host = 3"],
        &["local_delivery.event_action = ''"],
    ] {
        let mut names: Vec<_> =
            options.iter().map(|line| line.split(" = ").next().unwrap()).collect();
        let mut changed = old.changed(&written(&options.join("\n")));
        names.sort_unstable();
        changed.sort_unstable();
        assert_eq!(changed, names);
    }
}
