//! The tool `proxy_header`: its output.

use std::process::Output;

use serde_json::{Value, json};

use crate::program::{json_lines, output_of, text, tool};

const BLOCK: &str = "0d0a0d0a000d0a515549540a2111000cc0000201c6336402dc040019";

/// The output of the tool.
fn proxy_header(arguments: &[&str], input: &[u8]) -> Output {
    output_of(tool("proxy_header").args(arguments), input)
}

/// The objects that it writes with `--json`.
fn objects(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    json_lines(&proxy_header(&[&["--json"], arguments].concat(), input))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[test]
fn one_object_for_each_line() {
    let lines = [
        &format!("{BLOCK}45484c4f"),
        "50524f585920 554e4b4e4f574e 0d0a\r",
        "0D0A0D0A000D0A515549540A20000000",
        "50524f5859",
        "",
        "4548",
        "0g",
        "000",
        BLOCK,
    ];
    let proxied = json!({
        "outcome": "proxied", "version": 2, "consumed": 28, "source": "192.0.2.1:56324",
        "destination": "198.51.100.2:25", "transport": "stream",
    });
    assert_eq!(
        objects(&[], lines.join("\n").as_bytes()),
        [
            proxied.clone(),
            json!({"outcome": "unknown", "version": 1, "consumed": 15}),
            json!({"outcome": "local", "version": 2, "consumed": 16}),
            json!({"outcome": "incomplete", "needed": 10}),
            json!({
                "outcome": "failed", "at": 0, "error": "not a PROXY header: byte 0 is 0x45",
            }),
            json!({"error": "not hexadecimal", "at": 1, "line": 7}),
            json!({"error": "not hexadecimal", "at": 3, "line": 8}),
            proxied,
        ]
    );
}

#[test]
fn a_header_is_read_as_it_is_on_the_wire() {
    let v1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO a\r\n";
    let found = json_lines(&proxy_header(&["--json", "--raw"], v1)).remove(0);
    assert_eq!((&found["source"], &found["consumed"]), (&json!("192.0.2.1:1"), &json!(37)));
    let v2 = output_of(tool("proxy_header").args(["write", "--local", "--raw"]), b"").stdout;
    let found = json_lines(&proxy_header(&["--json", "--raw"], &v2)).remove(0);
    assert_eq!((&found["version"], &found["consumed"]), (&json!(2), &json!(16)));
}

#[test]
fn vectors_are_named_and_nested() {
    let mut block = b"\r\n\r\n\0\r\nQUIT\n\x21\x00\0\x26".to_vec();
    block.extend(b"\x01\0\x02h2\x02\0\x02\xff\xfe\xea\0\x02\x01v\x20\0\x11\x01\0\0\0\x01");
    block.extend(b"\x21\0\x07TLSv1.3\x2f\0\x00");
    block[15] = u8::try_from(block.len() - 16).unwrap();
    let ssl = 16 + 5 + 5 + 5 + 1;
    let length = u8::try_from(block.len() - ssl - 2).unwrap();
    block[ssl + 1] = length;
    assert_eq!(
        objects(&[&hex(&block)], b""),
        [json!({
            "outcome": "unknown", "version": 2, "consumed": block.len(),
            "tlvs": [
                {"type": "0x01", "name": "alpn", "value": "h2"},
                {"type": "0x02", "name": "authority", "value_hex": "fffe"},
                {"type": "0xea", "name": "aws", "value_hex": "0176"},
                {"type": "0x20", "name": "ssl", "client": 1, "verify": 1, "tlvs": [
                    {"type": "0x21", "name": "ssl_version", "value": "TLSv1.3"},
                    {"type": "0x2f", "value_hex": ""},
                ]},
            ],
        })]
    );
}

#[test]
fn text_is_for_people() {
    let output = proxy_header(&[BLOCK, "zz", "4548"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output),
        "proxied, version 2, consumed 28\n\
         \x20 source          192.0.2.1:56324\n\
         \x20 destination     198.51.100.2:25\n\
         \x20 transport       stream\n\
         malformed: not hexadecimal, at 0\n\
         failed: not a PROXY header: byte 0 is 0x45, at 0\n"
    );
}

#[test]
fn what_a_socket_is_named_cannot_break_a_line() {
    let mut block = b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8".to_vec();
    for name in [&b"/run/\n"[..], b"/run/b"] {
        block.extend(name.iter().copied().chain(std::iter::repeat(0)).take(108));
    }
    let found = objects(&[&hex(&block)], b"");
    assert_eq!(found[0]["source_hex"], "2f72756e2f0a");
    assert_eq!(found[0]["destination"], "/run/b");
}

#[test]
fn what_is_taken_can_be_chosen() {
    let mixed = hex(b"PROXY TCP6 ::1 192.0.2.1 1 2\r\n");
    let unknown = hex(b"PROXY UNKNOWN\r\n");
    for (arguments, header, outcome) in [
        (&[][..], &*mixed, "failed"),
        (&["--ipv4-in-tcp6"], &*mixed, "proxied"),
        (&[], &unknown, "unknown"),
        (&["--refuse-unknown"], &unknown, "failed"),
        (&["--datagram"], &BLOCK[..30], "failed"),
        (&["--datagram"], BLOCK, "proxied"),
        (&[], "0d0a0d0a000d0a515549540a21111000", "failed"),
        (&["--max-header", "5000"], "0d0a0d0a000d0a515549540a21111000", "incomplete"),
    ] {
        let found = objects(&[arguments, &[header]].concat(), b"");
        assert_eq!(found[0]["outcome"], outcome, "{arguments:?} {header}");
    }
}

#[test]
fn a_line_without_end_is_one_malformed_case() {
    let lines = [&b"00".repeat(150_000)[..], b"\n", BLOCK.as_bytes()].concat();
    let found = objects(&[], &lines);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["error"], "line too long");
    assert_eq!(found[1]["outcome"], "proxied");
}

#[test]
fn what_is_written_is_read_again() {
    let (source, destination) = ("192.0.2.1:56324", "198.51.100.2:25");
    let output = proxy_header(&["write", source, destination], b"");
    assert_eq!(text(&output), format!("{BLOCK}\n"));
    let output = proxy_header(&["write", "--v1", "--raw", source, destination], b"");
    assert_eq!(text(&output), "PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n");
    let output = proxy_header(&["write", "--local"], b"");
    assert_eq!(text(&output), "0d0a0d0a000d0a515549540a20000000\n");

    let ssl = ["--crc32c", "--ssl", "1,0", "--tlv", "ssl_version=TLSv1.3", "--tlv", "alpn=h2"];
    let arguments = [&["write", "[2001:db8::1]:1", "[::]:2"], &ssl[..], &["--pad-to", "99"]];
    let output = proxy_header(&arguments.concat(), b"");
    let found = objects(&[], text(&output).as_bytes());
    assert_eq!((&found[0]["outcome"], &found[0]["consumed"]), (&json!("proxied"), &json!(99)));
    let names: Vec<_> = found[0]["tlvs"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
    assert_eq!(names, ["crc32c", "alpn", "ssl", "noop"]);
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &["--no-such-switch"][..],
        &["write", "192.0.2.1:1"],
        &["write", "192.0.2.1:1", "[::1]:2"],
        &["write", "--tlv", "no_such=1"],
        &["write", "--pad-to", "17"],
    ] {
        let output = proxy_header(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}
