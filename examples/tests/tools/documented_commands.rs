//! The commands in the documents of the tools, run as a reader copies them, with their output.

#![cfg(feature = "reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::gateway_program::Files;
use crate::program::{directory, output_of, text, tool};

/// The blocks of a document, each with its language.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    for (number, piece) in document.split("```").enumerate() {
        if number % 2 == 1 {
            blocks.push(piece.split_once('\n').unwrap());
        }
    }
    blocks
}

/// A block with the tool that Cargo has built in place of `cargo run`.
fn with_tools(block: &str) -> String {
    let mut text = block.to_owned();
    while let Some(at) = text.find("cargo run ") {
        let (before, rest) = text.split_at(at);
        let (arguments, rest) = rest.split_once(" -- ").unwrap();
        let (_, name) = arguments.rsplit_once("--example ").unwrap();
        text = format!("{before}{} {rest}", tool(name).get_program().to_str().unwrap());
    }
    text
}

/// Tells whether a line is as expected, with anything in place of each `…`.
fn is_like(line: &str, expected: &str) -> bool {
    let mut pieces = expected.split('…');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap()) else { return false };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = if piece.is_empty() { "" } else { &rest[at + piece.len()..] };
    }
    rest.is_empty()
}

/// The port of the gateway in the documents, as a part of its address.
const PORT: &str = ":2525";

/// Runs the commands of a document in a folder, in their order; returns their number.
fn run(name: &str, folder: &Path) -> usize {
    run_with_gateway(name, folder, PORT)
}

/// The same, with a gateway at this port.
fn run_with_gateway(name: &str, folder: &Path, port: &str) -> usize {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let document = fs::read_to_string(document).unwrap();
    let document = document.replace(PORT, port);
    let (mut written, mut count) = (String::new(), 0);
    for (language, block) in blocks(&document) {
        match language {
            "sh" => {
                let mut shell = Command::new("sh");
                shell.args(["-ec", &with_tools(block)]).current_dir(folder).env("HOME", folder);
                let output = output_of(&mut shell, b"");
                let told = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(0), "{name}: {block}: {told}");
                text(&output).clone_into(&mut written);
                count += 1;
            }
            "text" => {
                let lines: Vec<_> = written.lines().collect();
                let expected: Vec<_> = block.lines().collect();
                // The output may go on.
                let fits = lines.len() >= expected.len()
                    && lines.iter().zip(&expected).all(|(line, expected)| is_like(line, expected));
                assert!(fits, "{name}:\n{block}is in truth:\n{written}");
            }
            _ => {}
        }
    }
    count
}

#[test]
fn the_commands_of_tlsa_inspect_and_ocsp_work() {
    assert_eq!(run("docs/tools.md", &directory("documented-tools")), 8);
}

/// With the defaults of the gateway, but for its port, its files and the DNS.
#[test]
fn the_commands_of_send_work() {
    let files = Files::new("documented-send");
    let text = "local_interfaces = '127.0.0.1.0'\nspool_directory = 'SPOOL'\nhost_lookup = ''\ndmarc_verify_hosts = ''\n";
    let text = text.replace("SPOOL", files.path("spool").to_str().unwrap());
    fs::write(files.path("gateway.toml"), text).unwrap();
    let mut gateway = files.start(&[]);
    let port = gateway.address().rsplit_once(':').map(|(_, port)| format!(":{port}")).unwrap();
    let folder = directory("documented-send-files");
    assert_eq!(run_with_gateway("docs/send.md", &folder, &port), 2);
    assert!(gateway.stop().success());
}

/// A folder of a gateway with rows of a day, and reports in a Maildir.
fn gateway_data() -> PathBuf {
    let folder = directory("documented-reports");
    fs::create_dir_all(folder.join("gateway-data")).unwrap();
    let rows = Connection::open(folder.join("gateway-data/dmarc.sqlite")).unwrap();
    let columns = "received INTEGER, policy_domain TEXT, record TEXT, discovery_method TEXT, source TEXT, \
                   disposition TEXT, dkim INTEGER, spf INTEGER, reasons TEXT, header_from TEXT, envelope_from TEXT, \
                   signatures TEXT, spf_domain TEXT, spf_result TEXT";
    rows.execute_batch(&format!("CREATE TABLE dmarc ({columns}); PRAGMA user_version = 1"))
        .unwrap();
    // 2026-11-26, 12:00 UTC.
    for (source, dkim) in [("192.0.2.1", 1), ("192.0.2.2", 0)] {
        let row = "INSERT INTO dmarc VALUES (1795694400, 'example.com', \
                   'v=DMARC1; p=reject; rua=mailto:dmarc@example.com', 'treewalk', ?1, 'none', ?2, 0, '', \
                   'example.com', 'ann@example.com', '[]', NULL, NULL)";
        rows.execute(row, (source, dkim)).unwrap();
    }
    folder
}

#[test]
fn the_commands_of_dmarc_report_work() {
    let folder = gateway_data();
    fs::create_dir_all(folder.join("Maildir")).unwrap();
    assert_eq!(run("docs/dmarc_report.md", &folder), 2);
    let mails: Vec<_> = fs::read_dir(folder.join("reports")).unwrap().collect();
    assert_eq!(mails.len(), 1);
}
