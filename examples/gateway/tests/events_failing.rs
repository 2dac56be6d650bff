//! Actions that fail or time out, for events with an effect; and names not found.

use std::time::{Duration, Instant};

use super::gateway::{Running, hop, make_table, rows};
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::events::settings::REMOTE_SMTP;

const GOOD: [&str; 7] = [
    "220 ESMTP\r\n",
    "250 next.example\r\n",
    "250 ok\r\n",
    "250 ok\r\n",
    "354 go\r\n",
    "250 OK\r\n",
    "221 bye\r\n",
];
const RCPT: [&str; 1] = ["a@next.example"];

/// The action of the transport, which fails for `event` alone, and is a row for the others.
fn failing(event: &str, how: &str) -> String {
    let row = Running::action_of(Some(REMOTE_SMTP), "");
    format!(
        "\n[remote_smtp]\nevent_action = '''${{if eq{{$event_name}}{{{event}}}{{{how}}}{{{row}}}}}'''"
    )
}

async fn send(options: &str) -> (String, Vec<String>) {
    let (address, task) = hop(&GOOD).await;
    let gateway = Running::start(&Running::relaying(address, options)).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    client.quit().await;
    let said = gateway.stop().await.said();
    task.abort();
    (last, said)
}

/// As Exim does, unless the configuration says otherwise.
#[tokio::test]
async fn an_action_that_fails_lets_it_proceed_or_refuses() {
    let connect = "msg:host:defer(refused by an action of tcp:connect) errno -58";
    let banner = "msg:host:defer(deferred by an action of smtp:connect)";
    for (event, refusal) in [("tcp:connect", connect), ("smtp:connect", banner)] {
        for how in [
            "${eval:1/0}",
            "${lookup sqlite{SELECT gone FROM nowhere}}",
            "${lookup sqlite{SELECT 1 FROM trace WHERE host='${if eq{a}{a}{${sg{$host}{x}{x}}}}'}}",
        ] {
            let (last, said) = send(&failing(event, how)).await;
            assert_eq!(last, "250 2.0.0 OK", "{event} {how}");
            assert!(said.contains(&"msg:delivery(250 OK)".to_owned()), "{said:?}");
            let options = format!("event_failure = 'refuse'{}", failing(event, how));
            let (last, said) = send(&options).await;
            assert!(last.starts_with("451 4.4.1"), "{event} {how}: {last}");
            assert!(said.contains(&refusal.to_owned()), "{said:?}");
        }
        // What changes rows finds how many, which is a result.
        let counting = failing(
            event,
            "${lookup sqlite{INSERT INTO trace (event_name, event_data, \
            event_defer_errno) VALUES ('row', '', '0')}}",
        );
        let (last, _) = send(&counting).await;
        assert!(last.starts_with("451 4.4.1"), "{event}: {last}");
        // What the template itself forces is no failure.
        let forced = failing(event, "${if eq{a}{b}{c}fail}");
        let (last, _) = send(&format!("event_failure = 'refuse'{forced}")).await;
        assert_eq!(last, "250 2.0.0 OK");
    }
}

/// Mail waits for an action as long as the configuration says, and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_takes_too_long_is_one_that_fails() {
    for (failure, reply) in
        [("proceed", "250 2.0.0 OK"), ("refuse", "451 4.4.1 cannot reach the next hop")]
    {
        let scratch = Scratch::new();
        make_table(scratch.path());
        let path = scratch.path().join("gateway.sqlite");
        let (address, task) = hop(&GOOD).await;
        let how = "${lookup sqlite{INSERT INTO trace (host) VALUES ('')}{}}";
        let options = format!(
            "event_timeout = '1s'\nevent_failure = '{failure}'{}",
            failing("tcp:connect", how)
        );
        let gateway = Running::start_in(scratch, &Running::relaying(address, &options)).await;
        let busy = rusqlite::Connection::open(path).unwrap();
        busy.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let mut client = gateway.client().await;
        let before = Instant::now();
        let last = client.send(&RCPT, "").await;
        assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
        assert!(last.starts_with(reply), "{failure}: {last}");
        busy.execute_batch("ROLLBACK").unwrap();
        client.quit().await;
        gateway.end().await;
        task.abort();
    }
}

/// A database that nobody can write into holds up no mail: what is queued waits for nobody's reply.
#[tokio::test(flavor = "multi_thread")]
async fn mail_does_not_wait_for_events() {
    let scratch = Scratch::new();
    make_table(scratch.path());
    let path = scratch.path().join("gateway.sqlite");
    let busy = rusqlite::Connection::open(&path).unwrap();
    busy.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let gateway = Running::start_in(scratch, "event_queue_max = 100\n").await;
    let mut client = gateway.client().await;
    let before = Instant::now();
    for _ in 0..50 {
        let last = client.send(&["ann@example.com"], "").await;
        assert!(last.starts_with("250 "), "{last}");
    }
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
    client.quit().await;
    busy.execute_batch("ROLLBACK").unwrap();
    drop(busy);
    let scratch = gateway.end().await;
    assert_eq!(rows(scratch.path()).len(), 100, "they came through the file");
    let new = std::fs::read_dir(scratch.path().join("maildir/new")).unwrap().count();
    assert_eq!(new, 50);
}

/// The shipped action decides nothing: with a database that is locked the next hop has the mail at
/// once, and the log its rows later.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_action_holds_up_no_connection() {
    let scratch = Scratch::new();
    let path = scratch.path().join("gateway.sqlite");
    let busy = rusqlite::Connection::open(&path).unwrap();
    busy.execute_batch("CREATE TABLE other (a); BEGIN EXCLUSIVE").unwrap();
    let (address, task) = hop(&GOOD).await;
    let text = format!(
        "local_interfaces = '127.0.0.1.0'\nhost_lookup = ''\nspool_directory = '{}'\n{}",
        scratch.path().display(),
        Running::relaying(address, "")
    );
    let gateway = Running::serve(Scratch::new(), Config::parse(&text).unwrap()).await;
    let mut client = gateway.client().await;
    let before = Instant::now();
    assert_eq!(client.send(&RCPT, "").await, "250 2.0.0 OK");
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    client.quit().await;
    busy.execute_batch("ROLLBACK").unwrap();
    gateway.end().await;
    let count = busy.query_row("SELECT count(*) FROM events", [], |row| row.get(0));
    assert_eq!(count, Ok(5));
    task.abort();
}

/// The nine events of 2014, of which a failed delivery is the main section's.
#[tokio::test]
async fn the_events_of_2014() {
    let transport = Running::action_of(Some(REMOTE_SMTP), "");
    let main = "${if eq{$event_name}{msg:fail:delivery}{${lookup sqlite{INSERT INTO trace \
        (event_name, event_data, event_defer_errno) VALUES ('main', '', '0')}{}}}}";
    let options = |address| {
        let options = Running::relaying(address, "event_profile = '2014'");
        format!(
            "event_action = '''{main}'''\n{options}\n[remote_smtp]\nevent_action = '''{transport}'''"
        )
    };
    let refused = [&GOOD[..3], &["550 no\r\n", "221 bye\r\n"]].concat();
    for (replies, last) in [(&GOOD[..], "msg:delivery(250 OK)"), (&refused, "main()")] {
        let (address, task) = hop(replies).await;
        let gateway = Running::start(&options(address)).await;
        let mut client = gateway.client().await;
        client.send(&RCPT, "").await;
        client.say("NONSENSE").await;
        client.quit().await;
        let said = gateway.stop().await.said();
        assert_eq!(said, ["tcp:connect()", "smtp:connect(220 ESMTP)", "tcp:close()", last]);
        task.abort();
    }
}

#[tokio::test]
async fn k_the_next_hops_name_is_not_found() {
    let options = "relay_to_domains = 'next.example'\nroute_data = 'nosuch.invalid:25'";
    let gateway = Running::start(options).await;
    let mut client = gateway.client().await;
    let last = client.send(&RCPT, "").await;
    assert!(last.starts_with("451 4.4.1"), "{last}");
    client.quit().await;
    let trace = gateway.stop().await;
    let said = trace.said();
    assert_eq!(said[0], "dns:fail(DNS_FAIL:nosuch.invalid:A)");
    assert!(said[1].starts_with("msg:defer("), "{said:?}");
    assert_eq!((said.len(), &*trace.rows[0]["transport_name"]), (2, "remote_smtp"));
}
