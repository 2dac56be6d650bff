//! The options of events, and the default action.

use std::path::Path;
use std::time::Duration;

use event_expand::{EventName, OnFailure};

use super::config_effect::refused;
use super::gateway::{Running, hop};
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::events::settings::SHIPPED;
use crate::gateway::events::variables::FACTS;

fn has(text: &str, event: EventName, transport: Option<&str>) -> Option<String> {
    let config = Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let template = config.server.startup.events.action(event, transport)?;
    Some(String::from_utf8(template.text().to_vec()).unwrap())
}

#[test]
fn each_place_has_its_action() {
    use EventName::{MsgComplete, MsgDefer, MsgDelivery, MsgFailDelivery, TcpConnect};
    let (remote, local) = (Some("remote_smtp"), Some("local_delivery"));
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'";
    let ours = &*format!("{relay}\nevent_action = 'm'\n[remote_smtp]\nevent_action = 'r'");
    let of_2014 = format!("event_profile = '2014'\n{ours}");
    let tcp = format!("event_select = 'tcp:*'\n{relay}\n[remote_smtp]\nevent_action = 'r'");
    for (text, event, transport, expected) in [
        // Nothing is said: the shipped action is for all, and for the events of 2014.
        ("", MsgComplete, None, Some(SHIPPED)),
        ("", MsgDelivery, remote, Some(SHIPPED)),
        ("", MsgDelivery, local, Some(SHIPPED)),
        ("", MsgDefer, remote, None),
        ("event_select = '*'", MsgDefer, remote, Some(SHIPPED)),
        ("event_action = ''", MsgComplete, None, None),
        ("event_action = ''", MsgDelivery, remote, None),
        ("[remote_smtp]\nevent_action = ''", MsgDelivery, remote, None),
        ("[remote_smtp]\nevent_action = ''", MsgDelivery, local, Some(SHIPPED)),
        // As in Exim, a transport has none but its own.
        (ours, MsgComplete, None, Some("m")),
        (ours, MsgDelivery, remote, Some("r")),
        (ours, MsgDelivery, local, None),
        (ours, MsgFailDelivery, remote, Some("r")),
        (ours, MsgDefer, remote, Some("r")),
        // The event was the main section's, and there were nine.
        (&of_2014, MsgFailDelivery, remote, Some("m")),
        (&of_2014, MsgDefer, remote, None),
        ("event_action = 'm'\nevent_select = 'msg:complete'", MsgComplete, None, Some("m")),
        (&tcp, MsgComplete, None, None),
        (&tcp, TcpConnect, remote, Some("r")),
    ] {
        let found = has(text, event, transport);
        assert_eq!(found.as_deref(), expected, "{text} {event} {transport:?}");
    }
    let config = Config::parse(&format!("{ours}\nevent_action = 'x'")).unwrap_err();
    assert!(config.to_string().contains("duplicate key"), "{config}");
    assert_eq!(has(ours, TcpConnect, None), Some("m".into()), "where no transport is at work");
}

#[test]
fn what_is_wrong_is_named_with_its_position() {
    for (text, message) in [
        ("event_action = '${if eq{a}{b}'", "event_action: byte 13: "),
        ("event_action = 'abc $nosuch'", "event_action: byte 5: "),
        ("event_action = '$acl_m0'", "event_action: byte 1: "),
        (
            "[remote_smtp]\nevent_action = '${lookup nosuch{a}}'",
            "[remote_smtp] event_action: byte 9: ",
        ),
        (
            "[local_delivery]\nevent_action = '$sender_rate'",
            "[local_delivery] event_action: byte 1: ",
        ),
        ("event_action = 'ab ${lookup redis{a}}'", "event_action: byte 3: the lookup redis: "),
        ("event_action = '${lookup pgsql{a}}'", "event_action: byte 0: the lookup pgsql: "),
        ("event_action = '${acl{x}}'", "event_action: byte 0: acl: there is no list [[acl.x]]"),
        ("event_action = 'a $h_subject:'", "event_action: byte 2: events have no header fields"),
        (
            "[remote_smtp]\nevent_acton = 'x'",
            "line 2: remote_smtp.event_acton: there is no option of this name (--print-config writes all); did you mean event_action?",
        ),
        ("[remote]\nevent_action = 'x'", "remote: there is no option of this name"),
        (
            "event_profile = 2014",
            "event_profile: found no text; expected one of its words in quotes, as event_profile = \"current\"",
        ),
        ("event_profile = '2015'", "unknown word \"2015\""),
        ("event_select = 'msg:nothing'", "event_select: unknown event in word 1 (msg:nothing)"),
        ("event_select = ''", "event_select: empty event selection"),
        ("event_failure = 'panic'", "unknown word \"panic\""),
        ("event_timeout = 0", "event_timeout"),
        ("event_queue_max = 0", "event_queue_max must be from 1 to 1000000"),
        ("event_queue_max = 1000001", "event_queue_max"),
        ("event_overflow_limit = '1X'", "a size"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let text = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n\
                event_failure = 'refuse'\nevent_timeout = '2s'\nevent_queue_max = 1000000\nevent_overflow_limit = 0";
    let events = Config::parse(text).unwrap().server.startup.events;
    assert_eq!((events.on_failure, events.timeout), (OnFailure::Refuse, Duration::from_secs(2)));
    assert_eq!((events.queue, events.overflow), (1_000_000, 0));
    assert_eq!(Config::parse("").unwrap().server.startup.events.on_failure, OnFailure::Proceed);
}

#[test]
fn every_variable_of_2014_can_be_named() {
    let of_2014 = "router_name transport_name local_part domain host host_address host_port \
        tls_out_peercert lookup_dnssec_authenticated tls_out_dane sending_ip_address sending_port \
        message_exim_id verify_mode event_name event_data event_defer_errno";
    let more = ["tod_epoch", "tod_log", "tod_zulu", "message_id"];
    for name in of_2014.split_ascii_whitespace().chain(FACTS).chain(more) {
        let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'";
        Config::parse(&format!("{relay}\n[remote_smtp]\nevent_action = '${name}'")).unwrap();
    }
}

/// The variables that this program sets for each event.
#[test]
fn a_variable_that_no_selected_event_sets_is_refused() {
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
    let of = |events: &str, table: &str, text: &str| {
        format!("event_select = '{events}'\n{table}event_action = '{text}'")
    };
    let (remote, local) = ("[remote_smtp]\n", "[local_delivery]\n");
    for (text, wrong) in [
        (of("msg:complete", "", "$event_data"), Some(("", "event_data"))),
        (of("msg:complete", "", "$event_name $host"), Some(("", "host"))),
        (of("smtp:fail:*", "", "${if def:local_part{x}}"), Some(("", "local_part"))),
        (of("smtp:fail:* msg:complete", "", "$event_data"), None),
        (of("tls:fail:connect", "", "$transport_name"), Some(("", "transport_name"))),
        (of("tcp:*", remote, "$event_data"), Some(("[remote_smtp] ", "event_data"))),
        (of("tcp:* smtp:connect", remote, "$event_data $host $sending_port"), None),
        (of("msg:host:defer", remote, "$domain"), Some(("[remote_smtp] ", "domain"))),
        (of("msg:rcpt:defer", remote, "$domain $event_data $host_address"), None),
        (of("msg:delivery", local, "$local_part@$domain"), None),
        // Set for all, or known and set by no event here.
        (of("msg:complete", "", "$message_exim_id $sender_address $event_defer_errno"), None),
        (of("msg:complete", "", "$tls_out_ourcert $verify_mode"), None),
        (of("msg:complete", "", "$tls_out_dane"), Some(("", "tls_out_dane"))),
    ] {
        let error = Config::parse(&format!("{relay}{text}")).err().map(|error| error.to_string());
        let expected = wrong.map(|(table, name)| {
            format!("{table}event_action: ${name} has no value for any event of event_select")
        });
        let stated = error.as_ref().zip(expected.as_ref()).is_some_and(|(e, w)| e.ends_with(w));
        assert!(stated || (error.is_none() && expected.is_none()), "{text}: {error:?}");
    }
}

#[test]
fn macros_and_joined_lines_are_for_actions_too() {
    let text = "event_action = '''${if eq{$event_name}{WHEN} \\\n    {x}}'''\n[macros]\nWHEN = 'msg:complete'";
    let expected = "${if eq{$event_name}{msg:complete} {x}}";
    assert_eq!(has(text, EventName::MsgComplete, None).as_deref(), Some(expected));
}

/// The rows of the log of events: the event with its data, its time, the types of numbers, and the message.
fn told(file: &Path) -> Vec<(String, String, String, String, String)> {
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "SELECT event || '(' || data || ') ' || local_part || ' ' || transport || ' ' || sender \
        || ' ' || host_address, time, typeof(defer_errno), typeof(host_port), message_id \
        FROM events ORDER BY id";
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map([], |row| {
        let texts: (String, String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(texts)
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Out of the box there is a log of events.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_action_writes_a_row_for_each_event_of_2014() {
    let scratch = Scratch::new();
    let folder = scratch.path().display();
    let (next_hop, _task) = hop(&[
        "220 ESMTP\r\n",
        "250 next.example\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 it's queued'); DROP TABLE events; --\r\n",
        "221 bye\r\n",
    ])
    .await;
    let text = format!(
        "primary_hostname = 'gw.example'\nlocal_interfaces = '127.0.0.1.0'\nhost_lookup = ''\n\
         relay_to_domains = 'next.example'\nroute_data = '{next_hop}'\nspool_directory = '{folder}'"
    );
    for _ in 0..2 {
        // A second start finds the table there.
        let config = Config::parse(&text).unwrap();
        let gateway = Running::serve(Scratch::new(), config).await;
        let mut client = gateway.client().await;
        client.say("NONSENSE").await;
        client.send(&["o'hara@example.com"], "").await;
        client.send(&["b@next.example"], "").await;
        client.quit().await;
        gateway.end().await;
    }
    let rows = told(&scratch.path().join("gateway.sqlite"));
    let said: Vec<_> = rows.iter().map(|row| row.0.as_str()).collect();
    let ann = "ann@client.example";
    let first = [
        format!("msg:delivery() o'hara local_delivery {ann} "),
        format!("msg:complete()   {ann} "),
        format!("tcp:connect()  remote_smtp {ann} 127.0.0.1"),
        format!("smtp:connect(220 ESMTP)  remote_smtp {ann} 127.0.0.1"),
        format!("tcp:close()  remote_smtp {ann} 127.0.0.1"),
        format!(
            "msg:delivery(250 it's queued'); DROP TABLE events; --) b remote_smtp {ann} 127.0.0.1"
        ),
        format!("msg:complete()   {ann} "),
    ];
    assert_eq!(said[..7], first, "in the order in which they happened");
    // The next hop was gone by then; its port may be another program's.
    assert_eq!(said.iter().filter(|row| row.starts_with("msg:host:defer(")).count(), 1);
    for (_, time, errno, _, id) in &rows {
        assert!(time.starts_with("20") && time.len() == 19, "{time}");
        assert_eq!((errno.as_str(), id.len()), ("integer", 24));
    }
    assert_eq!(rows.iter().find(|row| row.0.starts_with("tcp:close")).unwrap().3, "integer");
}

/// A comparison that never holds, and the end of the error.
#[test]
fn an_action_that_waits_for_no_event_is_refused() {
    for (action, error) in [
        (
            "${if eq{$event_name}{msg:delivry}{x}}",
            "byte 5: $event_name is never \"msg:delivry\"; did you mean msg:delivery?",
        ),
        ("${if eqi{tcp}{$event_name}{x}}", "byte 5: $event_name is never \"tcp\""),
        (
            "${if or{{eq{$event_name}{tcp:close}}{eq{$event_name}{tcp:open}}}{x}}",
            "byte 37: $event_name is never \"tcp:open\"",
        ),
    ] {
        let error = format!("event_action: {error}");
        assert_eq!(refused(&format!("event_action = '{action}'")), format!("line 1: {error}"));
        let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n[remote_smtp]";
        let told = refused(&format!("{relay}\nevent_action = '{action}'"));
        assert_eq!(told, format!("line 4: [remote_smtp] {error}"));
    }
    for action in [
        "${if eq{$event_name}{msg:complete}{x}}",
        "${if eqi{$event_name}{MSG:Complete}{x}}",
        "${if eq{$event_name}{}{x}}",
        "${if eq{$event_name}{$event_data}{x}}",
        "${if match{$event_name}{^msg:}{x}}",
        "${if eq{$event_data}{msg:delivry}{x}}",
    ] {
        assert!(Config::parse(&format!("event_action = '{action}'")).is_ok(), "{action}");
    }
}

/// A variable, or an event, of another section than that of the action.
#[test]
fn an_action_for_what_only_other_sections_get_is_refused() {
    let relay = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
    let (both, remote) = ("[local_delivery] and [remote_smtp]", "[remote_smtp]");
    let written = |name: &str, places: &str| {
        format!("${name} is set by events of {places} only; write it there")
    };
    let compared = |event: &str| format!("${{if eq{{$event_name}}{{{event}}}{{x}}}}");
    let waits = |event: &str, cause: &str| format!("byte 5: the event {event} {cause}");
    let only = |places: &str| format!("is for {places} only; write it there");
    for (table, action, expected) in [
        ("", "$local_part".to_owned(), written("local_part", both)),
        ("", "$transport_name".to_owned(), written("transport_name", both)),
        ("", "$host_address".to_owned(), written("host_address", remote)),
        ("", "$sending_port".to_owned(), written("sending_port", remote)),
        ("", "$tls_out_sni".to_owned(), written("tls_out_sni", remote)),
        ("", compared("msg:delivery"), waits("msg:delivery", &only(both))),
        ("", compared("tcp:connect"), waits("tcp:connect", &only(remote))),
        ("", compared("auth:fail"), waits("auth:fail", "never happens here")),
        (
            "[local_delivery]",
            "$event_data".to_owned(),
            written("event_data", "the main section and [remote_smtp]"),
        ),
        ("[local_delivery]", "$host".to_owned(), written("host", remote)),
        ("[local_delivery]", compared("tcp:close"), waits("tcp:close", &only(remote))),
        (
            "[remote_smtp]",
            compared("msg:complete"),
            waits("msg:complete", &only("the main section")),
        ),
        (
            "event_select = 'msg:delivery'\n[remote_smtp]",
            compared("tcp:close"),
            waits("tcp:close", "is not in event_select"),
        ),
        (
            "event_profile = '2014'\n[remote_smtp]",
            compared("msg:defer"),
            waits("msg:defer", "is not in event_profile"),
        ),
        (
            "event_profile = '2014'\n[remote_smtp]",
            compared("msg:fail:delivery"),
            waits("msg:fail:delivery", &only("the main section")),
        ),
    ] {
        let told = refused(&format!("{relay}{table}\nevent_action = '{action}'"));
        let head = table.find('[').and_then(|at| table.get(at..)).map(|t| format!("{t} "));
        let expected = format!("{}event_action: {expected}", head.unwrap_or_default());
        assert!(told.ends_with(&format!(": {expected}")), "{table} {action}: {told}");
    }
    // One text of several sections, as a macro: each of them may be what it is for.
    let shared = "event_action = 'LOG'\nlocal_delivery.event_action = 'LOG'\nremote_smtp.event_action = 'LOG'\n\
                  [macros]\nLOG = '${if eq{$event_name}{msg:delivery}{$local_part $host $event_data}}'";
    assert_eq!(refused(&format!("{relay}{shared}")), "");
}

#[test]
fn an_unknown_variable_of_an_action_is_told_with_the_nearest() {
    for (name, told) in [
        ("even_name", "unknown variable \"even_name\"; did you mean event_name?"),
        ("sender_adress", "unknown variable \"sender_adress\"; did you mean sender_address?"),
        ("quite_another", "unknown variable \"quite_another\""),
        ("spf_result", "$spf_result is not available to events, but at "),
        ("recipients_count", "$recipients_count is not available to events, but at "),
    ] {
        for table in ["", "[local_delivery]\n"] {
            let line = 1 + table.lines().count();
            let place = table.trim_end();
            let place = if place.is_empty() { String::new() } else { format!("{place} ") };
            let start = format!("line {line}: {place}event_action: byte 1: {told}");
            let error = refused(&format!("{table}event_action = '${name}'"));
            let is_it =
                if told.ends_with(' ') { error.starts_with(&start) } else { error == start };
            assert!(is_it, "{error}");
        }
    }
}
