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

/// The message is complete when no recipient is left to be tried again.
#[test]
fn a_message_to_several_next_hops_is_complete_once() {
    let refusing = Behaviour { last: "550 5.7.1 not wanted", ..Behaviour::default() };
    let deferring = Behaviour { last: "451 4.3.0 not now", ..Behaviour::default() };
    let servers =
        Servers::start(&[Behaviour::default(), Behaviour::default(), refusing, deferring]);
    let domains = ["one", "two", "refused", "deferred"].iter().enumerate();
    let records =
        domains.map(|(number, name)| format!("{name}.test. MX 10 mx{number}.example.test.\n"));
    let zone = servers.zone(None) + &records.collect::<Vec<_>>().concat();
    let folder = folder();
    let main = "event_action = \"${if eq{$event_name}{msg:complete}{${acl{note}}}}\"\n";
    fs::write(folder.join("main.toml"), main).unwrap();
    let options = "event_action = \"${if eq{$event_name}{msg:delivery}{${acl{note}}}}\"\n\
                   [[acl.note]]\nverb = \"warn\"\nlogwrite = \"noted $event_name $message_exim_id $domain\"";
    let port = servers.port.to_string();
    for (recipients, deliveries, complete) in [
        (&["a@one.test"][..], 1, 1),
        (&["a@one.test", "b@two.test", "c@one.test"], 3, 1),
        (&["a@one.test", "b@refused.test", "c@nowhere.test"], 1, 1),
        (&["a@refused.test", "b@refused.test"], 0, 1),
        (&["a@one.test", "b@two.test", "c@deferred.test"], 2, 0),
        (&["a@deferred.test"], 0, 0),
    ] {
        let arguments = [&["--port", &port], recipients].concat();
        let sent = send_in(&folder, &zone, options, &arguments, "Subject: x\n\nbody\n");
        let lines = |event: &str| -> Vec<&str> {
            let found = sent.told.lines().filter_map(|line| line.split_once(event));
            found.map(|(_, rest)| rest.split(' ').next().unwrap()).collect()
        };
        let (delivered, completed) = (lines("noted msg:delivery "), lines("noted msg:complete "));
        let found = (delivered.len(), completed.len());
        assert_eq!(found, (deliveries, complete), "{recipients:?}: {}{}", sent.out, sent.told);
        assert!(delivered.iter().all(|id| complete == 0 || *id == completed[0]), "{}", sent.told);
        if let Some(last) = sent.told.lines().last().filter(|_| complete == 1) {
            assert!(last.contains("noted msg:complete "), "{}", sent.told);
        }
    }
    fs::remove_dir_all(folder).unwrap();
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
