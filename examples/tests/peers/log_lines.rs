//! Log lines about a message: its arrival, and the delivery to each recipient.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use serde_json::Value;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::{Gateway, binary};
use super::name_server::{NameServer, Said};
use super::servers::{have, swaks};

/// Sends a message to ann and bob; returns its id.
fn send(gateway: &Gateway) -> String {
    send_behind(gateway, b"")
}

/// The same, behind these octets of a proxy.
fn send_behind(gateway: &Gateway, header: &[u8]) -> String {
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(header);
    smtp.reply();
    for command in [
        "EHLO client.test",
        "MAIL FROM:<a@sender.test>",
        "RCPT TO:<ann@local.test>",
        "RCPT TO:<bob@local.test>",
        "DATA",
    ] {
        let reply = smtp.say(command);
        assert!(reply.starts_with(['2', '3']), "{reply}");
    }
    let message = "Subject: =?utf-8?q?a_=22b=22?=\r\nMessage-ID: <1@sender.test>\r\n\r\nbody\r\n.";
    let reply = smtp.say(message);
    reply.strip_prefix("250 2.0.0 OK id=").unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// The lines of the log with this id, without what depends on the run.
fn lines(gateway: &mut Gateway, id: &str, count: usize) -> Vec<String> {
    gateway.wait_for("lines", |gateway| {
        let log = gateway.log();
        let lines = log.lines().filter_map(|line| line.split_once(&format!("{id} ")));
        let lines = lines.map(|(_, line)| {
            let words = line.split(' ').filter(|word| !word.starts_with("DT="));
            words.collect::<Vec<_>>().join(" ")
        });
        let lines: Vec<_> = lines.collect();
        (lines.len() >= count).then_some(lines)
    })
}

#[test]
fn a_message_has_a_line_of_arrival_and_one_for_each_recipient() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let id = send(&gateway);
    let lines = lines(&mut gateway, &id, 3);
    let begin = "<= a@sender.test H=(client.test) [127.0.0.1] P=esmtp S=";
    assert!(lines[0].starts_with(begin), "{lines:?}");
    assert!(lines[0].ends_with(" for ann@local.test bob@local.test"), "{lines:?}");
    assert_eq!(lines[1], "=> ann <ann@local.test> R=localuser T=local_delivery");
    assert_eq!(lines[2], "-> bob <bob@local.test> R=localuser T=local_delivery");
}

/// Before `MAIL` nobody knows a sender; afterwards it may be the null sender.
#[test]
fn a_refusal_has_a_sender_from_mail_on() {
    let block = Block::claim();
    let options = "[[acl_smtp_helo]]\nverb = 'deny'\ncondition = '${if eq{$sender_helo_name}{bad.test}}'\n\
                   [[acl_smtp_rcpt]]\nverb = 'deny'\n";
    let mut gateway = Gateway::start(block.own(0), options);
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    for command in [
        "EHLO bad.test",
        "EHLO client.test",
        "MAIL FROM:<>",
        "RCPT TO:<ann@local.test>",
        "RSET",
        "MAIL FROM:<a@sender.test>",
        "RCPT TO:<ann@local.test>",
    ] {
        smtp.say(command);
    }
    let line = gateway.line("rejected HELO");
    assert!(
        line.contains(" H=(bad.test) [127.0.0.1] rejected HELO bad.test: ") && !line.contains("F="),
        "{line}"
    );
    gateway.line("H=(client.test) [127.0.0.1] F=<> rejected RCPT <ann@local.test>");
    gateway.line("H=(client.test) [127.0.0.1] F=<a@sender.test> rejected RCPT <ann@local.test>");
}

/// The place of a text that fails is a rule with its line, or an option.
#[test]
fn a_failed_expansion_has_its_place() {
    let block = Block::claim();
    let options = "relay_to_domains = '${if eq{$domain}{next.test}{*}{${eval:1/0}}}'\n\
                   route_data = '${eval:2/0}'\n\n[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_m_a = '${eval:3/0}'\n\
                   [[acl_smtp_mail]]\nverb = 'deny'\nsenders = '${eval:4/0}'\n";
    let mut gateway = Gateway::start(block.own(0), options);
    let written = fs::read_to_string(gateway.folder().join("gateway.toml")).unwrap();
    let line = |words: &str| written.lines().position(|line| line.contains(words)).unwrap() + 1;
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    smtp.say("EHLO client.test");
    assert!(smtp.say("MAIL FROM:<a@sender.test>").starts_with("451 "));
    gateway.line(&format!(" line {}: set.acl_m_a: expansion failed: ", line("set.acl_m_a")));
    gateway.line(&format!(" line {}: senders: expansion failed: ", line("senders = ")));
    smtp.say("MAIL FROM:<>");
    let options = options.split("[[").next().unwrap();
    drop(gateway);
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), options);
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    for command in ["EHLO client.test", "MAIL FROM:<a@sender.test>", "RCPT TO:<a@next.test>"] {
        smtp.say(command);
    }
    assert!(smtp.say("RCPT TO:<a@other.test>").starts_with("451 "));
    gateway.line(" route_data: expansion failed: ");
    gateway.line(" relay_to_domains: expansion failed: ");
}

#[test]
fn quarantine_and_the_maildir_of_a_recipient_are_told() {
    let block = Block::claim();
    let options = "maildir = 'MAIL/$local_part'\nlog_selector = '-all +subject +msg_id'\n\
                   [[acl_smtp_data]]\nverb = 'quarantine'\nlog_message = 'x'";
    let folder = env!("CARGO_TARGET_TMPDIR");
    let folder = format!("{folder}/gateway-{}/each", block.own(0));
    // A later line of the same option would be an error.
    let options = options.replace("maildir = 'MAIL", &format!("quarantine_maildir = '{folder}"));
    let mut gateway = Gateway::start(block.own(0), &options);
    let id = send(&gateway);
    let lines = lines(&mut gateway, &id, 4);
    assert_eq!(lines[0], "H=(client.test) [127.0.0.1] F=<a@sender.test> Quarantine: x");
    let arrival = "<= a@sender.test H=(client.test) [127.0.0.1] P=esmtp S=";
    assert!(lines[1].starts_with(arrival), "{lines:?}");
    assert!(lines[1].ends_with(" id=1@sender.test T=\"a \\\"b\\\"\""), "{lines:?}");
    for (line, name) in lines[2..].iter().zip(["ann", "bob"]) {
        let transport = "R=localuser T=local_delivery in quarantine";
        assert_eq!(*line, format!("=> {name} <{name}@local.test> {transport} {folder}/{name}"));
    }
}

/// Of the proxy nothing is asked: only the client in its header has a name.
#[test]
fn the_name_of_a_client_behind_a_proxy_is_looked_up_and_logged() {
    let block = Block::claim();
    let dns = NameServer::start(true, |name, kind| match (name, kind) {
        ("1.2.0.192.in-addr.arpa", RecordType::PTR) => Said::Pointer("mx.client.test."),
        ("1.0.0.127.in-addr.arpa", RecordType::PTR) => Said::Pointer("proxy.test."),
        ("mx.client.test", RecordType::A) => Said::Address(Ipv4Addr::new(192, 0, 2, 1)),
        ("proxy.test", RecordType::A) => Said::Address(Ipv4Addr::LOCALHOST),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let text = format!(
        "primary_hostname = 'gateway.test'\nlocal_interfaces = '127.0.0.1.{}'\nlocal_domains = 'local.test'\n\
         proxy_required_hosts = '127.0.0.1'\nhost_lookup = '*'\ndns_resolver = '{}'\n\
         [[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = 'client $sender_host_name'\n",
        block.own(0),
        dns.address
    );
    let mut gateway = Gateway::start_as_written(block.own(0), &text);
    let id = send_behind(&gateway, b"PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\n");
    let lines = lines(&mut gateway, &id, 4);
    let host = "H=mx.client.test (client.test) [192.0.2.1]";
    assert_eq!(lines[0], format!("{host} F=<a@sender.test> client mx.client.test"));
    assert!(lines[1].starts_with(&format!("<= a@sender.test {host} ")), "{lines:?}");
    let asked = dns.asked();
    assert!(asked.iter().any(|name| name == "1.2.0.192.in-addr.arpa"), "{asked:?}");
    assert!(!asked.iter().any(|name| name == "1.0.0.127.in-addr.arpa"), "{asked:?}");
}

#[test]
fn json_has_the_same_as_fields() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "log_format = 'json'");
    let id = send(&gateway);
    let objects = gateway.wait_for("lines", |gateway| {
        let log = gateway.log();
        let objects = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let objects: Vec<_> = objects.filter(|object| object["id"] == *id).collect();
        (objects.len() == 3).then_some(objects)
    });
    let arrival = &objects[0];
    for (field, value) in [
        ("event", "arrival"),
        ("sender", "a@sender.test"),
        ("recipients", "ann@local.test bob@local.test"),
        ("protocol", "ESMTP"),
        ("host", "127.0.0.1"),
        ("helo", "client.test"),
    ] {
        assert_eq!(arrival[field], value, "{arrival}");
    }
    for (delivery, name) in objects[1..].iter().zip(["ann", "bob"]) {
        assert_eq!(delivery["event"], "delivery", "{delivery}");
        assert_eq!(delivery["recipient"], format!("{name}@local.test"), "{delivery}");
        assert_eq!(delivery["result"], "delivered", "{delivery}");
        assert_eq!(delivery["quarantined"], false, "{delivery}");
        assert!(delivery["seconds"].as_f64().is_some(), "{delivery}");
    }
}

/// The objects of the log of one kind.
fn objects(gateway: &Gateway, kind: &str) -> Vec<Value> {
    let log = gateway.log();
    let objects = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects.filter(|object| object["event"] == kind).collect()
}

/// The fields that the manual lists for objects of one kind.
fn documented_fields(kind: &str) -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/README.md");
    let manual = fs::read_to_string(file).unwrap();
    let (_, list) = manual.split_once(&format!("`{kind}` (`id`")).unwrap();
    let list = format!("`id`{}", list.split_once(')').unwrap().0);
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The fields of objects, but for those of each line.
fn fields(objects: &[Value]) -> BTreeSet<String> {
    let all = objects.iter().flat_map(|object| object.as_object().unwrap().keys().cloned());
    let of_each = ["event", "level", "message", "target", "timestamp"];
    all.filter(|name| !of_each.contains(&name.as_str())).collect()
}

/// Starts a next hop that refuses and defers by the recipient, and a gateway that relays to it, or to a closed port.
fn relaying(block: &Block) -> [Gateway; 2] {
    let rule = |verb: &str, name: &str| {
        format!(
            "[[acl_smtp_data]]\nverb = '{verb}'\nmessage = 'not {name}'\n\
             condition = '${{if match{{$recipients}}{{^{name}@}}}}'\n"
        )
    };
    let (port, closed) = (block.own(1), block.own(2));
    let text = format!(
        "primary_hostname = 'hop.test'\nlocal_interfaces = '127.0.0.1.{port}'\nhost_lookup = ''\n\
         local_domains = 'next.test'\n{}{}",
        rule("deny", "bad"),
        rule("defer", "later")
    );
    let options = format!(
        "log_format = 'json'\nlog_selector = '-all'\nrelay_to_domains = 'next.test : down.test'\n\
         route_data = '127.0.0.1:${{if eq{{$domain}}{{down.test}}{{{closed}}}{{{port}}}}}'\n\
         quarantine_maildir = 'held'\n[[acl_smtp_data]]\nverb = 'quarantine'\nlog_message = 'x'\n\
         condition = '${{if match{{$recipients}}{{^held@}}}}'\n"
    );
    [Gateway::start_as_written(port, &text), Gateway::start(block.own(0), &options)]
}

/// Checks the object of a delivery to this port of the next hop, with the start of its reply, if there is one.
fn is_delivery(delivery: &Value, port: u16, result: &str, reply: Option<&str>) {
    for (field, value) in [
        ("result", result),
        ("transport", "remote_smtp"),
        ("host", "127.0.0.1"),
        ("address", &format!("127.0.0.1:{port}")),
    ] {
        assert_eq!(delivery[field], value, "{field}: {delivery}");
    }
    let seconds = delivery["seconds"].as_f64().unwrap();
    assert!((0.0..20.0).contains(&seconds), "{delivery}");
    for (field, start) in [("reply", reply), ("cipher", reply.map(|_| "TLS1.3:TLS_"))] {
        let found = delivery[field].as_str();
        assert_eq!(found.is_some(), start.is_some(), "{field}: {delivery}");
        assert!(found.unwrap_or_default().starts_with(start.unwrap_or_default()), "{delivery}");
    }
    assert_eq!(delivery["reason"].is_null(), result == "delivered", "{delivery}");
}

#[test]
fn json_has_the_cipher_and_the_host_its_reply_and_the_time_of_a_delivery() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let [_hop, mut gateway] = relaying(&block);
    let address = gateway.address();
    let send = |to: &str| swaks(&address, &["-tls", "--to", to]).0;
    for (to, port, result, reply) in [
        ("ann@next.test", 1, "delivered", Some("250 2.0.0 OK id=")),
        ("bad@next.test", 1, "failed", Some("550 5.7.1 not bad")),
        ("later@next.test", 1, "deferred", Some("451 4.7.1 not later")),
        ("ann@down.test", 2, "deferred", None),
    ] {
        assert_eq!(send(to), result == "delivered", "{}", gateway.log());
        let mut all = objects(&gateway, "delivery");
        all.retain(|object| object["recipient"] == to);
        assert_eq!(all.len(), 1, "{all:?}");
        is_delivery(&all[0], block.own(port), result, reply);
    }
    assert!(send("held@local.test"));
    gateway.line("\"quarantined\":true");
    let arrivals = objects(&gateway, "arrival");
    assert_eq!(arrivals.len(), 2, "{arrivals:?}");
    for arrival in &arrivals {
        let cipher = arrival["cipher"].as_str().unwrap();
        assert!(cipher.starts_with("TLS1.3:TLS_"), "{arrival}");
        assert_eq!(arrival["protocol"], "ESMTPS", "{arrival}");
    }
    assert_eq!(fields(&arrivals), documented_fields("arrival"));
    assert_eq!(fields(&objects(&gateway, "delivery")), documented_fields("delivery"));
}

#[test]
fn a_wrong_filter_is_refused_at_a_start_and_by_check() {
    for arguments in [&["--check"][..], &[]] {
        let mut command = Command::new(binary());
        let output = command.args(arguments).env("RUST_LOG", "inof").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("RUST_LOG: \"inof\" is neither a level"), "{errors}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_mistake_in_the_protocol_and_a_failed_handshake_have_a_line() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    for command in [
        "EHLO client.test",
        "NONSENSE",
        "MAIL FROM:<a@sender.test> SIZE=99999999999999999999999",
        "MAIL FROM:<a@sender.test",
        "RCPT TO:<ann@local.test>",
        "MAIL FROM:<a@sender.test>",
        "RCPT TO:<ann@local.test>",
        "DATA",
        "Subject: a\r\n\r\nbare\nline\r\n.",
    ] {
        smtp.say(command);
    }
    let host = "H=(client.test) [127.0.0.1] SMTP";
    for line in [
        "syntax error: 500 5.5.2 ",
        "syntax error: 501 5.5.4 ",
        "protocol error: 503 5.5.1 ",
        "protocol error: 554 5.6.0 bare CR or LF",
    ] {
        gateway.line(&format!("{host} {line}"));
    }
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    smtp.say("EHLO client.test");
    smtp.say("STARTTLS");
    smtp.send(b"no client hello\r\n");
    gateway.line("H=(client.test) [127.0.0.1] TLS handshake failed: ");
}
