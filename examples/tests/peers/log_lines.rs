//! Log lines about a message: its arrival, and the delivery to each recipient.

use std::net::Ipv4Addr;
use std::process::Command;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use serde_json::Value;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::{Gateway, binary};
use super::name_server::{NameServer, Said};

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
    let lines = lines(&mut gateway, &id, 3);
    let arrival = "<= a@sender.test H=(client.test) [127.0.0.1] P=esmtp S=";
    assert!(lines[0].starts_with(arrival), "{lines:?}");
    assert!(lines[0].ends_with(" id=1@sender.test T=\"a \\\"b\\\"\""), "{lines:?}");
    for (line, name) in lines[1..].iter().zip(["ann", "bob"]) {
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
    let arrival = &lines(&mut gateway, &id, 3)[0];
    let begin = "<= a@sender.test H=mx.client.test (client.test) [192.0.2.1] ";
    assert!(arrival.starts_with(begin), "{arrival}");
    gateway.line("client mx.client.test");
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
