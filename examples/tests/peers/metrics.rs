//! Metrics of the gateway as a program, read over HTTP and checked by Prometheus' own tool.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::servers::{have, output_of, swaks, text};

/// Returns the page of metrics at a port of loopback.
fn page(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    body.to_owned()
}

/// Waits until the page has these lines.
pub(crate) fn wait_for_lines(gateway: &mut Gateway, port: u16, lines: &[&str]) -> String {
    let what = lines.join("\n");
    gateway.wait_for(&what, |_| {
        let page = page(port);
        lines.iter().all(|line| page.lines().any(|shown| shown == *line)).then_some(page)
    })
}

/// Runs promtool, which must find no fault.
fn promtool(arguments: &[&str], input: &str) {
    let output = output_of(Command::new("promtool").args(arguments), input.as_bytes());
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}\n{input}");
}

#[test]
fn promtool_finds_no_fault_in_the_numbers_of_swaks_mail() {
    if !have(&["swaks", "promtool"]) {
        return;
    }
    let block = Block::claim();
    let port = block.own(1);
    let options = format!("metrics_interface = '127.0.0.1.{port}'");
    let mut gateway = Gateway::start(block.own(0), &options);
    gateway.line(&format!("metrics at http://127.0.0.1:{port}/metrics"));
    promtool(&["check", "metrics"], &page(port));
    for arguments in [&["--to", "ann@local.test"][..], &["--tls", "--to", "ann@local.test"]] {
        let (taken, transcript) = swaks(&gateway.address(), arguments);
        assert!(taken, "{transcript}");
    }
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@elsewhere.test"]);
    assert!(!taken, "{transcript}");
    let page = wait_for_lines(
        &mut gateway,
        port,
        &[
            "gateway_messages_total{result=\"accepted\"} 2",
            "gateway_recipients_total{result=\"accepted\"} 2",
            "gateway_recipients_total{result=\"refused\"} 1",
            "gateway_connections_total{result=\"accepted\"} 3",
            "gateway_tls_handshakes_total{start=\"starttls\",result=\"done\"} 1",
            "gateway_deliveries_total{transport=\"local_delivery\",result=\"delivered\"} 2",
            "gateway_open_connections 0.0",
            "gateway_message_size_bytes_count 2",
        ],
    );
    promtool(&["check", "metrics"], &page);
}

/// The tool finds faults; a page that it reads as nothing would have none.
#[test]
fn promtool_refuses_a_page_with_a_fault() {
    if !have(&["promtool"]) {
        return;
    }
    for page in
        ["gateway_a_total{ 1\n", "# HELP gateway_a A.\n# TYPE gateway_a counter\ngateway_a 1\n"]
    {
        let output =
            output_of(Command::new("promtool").args(["check", "metrics"]), page.as_bytes());
        assert!(!output.status.success(), "{page}");
    }
}

/// The numbers begin anew with the process, and a reload keeps them.
#[test]
fn a_reload_keeps_the_numbers_and_a_start_begins_anew() {
    let block = Block::claim();
    let port = block.own(1);
    let options = format!("metrics_interface = '127.0.0.1.{port}'");
    let mut gateway = Gateway::start(block.own(0), &options);
    let send = |gateway: &Gateway| {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        for line in ["EHLO a.test", "MAIL FROM:<a@a.test>", "RCPT TO:<ann@local.test>", "DATA"] {
            smtp.say(line);
        }
        assert!(smtp.say("Subject: a\r\n\r\nb\r\n.").starts_with("250"));
    };
    send(&gateway);
    let other = format!("metrics_interface = '127.0.0.1.{}'", block.own(2));
    gateway.reload(&other, "metrics_interface: a change takes effect at the next start only");
    send(&gateway);
    let reloaded = "gateway_reloads_total{result=\"applied\"} 1";
    let twice = "gateway_messages_total{result=\"accepted\"} 2";
    wait_for_lines(&mut gateway, port, &[reloaded, twice]);
    gateway.restart();
    let none = "gateway_messages_total{result=\"accepted\"} 0";
    wait_for_lines(&mut gateway, block.own(2), &[none]);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// The rules of alerts in the manual, and the states that they are for.
#[test]
fn the_alerts_of_the_manual_are_sound_and_tell_of_their_states() {
    if !have(&["promtool"]) {
        return;
    }
    let block = Block::claim();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("alerts-{}", block.first()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/README.md");
    let manual = fs::read_to_string(manual).unwrap();
    let (_, rules) = manual.split_once("```yaml\ngroups:\n").unwrap();
    let (rules, _) = rules.split_once("```").unwrap();
    fs::write(folder.join("rules.yml"), format!("groups:\n{rules}")).unwrap();
    let rules = folder.join("rules.yml");
    promtool(&["check", "rules", rules.to_str().unwrap()], "");
    let tests = folder.join("tests.yml");
    fs::write(&tests, ALERTS).unwrap();
    promtool(&["test", "rules", tests.to_str().unwrap()], "");
    // Each name in them is one of the page.
    let port = block.own(1);
    let options = format!("metrics_interface = '127.0.0.1.{port}'");
    let gateway = Gateway::start(block.own(0), &options);
    let page = page(port);
    let text = fs::read_to_string(&rules).unwrap();
    let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: Vec<_> = names.filter(|name| name.starts_with("gateway_")).collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("# TYPE {name} ")), "{name}");
    }
    drop(gateway);
    fs::remove_dir_all(&folder).unwrap();
}

/// Ten minutes at a minute each: the store stops, an event is lost, and the certificate ends in an hour.
const ALERTS: &str = "rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: gateway_store_accepts
        values: '1 1 1 0 0 0 0 0 0 0'
      - series: gateway_events_lost_total
        values: '0 0 0 0 0 1 1 1 1 1'
      - series: gateway_certificate_expiry_timestamp_seconds
        values: '3600 3600 3600 3600 3600 3600 3600 3600 3600 3600'
    alert_rule_test:
      - {eval_time: 2m, alertname: StoreStopped}
      - {eval_time: 8m, alertname: StoreStopped, exp_alerts: [{}]}
      - {eval_time: 3m, alertname: EventsLost}
      - {eval_time: 7m, alertname: EventsLost, exp_alerts: [{}]}
      - {eval_time: 2m, alertname: CertificateExpires, exp_alerts: [{}]}
  - interval: 1m
    input_series:
      - series: gateway_certificate_expiry_timestamp_seconds
        values: '9000000 9000000 9000000'
    alert_rule_test:
      - {eval_time: 2m, alertname: CertificateExpires}
";
