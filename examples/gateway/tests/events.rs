//! The events of deliveries and sessions of a whole gateway. The scenarios with a letter are traces of
//! Exim's own tests.

use super::gateway::{Running, hop};
use crate::gateway::events::settings::REMOTE_SMTP;

const EHLO: &str = "250-next.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
const PRDR: &str = "250-next.example\r\n250-PIPELINING\r\n250 PRDR\r\n";
/// The replies to: connection, EHLO, MAIL, RCPT, DATA, the message, QUIT.
const GOOD: [&str; 7] = [
    "220 ESMTP\r\n",
    EHLO,
    "250 Sender OK\r\n",
    "250 Recipient OK\r\n",
    "354 Send data\r\n",
    "250 OK\r\n",
    "221 bye\r\n",
];
const RCPT: [&str; 1] = ["a@next.example"];
const CONNECTED: [&str; 3] = [
    "tcp:connect()",
    "smtp:connect(220 ESMTP)",
    "smtp:ehlo(250-next.example\\n250-PIPELINING\\n250 8BITMIME)",
];

fn with(before: &[&str], after: &[&str]) -> Vec<String> {
    before.iter().chain(after).map(ToString::to_string).collect()
}

/// Relays one message to a next hop with these replies; returns what the client was told last, and
/// the events with their data.
async fn relayed(replies: &[&str], recipients: &[&str], parameters: &str) -> (String, Vec<String>) {
    let (address, task) = hop(replies).await;
    let gateway = Running::start(&Running::relaying(address, "")).await;
    let mut client = gateway.client().await;
    let last = client.send(recipients, parameters).await;
    client.quit().await;
    let said = gateway.stop().await.said();
    task.abort();
    (last, said)
}

#[tokio::test]
async fn a_one_recipient_is_accepted() {
    let (address, task) = hop(&GOOD).await;
    let gateway = Running::start(&Running::relaying(address, "")).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    assert!(last.starts_with("250 "), "{last}");
    client.quit().await;
    let trace = gateway.stop().await;
    let after = ["tcp:close()", "msg:delivery(250 OK)", "msg:complete()"];
    assert_eq!(trace.said(), with(&CONNECTED, &after));
    let port = address.port().to_string();
    for event in ["tcp:connect", "smtp:connect", "smtp:ehlo", "tcp:close", "msg:delivery"] {
        let row = trace.row(event);
        let expected = ["127.0.0.1", "127.0.0.1", &port, "smarthost", "remote_smtp", "no", "no"];
        let names = ["host", "host_address", "host_port", "router_name", "transport_name"];
        let names = names.into_iter().chain(["lookup_dnssec_authenticated", "tls_out_dane"]);
        for (name, value) in names.zip(expected) {
            assert_eq!(row[name], value, "{event} {name}");
        }
        assert_eq!(
            row["sending_ip_address"],
            if event == "tcp:connect" { "" } else { "127.0.0.1" }
        );
        assert_eq!(row["sending_port"].is_empty(), event == "tcp:connect", "{event}");
        assert_eq!(row["tls_out_peercert"], "", "no TLS is spoken to a next hop");
        assert_eq!(row["verify_mode"], "", "a delivery is no verification");
    }
    let delivery = trace.row("msg:delivery");
    assert_eq!(
        (delivery["local_part"].as_str(), delivery["domain"].as_str()),
        ("a", "next.example")
    );
    let complete = trace.row("msg:complete");
    assert_eq!((complete["transport_name"].as_str(), complete["host"].as_str()), ("", ""));
    let ids: Vec<_> = trace.rows.iter().map(|row| row["message_exim_id"].clone()).collect();
    assert!(ids.iter().all(|id| id.len() == 24 && *id == ids[0]), "{ids:?}");
    for row in &trace.rows {
        assert_eq!(row["sender_address"], "ann@client.example");
        assert_eq!(row["sender_address_local_part"], "ann");
        assert_eq!(row["sender_address_domain"], "client.example");
        assert_eq!(row["sender_host_address"], "127.0.0.1");
    }
    task.await.unwrap();
}

#[tokio::test]
async fn b_an_action_that_fails_changes_nothing() {
    let (address, _task) = hop(&GOOD).await;
    let transport =
        "[remote_smtp]\nevent_action = '${if eq{$event_name}{msg:delivery}{${eval:1/0}}}'";
    let gateway = Running::start(&Running::relaying(address, transport)).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    assert!(last.starts_with("250 "), "{last}");
    client.quit().await;
    assert_eq!(gateway.stop().await.said(), ["msg:complete()"], "the main action is as before");
}

#[tokio::test]
async fn c_a_host_falls_silent_after_ehlo() {
    let (last, said) = relayed(&GOOD[..1], &RCPT, "").await;
    assert_eq!(last, "451 4.4.2 the next hop did not answer in time");
    let timeout = "SMTP timeout after EHLO gw.example: Connection timed out";
    let [host, message] =
        ["msg:host:defer", "msg:defer"].map(|name| format!("{name}({timeout}) errno 110"));
    assert_eq!(said, with(&CONNECTED[..2], &["tcp:close()", &host, &message]));
}

#[tokio::test]
async fn d_a_recipient_is_put_off() {
    let replies = [&GOOD[..3], &["450 NOT RIGHT NOW\r\n", "221 bye\r\n"]].concat();
    let (last, said) = relayed(&replies, &RCPT, "").await;
    assert_eq!(last, "450 NOT RIGHT NOW");
    let text =
        "SMTP error from remote mail server after RCPT TO:<a@next.example>: 450 NOT RIGHT NOW";
    let [host, rcpt] =
        ["msg:rcpt:host:defer", "msg:rcpt:defer"].map(|name| format!("{name}({text}) errno 12865"));
    assert_eq!(said, with(&CONNECTED, &[&host, &rcpt, "tcp:close()"]), "and no msg:defer");
}

#[tokio::test]
async fn e_a_recipient_is_refused() {
    let replies = [&GOOD[..3], &["550 GO AWAY\r\n", "221 bye\r\n"]].concat();
    let (last, said) = relayed(&replies, &RCPT, "").await;
    assert_eq!(last, "550 GO AWAY");
    let failed = "msg:fail:delivery(SMTP error from remote mail server after RCPT TO:<a@next.example>: \
        550 GO AWAY)";
    // No message was accepted, so that none is complete: the client writes the bounce.
    assert_eq!(said, with(&CONNECTED, &["tcp:close()", failed]));
}

#[tokio::test]
async fn f_a_message_is_put_off() {
    let replies = [&GOOD[..5], &["450 post-data problem\r\n", "221 bye\r\n"]].concat();
    let (last, said) = relayed(&replies, &["a@next.example", "b@next.example"][..1], "").await;
    assert_eq!(last, "450 4.0.0 post-data problem");
    let deferred = "msg:defer(SMTP error from remote mail server after end of data: \
        450 post-data problem) errno -46";
    assert_eq!(said, with(&CONNECTED, &["tcp:close()", deferred]), "and no msg:host:defer");
}

#[tokio::test]
async fn j_an_action_forbids_the_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forbid =
        Running::action_of(Some(REMOTE_SMTP), "${if eq{$event_name}{tcp:connect}{not there}}");
    let transport = format!("[remote_smtp]\nevent_action = '''{forbid}'''");
    let gateway = Running::start(&Running::relaying(address, &transport)).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    assert_eq!(last, "451 4.4.1 cannot reach the next hop");
    client.quit().await;
    let said = gateway.stop().await.said();
    let deferred = "(refused by an action of tcp:connect) errno -58";
    let [host, message] = ["msg:host:defer", "msg:defer"].map(|name| format!("{name}{deferred}"));
    assert_eq!(said, with(&["tcp:connect()"], &[&host, &message]), "nothing of a connection");
    let accepted = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept());
    assert!(accepted.await.is_err(), "no connection was made");
}

#[tokio::test]
async fn an_action_closes_the_connection_at_the_banner() {
    let (address, task) = hop(&["220 ESMTP\r\n", "221 bye\r\n"]).await;
    let close = Running::action_of(Some(REMOTE_SMTP), "${if eq{$event_name}{smtp:connect}{no}}");
    let transport = format!("[remote_smtp]\nevent_action = '''{close}'''");
    let gateway = Running::start(&Running::relaying(address, &transport)).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    assert_eq!(last, "451 4.4.1 the next hop accepts no mail now");
    client.quit().await;
    let said = gateway.stop().await.said();
    let [host, message] = ["msg:host:defer", "msg:defer"]
        .map(|name| format!("{name}(deferred by an action of smtp:connect)"));
    assert_eq!(said, with(&CONNECTED[..2], &["tcp:close()", &host, &message]));
    assert_eq!(task.await.unwrap(), "QUIT\r\n", "leave is taken, and EHLO never said");
}

#[tokio::test]
async fn m_one_recipient_of_two_is_refused() {
    let replies = [&GOOD[..4], &["550 Not that one\r\n"], &GOOD[4..]].concat();
    let (last, said) = relayed(&replies, &["a@next.example", "b@next.example"], "").await;
    assert_eq!(last, "250 2.0.0 OK");
    let failed = "msg:fail:delivery(SMTP error from remote mail server after RCPT TO:<b@next.example>: \
        550 Not that one)";
    let after = ["tcp:close()", failed, "msg:delivery(250 OK)", "msg:complete()"];
    assert_eq!(said, with(&CONNECTED, &after));
}

#[tokio::test]
async fn n_a_host_closes_before_its_banner() {
    let (last, said) = relayed(&[], &RCPT, "").await;
    assert_eq!(last, "451 4.4.2 the next hop closed the connection");
    let closed = "Remote host closed connection in response to initial connection";
    let [host, message] =
        ["msg:host:defer", "msg:defer"].map(|name| format!("{name}({closed}) errno -18"));
    assert_eq!(said, with(&["tcp:connect()", "tcp:close()"], &[&host, &message]));
}

#[tokio::test]
async fn nobody_listens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gateway = Running::start(&Running::relaying(address, "")).await;
    let mut client = gateway.client().await;
    client.send(&RCPT, "").await;
    client.quit().await;
    let [host, message] =
        ["msg:host:defer", "msg:defer"].map(|name| format!("{name}(Connection refused) errno 111"));
    assert_eq!(gateway.stop().await.said(), ["tcp:connect()".to_owned(), host, message]);
}

/// Three recipients, a block of PRDR, and the last reply.
async fn prdr(block: &str) -> (String, Vec<String>) {
    let ok = "250 ok\r\n";
    let replies = ["220 ESMTP\r\n", PRDR, ok, ok, ok, ok, "354 go\r\n", block, "221 bye\r\n"];
    let recipients = ["r1@next.example", "r2@next.example", "r3@next.example"];
    let (last, said) = relayed(&replies, &recipients, " PRDR").await;
    assert_eq!(
        said[..3],
        with(&CONNECTED[..2], &["smtp:ehlo(250-next.example\\n250-PIPELINING\\n250 PRDR)"])
    );
    (last, said[3..].to_vec())
}

/// Exim raises nothing for a recipient who is put off.
#[tokio::test]
async fn r_each_recipient_of_prdr_has_an_event() {
    let (last, said) =
        prdr("353 go\r\n250 r1 ok\r\n550 r2 no\r\n450 r3 later\r\n250 final ok\r\n").await;
    assert_eq!(last, "250 2.0.0 final ok");
    assert_eq!(
        said,
        [
            "msg:rcpt:host:defer(PRDR error after DATA: 450 r3 later) errno 12865",
            "msg:rcpt:defer(PRDR error after DATA: 450 r3 later) errno 12865",
            "tcp:close()",
            "msg:delivery(250 r1 ok\\n250 final ok)",
            "msg:fail:delivery(PRDR error after DATA: 550 r2 no)",
            "msg:complete()",
        ]
    );
}

/// Exim says of such a message that it was put off with `250 r1 ok`, errno 0.
#[tokio::test]
async fn no_success_is_told_of_a_message_put_off() {
    // Nothing counts before the last reply, so that all are tried again.
    let (last, said) = prdr("353 go\r\n250 r1 ok\r\n550 r2 no\r\n250 r3 ok\r\n450 later\r\n").await;
    assert_eq!(last, "450 4.0.0 no recipient accepted the message, try again later");
    let deferred =
        "msg:defer(SMTP error from remote mail server after end of data: 450 later) errno -46";
    assert_eq!(said, ["tcp:close()", deferred]);
    let (last, said) = prdr("353 go\r\n250 r1 ok\r\n421 going\r\n").await;
    assert_eq!(last, "450 4.0.0 no recipient accepted the message, try again later");
    let [host, message] = ["msg:host:defer", "msg:defer"].map(|name| {
        format!("{name}(SMTP error from remote mail server after end of data: 421 going)")
    });
    assert_eq!(said, ["tcp:close()".to_owned(), host, message]);
}

/// `$host_port` is known in Exim only where the recipient itself was refused.
#[tokio::test]
async fn a_message_refused_as_a_whole_says_where() {
    let replies = [&GOOD[..5], &["552 too large\r\n", "221 bye\r\n"]].concat();
    let (address, _task) = hop(&replies).await;
    let gateway = Running::start(&Running::relaying(address, "")).await;
    let mut client = gateway.client().await;
    client.send(&RCPT, "").await;
    client.quit().await;
    let trace = gateway.stop().await;
    let failed = trace.row("msg:fail:delivery");
    assert_eq!(failed["host_port"], address.port().to_string());
    assert_eq!(failed["router_name"], "smarthost");
    assert_eq!(failed["transport_name"], "remote_smtp");
    assert_eq!(
        failed["event_data"],
        "SMTP error from remote mail server after end of data: 552 too large"
    );
    assert_eq!(failed["event_defer_errno"], "0");
}

#[tokio::test]
async fn mail_that_stays_here() {
    let gateway = Running::start("").await;
    let mut client = gateway.client().await;
    for _ in 0..2 {
        let last = client.send(&["Ann@example.com", "bob@example.com"], "").await;
        assert!(last.starts_with("250 "), "{last}");
    }
    client.quit().await;
    let trace = gateway.stop().await;
    let message = ["msg:delivery()", "msg:delivery()", "msg:complete()"];
    assert_eq!(trace.said(), with(&message, &message));
    let row = trace.row("msg:delivery");
    assert_eq!((&*row["router_name"], &*row["transport_name"]), ("localuser", "local_delivery"));
    assert_eq!((&*row["local_part"], &*row["domain"]), ("Ann", "example.com"));
    assert_eq!((&*row["host"], &*row["host_port"]), ("", ""));
    assert_ne!(trace.rows[2]["message_exim_id"], trace.rows[5]["message_exim_id"]);
}

/// A reply to a mistake quotes the client; an action may keep this text, but not expand it again.
#[tokio::test]
async fn what_a_client_says_is_no_template() {
    let kept = "${quote_sqlite:$event_data}";
    let action = Running::action_of(None, "");
    assert!(action.contains(kept));
    let expanded = "${quote_sqlite:${expand:$event_data}}";
    // The other reply has nothing of the client, and nothing to expand.
    let both = ["smtp:fail:syntax", "smtp:fail:protocol"];
    for (data, expected) in [(kept, &both[..]), (expanded, &both[1..])] {
        let option = format!("event_action = '''{}'''", action.replace(kept, data));
        let gateway = Running::start(&option).await;
        let mut client = gateway.client().await;
        assert!(client.say("FOO${uc:abc}").await.contains("FOO${uc:abc}"));
        client.say("RCPT TO:<a@b.example>").await;
        client.quit().await;
        let rows = gateway.stop().await.rows;
        let names: Vec<_> = rows.iter().map(|row| row["event_name"].as_str()).collect();
        assert_eq!(names, expected, "{data}");
        let mut syntax = rows.iter().filter(|row| row["event_name"] == "smtp:fail:syntax");
        assert!(syntax.all(|row| row["event_data"].contains("FOO${uc:abc}")));
    }
}

#[tokio::test]
async fn what_clients_do_wrong() {
    let gateway = Running::start("smtp_max_unknown_commands = 5").await;
    let mut client = gateway.client().await;
    for line in
        ["RCPT TO:<a@b.example>", "NONSENSE", "EHLO c.example", "MAIL FROM:<a", "DATA", "NOOP"]
    {
        client.say(line).await;
    }
    client.quit().await;
    let mut early = gateway.client().await;
    early.say("EHLO c.example").await;
    assert!(early.say("STARTTLS").await.starts_with("220"));
    early.raw(b"this is no ClientHello\r\n\r\n").await;
    early.ended().await;
    let trace = gateway.stop().await;
    let names: Vec<_> = trace.rows.iter().map(|row| row["event_name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "smtp:fail:protocol",
            "smtp:fail:syntax",
            "smtp:fail:syntax",
            "smtp:fail:protocol",
            "tls:fail:connect"
        ]
    );
    let texts: Vec<_> = trace.rows.iter().map(|row| row["event_data"].get(..9).unwrap()).collect();
    assert_eq!(texts[..4], ["503 5.5.1", "500 5.5.2", "501 5.1.7", "503 5.5.1"]);
    assert_eq!(trace.rows[2]["sender_helo_name"], "c.example");
    assert!(trace.rows.iter().all(|row| row["transport_name"].is_empty()));
}
