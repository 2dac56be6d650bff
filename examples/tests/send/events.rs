//! Events of a delivery, in an action of the configuration.

use std::fs;

use rusqlite::Connection;

use super::fallback::Servers;
use super::program::{folder, send, send_in, tlsa};
use super::server::Behaviour;

/// The log is on standard error.
#[test]
fn an_action_calls_a_list_of_rules() {
    let servers = Servers::start(&[Behaviour::default()]);
    let options = "event_action = \"${acl{note}{$event_data}}\"\n\
                   [[acl.note]]\nverb = \"warn\"\nlogwrite = \"noted $event_name of $sender_address: $acl_arg1\"\n\
                   [[acl.note]]\nverb = \"accept\"\ncondition = \"${if eq{$event_name}{tcp:connect}}\"\n\
                   '!acl' = 'allowed'\nmessage = \"no connection\"\n\
                   [[acl.allowed]]\nverb = \"accept\"\ncondition = \"${if match_ip{$host_address}{ADDRESS}}\"";
    let port = servers.port.to_string();
    for (address, status, event) in [
        ("127.0.0.0/8", 0, "msg:delivery of sender@sender.test: 250 2.0.0 taken"),
        (
            "192.0.2.1",
            75,
            "msg:host:defer of sender@sender.test: refused by an action of tcp:connect",
        ),
    ] {
        let options = options.replace("ADDRESS", address);
        let arguments = ["--port", &port, "ann@example.test"];
        let sent = send(&servers.zone(None), &options, &arguments);
        assert_eq!(sent.status, status, "{}{}", sent.out, sent.told);
        let line = format!("noted {event}");
        assert!(sent.told.lines().any(|told| told.ends_with(&line)), "{}", sent.told);
    }
    assert_eq!(servers.messages(), [1]);
}

/// `dane:fail` is an event of hosts for which DANE is requested.
#[test]
fn without_dane_a_failed_question_is_no_failure_of_dane() {
    // A loop of aliases, which is a failure of the server.
    let zone = "loop.test. CNAME other.test.\nother.test. CNAME loop.test.\n";
    let note = "event_action = \"${acl{note}}\"\n[[acl.note]]\nverb = \"warn\"\n\
                logwrite = \"noted $event_name $event_data\"\n";
    for (options, failed) in [("", true), ("hosts_try_dane = \"\"\n", false)] {
        let sent = send(zone, &format!("{options}{note}"), &["ann@loop.test"]);
        assert_eq!(sent.status, 75, "{}{}", sent.out, sent.told);
        assert_eq!(sent.told.contains("noted dane:fail dnssec-invalid"), failed, "{}", sent.told);
        assert!(sent.told.contains("noted dns:fail DNS_FAIL:loop.test:A"), "{}", sent.told);
    }
}

#[test]
fn an_action_gets_the_events_of_a_delivery() {
    let folder = folder();
    let database = Connection::open(folder.join("events.sqlite")).unwrap();
    database.execute_batch("CREATE TABLE seen (event, host, dane, usage, sender)").unwrap();
    let action = "event_action = \"${lookup sqlite{INSERT INTO seen VALUES ('$event_name', \
                  '${quote_sqlite:$host}', '$tls_out_dane', '$tls_out_tlsa_usage', \
                  '${quote_sqlite:$sender_address}')}{}}\"";
    let servers = Servers::start(&[Behaviour::default()]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let port = servers.port.to_string();
    let arguments = ["--port", &port, "ann@example.test", "bob@nowhere.test"];
    let sent = send_in(&folder, &zone, action, &arguments, "Subject: x\n\nbody\n");
    assert_eq!(sent.status, 69, "{}{}", sent.out, sent.told);
    let sql =
        "SELECT event || ' ' || host || ' ' || dane || ' ' || usage || ' ' || sender FROM seen";
    let mut select = database.prepare(sql).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    let mut rows: Vec<String> = rows.map(Result::unwrap).collect();
    rows.sort();
    let host = "mx0.example.test";
    let before = |event: &str| format!("{event} {host} no 8 sender@sender.test");
    let after = |event: &str| format!("{event} {host} yes 8 sender@sender.test");
    let mut expected = vec![
        before("tcp:connect"),
        before("smtp:connect"),
        before("smtp:ehlo"),
        after("tls:cert"),
        after("smtp:ehlo"),
        after("tcp:close"),
        after("msg:delivery"),
        "dns:fail nowhere.test no 0 sender@sender.test".to_owned(),
        "msg:defer nowhere.test no 0 sender@sender.test".to_owned(),
    ];
    expected.sort();
    assert_eq!(rows, expected);
    fs::remove_dir_all(folder).unwrap();
}
