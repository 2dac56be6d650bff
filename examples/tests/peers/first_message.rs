//! The command that the log has for a first message: it works in each configuration; and the files of a spool.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{have, output_of, text};

/// Starts a gateway with these options on this port.
fn start(port: u16, options: &str) -> Gateway {
    let listen = if options.contains("local_interfaces") {
        String::new()
    } else {
        format!("local_interfaces = '127.0.0.1.{port}'\n")
    };
    let text = format!("primary_hostname = 'gateway.test'\n{listen}{options}");
    Gateway::start_as_written(port, &text.replace("PORT", &port.to_string()))
}

/// The command in the log.
fn command(gateway: &Gateway) -> Option<String> {
    let log = gateway.log();
    let line = log.lines().find_map(|line| line.split_once("try: "));
    line.map(|(_, command)| command.to_owned())
}

/// Options, the recipient, and words of the command.
const CONFIGURATIONS: [(&str, &str, &str); 11] = [
    ("", "postmaster@example.com", " smtp://127.0.0.1:"),
    ("local_domains = '@ : mail.test'", "postmaster@mail.test", "curl --crlf -sv smtp:"),
    ("local_domains = '!mail.test : *.test : mail.test'", "postmaster@gateway.test", ""),
    ("local_domains = '@ : ${lookup sqlite{SELECT 1}}'", "postmaster@gateway.test", ""),
    ("local_domains = ''\nlocal_parts = 'ann'", "postmaster@gateway.test", ""),
    ("local_interfaces = '0.0.0.0.PORT'", "postmaster@example.com", " smtp://127.0.0.1:"),
    ("proxy_required_hosts = '127.0.0.0/8'", "postmaster@example.com", " --haproxy-protocol "),
    ("proxy_required_hosts = '192.0.2.1'", "postmaster@example.com", "curl --crlf -sv smtp:"),
    ("tls_on_connect_ports = 'PORT'", "postmaster@example.com", " smtps://127.0.0.1:"),
    (
        "tls_on_connect_ports = 'PORT'\nproxy_required_hosts = '127.0.0.1'",
        "postmaster@example.com",
        "-svk --haproxy-protocol smtps:",
    ),
    (
        "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\nlocal_domains = 'a.example'",
        "postmaster@a.example",
        "",
    ),
];

#[test]
fn the_printed_command_sends_a_message() {
    if !have(&["curl"]) {
        return;
    }
    let block = Block::claim();
    for (index, (options, recipient, words)) in (0..).zip(CONFIGURATIONS) {
        let mut gateway = start(block.own(index), options);
        let command = command(&gateway).unwrap();
        assert!(command.contains(recipient) && command.contains(words), "{options}: {command}");
        let output = output_of(Command::new("sh").args(["-c", &command]), b"");
        let told = text(&output.stderr);
        assert!(output.status.success(), "{options}: {told}\n{}", gateway.log());
        let line = gateway.line(" <= ann@client.example ");
        assert!(line.ends_with(&format!(" for {recipient}")), "{options}: {line}");
        // It is answered when it is in the journal; its file comes a moment later.
        let folder = gateway.folder().join("gateway-data/maildir/new");
        gateway.wait_for("the file of the message", |_| {
            (fs::read_dir(&folder).is_ok_and(|files| files.count() == 1)).then_some(())
        });
    }
}

/// A client of this host would need a certificate.
#[test]
fn no_command_is_printed_where_none_works() {
    let block = Block::claim();
    let options =
        "tls_on_connect_ports = 'PORT'\ntls_verify_hosts = '*'\ntls_verify_certificates = 'system'";
    assert_eq!(command(&start(block.own(0), options)), None);
}

#[test]
fn the_files_of_a_spool_are_those_of_the_manual() {
    if !have(&["curl"]) {
        return;
    }
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/README.md");
    let manual = fs::read_to_string(manual).unwrap();
    let (_, table) = manual.split_once("| file | content |\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix('|')).skip(1);
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let described: Vec<_> =
        cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim().trim_matches('`')).collect();
    let block = Block::claim();
    let mut gateway = start(block.own(0), "dmarc_verify_hosts = '*'");
    let command = command(&gateway).unwrap();
    assert!(output_of(Command::new("sh").args(["-c", &command]), b"").status.success());
    gateway.line(" <= ann@client.example ");
    for entry in fs::read_dir(gateway.folder().join("gateway-data")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = name.trim_end_matches("-wal").trim_end_matches("-shm");
        assert!(described.contains(&file), "{name}: {described:?}");
    }
    for name in ["maildir", "journal", "gateway.sqlite", "tls-cert.pem", "tls-key.pem"] {
        assert!(
            described.contains(&name) && gateway.folder().join("gateway-data").join(name).exists()
        );
    }
}
