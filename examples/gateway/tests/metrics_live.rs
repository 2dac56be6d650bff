//! The numbers of a whole gateway, after sessions of each kind.

use std::time::Duration;

use super::exposition::value;
use super::gateway::{Client, Running, hop};
use super::limits::nameless;
use super::metrics_page::{ON, families};

/// Waits until the numbers are these; the server learns of some ends after its client.
async fn has(running: &Running, expected: &[(&str, f64)]) {
    let mut wrong = Vec::new();
    for _ in 0..200 {
        let families = families(running).await;
        let named =
            expected.iter().map(|(name, expected)| (*name, *expected, value(&families, name)));
        wrong = named.filter(|(_, expected, found)| *found != Some(*expected)).collect();
        if wrong.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("name, expected, found: {wrong:#?}");
}

const RULES: &str = "
[[acl_smtp_mail]]
verb = 'deny'
senders = 'nobody@client.example'

[[acl_smtp_rcpt]]
verb = 'defer'
local_parts = 'slow'

[[acl_smtp_rcpt]]
verb = 'warn'
condition = '${lookup sqlite{SELECT 1}}'
logwrite = 'a recipient'

[[acl_smtp_data_prdr]]
verb = 'deny'
local_parts = 'bad'

[[acl_smtp_data_prdr]]
verb = 'defer'
local_parts = 'later'

[[acl_smtp_data_prdr]]
verb = 'quarantine'
local_parts = 'wary'
message = 'a lottery'
";

/// Sends a message of each kind over one connection; returns the client, within the last one.
async fn send_all(running: &Running) -> Client {
    let mut client = running.client().await;
    assert!(client.send(&["a@example.com", "b@example.com"], "").await.starts_with("250"));
    assert!(client.send(&["wary@example.com"], "").await.starts_with("250"));
    assert!(client.send(&["bad@example.com"], "").await.starts_with("550"));
    assert!(client.send(&["later@example.com"], "").await.starts_with("45"));
    // No recipient, and so no message.
    assert!(client.send(&["x@other.example", "slow@example.com"], "").await.starts_with("45"));
    client.say("RSET").await;
    // These the session refuses by itself.
    client.say("MAIL FROM:<ann@client.example>").await;
    assert!(client.say("RCPT TO:<a@example.com> X=Y").await.starts_with("555"));
    assert!(client.say("RCPT TO:<a@example.com>").await.starts_with("250"));
    assert!(client.say("DATA").await.starts_with("354"));
    assert!(client.say(&format!("{}.", "x\r\n".repeat(1500))).await.starts_with("552"));
    assert!(client.say("MAIL FROM:<nobody@client.example>").await.starts_with("550"));
    client.say("MAIL FROM:<ann@client.example>").await;
    client.say("RCPT TO:<a@example.com>").await;
    client.say("DATA").await;
    client.raw(b"Subject: never ended\r\n").await;
    client
}

#[tokio::test]
async fn each_message_is_counted_by_its_result() {
    let options = format!("{ON}message_size_limit = 3000\n{RULES}");
    let running = Running::start(&options).await;
    let client = send_all(&running).await;
    has(&running, &[("gateway_open_connections", 1.0)]).await;
    drop(client);
    let result = |word| format!("gateway_messages_total{{result=\"{word}\"}}");
    let results =
        ["accepted", "quarantined", "relayed", "discarded", "deferred", "refused", "broken_off"];
    let numbers = [1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 1.0];
    let messages = results.map(result);
    let messages: Vec<_> = messages.iter().map(String::as_str).zip(numbers).collect();
    has(&running, &messages).await;
    has(
        &running,
        &[
            ("gateway_open_connections", 0.0),
            ("gateway_connections_total{result=\"accepted\"}", 1.0),
            ("gateway_recipients_total{result=\"accepted\"}", 7.0),
            ("gateway_recipients_total{result=\"deferred\"}", 1.0),
            ("gateway_recipients_total{result=\"refused\"}", 2.0),
            ("gateway_protocol_errors_total{kind=\"syntax\"}", 1.0),
            ("gateway_rule_refusals_total{result=\"refused\",stage=\"mail\"}", 1.0),
            ("gateway_rule_refusals_total{result=\"deferred\",stage=\"rcpt\"}", 1.0),
            ("gateway_rule_refusals_total{result=\"refused\",stage=\"prdr\"}", 1.0),
            ("gateway_rule_refusals_total{result=\"deferred\",stage=\"prdr\"}", 1.0),
            ("gateway_message_size_bytes_count", 2.0),
            ("gateway_message_duration_seconds_count", 2.0),
            ("gateway_message_memory_bytes", 0.0),
            ("gateway_message_memory_limit_bytes", 536_870_912.0),
            ("gateway_deliveries_total{result=\"delivered\",transport=\"local_delivery\"}", 3.0),
            ("gateway_delivery_duration_seconds_count{transport=\"local_delivery\"}", 3.0),
            ("gateway_journal_undelivered_messages", 0.0),
            ("gateway_journal_segments", 2.0),
            ("gateway_store_accepts", 1.0),
            ("gateway_certificates{staple=\"none\"}", 1.0),
        ],
    )
    .await;
    let families = families(&running).await;
    let found = "gateway_lookups_total{engine=\"sqlite\",result=\"found\"}";
    assert!(value(&families, found).unwrap() >= 7.0);
    let expiry = value(&families, "gateway_certificate_expiry_timestamp_seconds").unwrap();
    assert!(expiry > 1_700_000_000.0, "{expiry}");
    running.end().await;
}

/// With PRDR a message is counted once, whatever its recipients say.
#[tokio::test]
async fn a_message_with_a_reply_for_each_recipient_is_counted_once() {
    let running = Running::start(&format!("{ON}prdr_enable = true\n{RULES}")).await;
    for (recipients, last) in [
        (&["a@example.com", "bad@example.com", "later@example.com"][..], "250"),
        (&["bad@example.com", "later@example.com"], "45"),
        (&["bad@example.com", "bad@example.com"], "550"),
    ] {
        let mut client = running.client().await;
        client.say("EHLO client.example").await;
        assert!(client.say("MAIL FROM:<ann@client.example> PRDR").await.starts_with("250"));
        for recipient in recipients {
            assert!(client.say(&format!("RCPT TO:<{recipient}>")).await.starts_with("250"));
        }
        client.say("DATA").await;
        assert!(client.say("Subject: a\r\n\r\nb\r\n.").await.starts_with("353"));
        for _ in recipients {
            client.reply().await;
        }
        let reply = client.reply().await;
        assert!(reply.starts_with(last), "{recipients:?}: {reply}");
        client.quit().await;
    }
    has(
        &running,
        &[
            ("gateway_messages_total{result=\"accepted\"}", 1.0),
            ("gateway_messages_total{result=\"deferred\"}", 1.0),
            ("gateway_messages_total{result=\"refused\"}", 1.0),
            ("gateway_connections_total{result=\"accepted\"}", 3.0),
        ],
    )
    .await;
    running.end().await;
}

#[tokio::test]
async fn a_message_that_is_passed_on_or_dropped_is_no_accepted_one() {
    let good = ["220 ESMTP\r\n", "250 next.example\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"];
    let (address, task) = hop(&[&good[..], &["250 OK\r\n", "221 bye\r\n"]].concat()).await;
    let running = Running::start(&Running::relaying(address, ON)).await;
    let mut client = running.client().await;
    assert!(client.send(&["a@next.example"], "").await.starts_with("250"));
    task.await.unwrap();
    // Nobody is there any more.
    assert!(client.send(&["a@next.example"], "").await.starts_with('4'));
    client.quit().await;
    has(
        &running,
        &[
            ("gateway_messages_total{result=\"relayed\"}", 1.0),
            ("gateway_messages_total{result=\"accepted\"}", 0.0),
            ("gateway_recipients_total{result=\"deferred\"}", 1.0),
            ("gateway_deliveries_total{result=\"delivered\",transport=\"remote_smtp\"}", 1.0),
            ("gateway_deliveries_total{result=\"deferred\",transport=\"remote_smtp\"}", 1.0),
            ("gateway_deliveries_total{result=\"delivered\",transport=\"local_delivery\"}", 0.0),
            ("gateway_outgoing_connections_total{security=\"clear\"}", 1.0),
            ("gateway_outgoing_failures_total{cause=\"unreachable\"}", 1.0),
        ],
    )
    .await;
    running.end().await;
    let running = Running::start(&format!("{ON}store = 'discard'\n")).await;
    let mut client = running.client().await;
    assert!(client.send(&["a@example.com"], "").await.starts_with("250"));
    client.quit().await;
    has(&running, &[("gateway_messages_total{result=\"discarded\"}", 1.0)]).await;
    running.end().await;
}

#[tokio::test]
async fn tests_of_senders_are_counted_with_their_questions() {
    let (resolver, _) = nameless().await;
    let options = format!("{ON}dns_resolver = '{resolver}'\ndmarc_verify_hosts = '*'\n");
    let running = Running::start(&options).await;
    let mut client = running.client().await;
    assert!(client.send(&["a@example.com"], "").await.starts_with("250"));
    client.quit().await;
    has(
        &running,
        &[
            ("gateway_spf_results_total{result=\"none\"}", 1.0),
            ("gateway_dkim_results_total{result=\"none\"}", 1.0),
            ("gateway_dmarc_results_total{result=\"none\"}", 1.0),
            ("gateway_dmarc_dispositions_total{disposition=\"accept\"}", 1.0),
        ],
    )
    .await;
    let families = families(&running).await;
    let asked = value(&families, "gateway_dns_questions_total{outcome=\"nxdomain\"}").unwrap();
    assert!(asked >= 1.0, "{asked}");
    assert_eq!(value(&families, "gateway_dns_duration_seconds_count"), Some(asked));
    running.end().await;
}

const LOOKUPS: &str = "
[[acl_smtp_rcpt]]
verb = 'deny'
condition = '${lookup sqlite{SELECT 1 WHERE 1 = 0}{yes}{no}}'

[[acl_smtp_rcpt]]
verb = 'deny'
condition = '${lookup sqlite{SELECT name FROM nowhere}}'
";

#[tokio::test]
async fn lookups_that_find_nothing_are_no_failed_ones() {
    let running = Running::start(&format!("{ON}{LOOKUPS}")).await;
    let mut client = running.client().await;
    assert!(client.send(&["a@example.com"], "").await.starts_with("451"));
    client.quit().await;
    has(
        &running,
        &[
            ("gateway_lookups_total{engine=\"sqlite\",result=\"found\"}", 0.0),
            ("gateway_lookups_total{engine=\"sqlite\",result=\"not_found\"}", 1.0),
            ("gateway_lookups_total{engine=\"sqlite\",result=\"deferred\"}", 1.0),
            ("gateway_lookup_duration_seconds_count{engine=\"sqlite\"}", 2.0),
            ("gateway_lookup_duration_seconds_count{engine=\"file\"}", 0.0),
        ],
    )
    .await;
    running.end().await;
}

#[tokio::test]
async fn refused_connections_and_handshakes_are_counted_by_their_cause() {
    let running = Running::start(&format!("{ON}smtp_accept_max = 1\n")).await;
    let mut first = running.client().await;
    let mut second = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let mut reply = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut second, &mut reply).await.unwrap();
    assert!(reply.starts_with("421 "), "{reply}");
    first.say("EHLO client.example").await;
    assert!(first.say("STARTTLS").await.starts_with("220"));
    first.raw(b"no handshake\r\n").await;
    first.ended().await;
    has(
        &running,
        &[
            ("gateway_connections_total{result=\"accepted\"}", 1.0),
            ("gateway_connections_total{result=\"too_many\"}", 1.0),
            ("gateway_tls_handshakes_total{result=\"failed\",start=\"starttls\"}", 1.0),
            ("gateway_tls_handshakes_total{result=\"done\",start=\"starttls\"}", 0.0),
        ],
    )
    .await;
    running.end().await;

    let running = Running::start(&format!("{ON}proxy_required_hosts = '127.0.0.1'\n")).await;
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"EHLO client.example\r\n").await.unwrap();
    let _ = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut String::new()).await;
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let header = b"PROXY TCP4 192.0.2.1 127.0.0.1 4000 25\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, header).await.unwrap();
    has(
        &running,
        &[
            ("gateway_proxy_headers_total{outcome=\"failed\"}", 1.0),
            ("gateway_proxy_headers_total{outcome=\"proxied\"}", 1.0),
            ("gateway_connections_total{result=\"no_proxy_header\"}", 1.0),
            ("gateway_connections_total{result=\"accepted\"}", 1.0),
        ],
    )
    .await;
    running.end().await;
}

#[tokio::test]
async fn reloads_and_actions_of_events_are_counted() {
    let running = Running::start("metrics_interface = '127.0.0.1.0'\n").await;
    let before = value(&families(&running).await, "gateway_config_timestamp_seconds").unwrap();
    let text = "primary_hostname = 'gw.example'\nlocal_interfaces = '127.0.0.1.0'\n";
    running.reload(&format!("{text}smtp_banner = 'two'\n")).await;
    has(&running, &[("gateway_reloads_total{result=\"applied\"}", 1.0)]).await;
    running.reload("no_such = 1\n").await;
    let mut client = running.client().await;
    assert!(client.send(&["a@example.com"], "").await.starts_with("250"));
    client.quit().await;
    has(
        &running,
        &[
            ("gateway_reloads_total{result=\"applied\"}", 1.0),
            ("gateway_reloads_total{result=\"refused\"}", 1.0),
            ("gateway_events_waiting", 0.0),
            ("gateway_events_lost_total", 0.0),
            ("gateway_event_actions_total{result=\"failed\"}", 0.0),
        ],
    )
    .await;
    let now = value(&families(&running).await, "gateway_config_timestamp_seconds").unwrap();
    assert!(now > before, "{before} {now}");
    let done = || async {
        value(&families(&running).await, "gateway_event_actions_total{result=\"done\"}").unwrap()
    };
    // A batch of events is gathered first.
    let mut tries = 0;
    while done().await < 1.0 && tries < 200 {
        tries += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(tries < 200);
    running.end().await;
}
