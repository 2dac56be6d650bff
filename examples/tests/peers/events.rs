//! Events of deliveries to Exim as the next hop, and an action that calls a function of a real
//! `PostgreSQL`.

#[cfg(feature = "pgsql")]
use std::process::Command;

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{Peers, have, swaks};
#[cfg(feature = "pgsql")]
use super::servers::{output_of, text};

fn options(next_hop: &str, more: &str) -> String {
    format!(
        "relay_to_domains = \"next.test\"\nroute_data = \"{next_hop}\"\nprdr_enable = true\n{more}"
    )
}

fn has(events: &[String], start: &str, end: &str) -> bool {
    events.iter().any(|event| event.starts_with(start) && event.ends_with(end))
}

/// The errors that Exim's test suite has for its own: a recipient put off is `50 << 8 | 'A'` and so on.
#[test]
fn a_real_next_hop_accepts_refuses_and_puts_off() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start(&["exim"]);
    let mut gateway =
        Gateway::start(block.own(0), &options(&exim[0].address, "event_select = \"*\""));
    for rcpt in ["ann@next.test", "reject@next.test", "defer@next.test"] {
        swaks(&gateway.address(), &["--to", rcpt]);
    }
    // Four of each connection; of the first two more, of the second one, of the third two.
    let events = gateway.events(17);
    let count = |name: &str| events.iter().filter(|event| event.starts_with(name)).count();
    for name in ["tcp:connect(", "smtp:connect(220 ", "smtp:ehlo(250-", "tcp:close("] {
        assert_eq!(count(name), 3, "{name}: {events:#?}");
    }
    let delivered = |event: &String| event.contains("\n250 OK id=") && event.ends_with(" ann 0");
    assert!(has(&events, "msg:delivery(250-", " ann 0"), "{events:#?}");
    assert!(events.iter().any(delivered), "{events:#?}");
    assert_eq!(count("msg:complete("), 1, "{events:#?}");
    let refused = "msg:fail:delivery(SMTP error from remote mail server after RCPT TO:<reject@next.test>: 550 ";
    assert!(has(&events, refused, " reject 0"), "{events:#?}");
    let put_off = "SMTP error from remote mail server after RCPT TO:<defer@next.test>: 451 ";
    for name in ["msg:rcpt:host:defer", "msg:rcpt:defer"] {
        let errno = (51 << 8) | i32::from(b'A');
        let end = format!(" defer {errno}");
        assert!(has(&events, &format!("{name}({put_off}"), &end), "{events:#?}");
    }
    assert_eq!(count("msg:defer("), 0, "{events:#?}");
}

/// Exim itself raises nothing for the recipient who is put off.
#[test]
fn each_recipient_of_a_real_prdr_has_its_event() {
    if !have(&["exim4"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let next = peers.start(&["exim-prdr"]);
    let more = "event_select = \"msg:*\"";
    let mut gateway = Gateway::start(block.own(0), &options(&next[0].address, more));
    let rcpts = ["bad@next.test", "later@next.test", "good@next.test"];
    let message = "Subject: lottery\n\nwinner\n";
    peers.exim_send(&gateway.address(), &rcpts, message);
    let events = gateway.events(5);
    let failed = "msg:fail:delivery(PRDR error after DATA: 550 ";
    assert!(has(&events, failed, " bad 0"), "{events:#?}");
    for name in ["msg:rcpt:host:defer", "msg:rcpt:defer"] {
        assert!(
            has(&events, &format!("{name}(PRDR error after DATA: 450 "), " later 12865"),
            "{events:#?}"
        );
    }
    let delivered = events.iter().find(|event| event.starts_with("msg:delivery(250 "));
    let delivered = delivered.unwrap_or_else(|| panic!("{events:#?}"));
    assert!(delivered.contains("\n250 ") && delivered.ends_with(" good 0"), "{delivered}");
    assert!(events.last().unwrap().starts_with("msg:complete("), "{events:#?}");
    let defers = events.iter().filter(|event| event.contains("defer("));
    assert!(defers.into_iter().all(|event| !event.contains("250")), "{events:#?}");
}

/// The example of `experimental-spec.txt`, 2014, "Event Actions", as it is written there.
#[cfg(feature = "pgsql")]
const EVENT_ACTION: &str = r"${if eq {msg:delivery}{$event_name} \
{${lookup pgsql {SELECT * FROM record_Delivery( \
    '${quote_pgsql:$sender_address_domain}',\
    '${quote_pgsql:${lc:$sender_address_local_part}}', \
    '${quote_pgsql:$domain}', \
    '${quote_pgsql:${lc:$local_part}}', \
    '${quote_pgsql:$host_address}', \
    '${quote_pgsql:${lc:$host}}', \
    '${quote_pgsql:$message_exim_id}')}} \
} {}}";

#[cfg(feature = "pgsql")]
const FUNCTION: &str = "
    CREATE TABLE deliveries (number serial, sender_domain text, sender_local_part text, domain text,
        local_part text, host_address text, host text, message_id text);
    CREATE FUNCTION record_Delivery(text, text, text, text, text, text, text) RETURNS integer
        LANGUAGE sql AS 'INSERT INTO deliveries (sender_domain, sender_local_part, domain, local_part,
            host_address, host, message_id) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number';";

#[cfg(feature = "pgsql")]
#[test]
fn record_delivery_of_2014_records_each_delivery() {
    if !have(&["pg_lsclusters", "psql", "setpriv", "exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let database = peers.start(&["postgresql"]).remove(0).address;
    let sql = |sql: &str| {
        let (host, port) = database.split_once(':').unwrap();
        let mut command = Command::new("psql");
        command.args(["-h", host, "-p", port, "-U", "gateway", "-Atq", "-v", "ON_ERROR_STOP=1"]);
        let output = output_of(command.args(["mail", "-c", sql]).env("PGPASSWORD", "secret"), b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    sql(FUNCTION);
    let exim = peers.start(&["exim"]);
    let more = format!(
        "pgsql_servers = '{}/mail/gateway/secret'\nevent_action = ''\n[remote_smtp]\nevent_action = '''{EVENT_ACTION}'''\n",
        database.replace(':', "::")
    );
    let mut gateway = Gateway::start(block.own(0), &options(&exim[0].address, &more));
    let hostile = r#""O'Hara');DROP TABLE deliveries;--\\"@sender.test"#;
    for (from, to) in [
        ("Ann@Sender.test", "Bob@next.test,carl@next.test"),
        (hostile, "dora@next.test"),
        ("ann@sender.test", "reject@next.test"),
    ] {
        let (taken, transcript) = swaks(&gateway.address(), &["--from", from, "--to", to]);
        assert_eq!(taken, !to.starts_with("reject"), "{transcript}");
    }
    let ids: Vec<_> = gateway.arrivals().iter().map(|line| id(line)).collect();
    let columns =
        "sender_domain, sender_local_part, domain, local_part, host_address, host, message_id";
    let select = format!("SELECT {columns} FROM deliveries ORDER BY number");
    let rows = until(3, || sql(&select).lines().map(str::to_owned).collect());
    let next = "next.test|{}|127.0.0.1|127.0.0.1|";
    let row = |sender: &str, local_part: &str, id: &str| {
        format!("{sender}|{}{id}", next.replace("{}", local_part))
    };
    assert_eq!(
        rows,
        [
            row("sender.test|ann", "bob", &ids[0]),
            row("sender.test|ann", "carl", &ids[0]),
            row(r"sender.test|o'hara');drop table deliveries;--\", "dora", &ids[1]),
        ]
    );
    assert!(!gateway.log().contains("failed to expand"), "{}", gateway.log());
    // A server that is gone defers no mail: the action fails, and that is all.
    sql("DROP FUNCTION record_Delivery");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "emil@next.test"]);
    assert!(taken, "{transcript}");
    gateway.line("failed to expand event_action msg:delivery in remote_smtp");
}

/// The message's name in a line of an arrival.
#[cfg(feature = "pgsql")]
fn id(line: &str) -> String {
    let mut words = line.split(' ');
    words
        .find(|word| word.len() == 24 && word.as_bytes().get(13) == Some(&b'-'))
        .unwrap()
        .to_owned()
}

/// Waits until there are as many.
#[cfg(feature = "pgsql")]
fn until(count: usize, mut look: impl FnMut() -> Vec<String>) -> Vec<String> {
    use std::time::{Duration, Instant};
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let found = look();
        if found.len() >= count || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
