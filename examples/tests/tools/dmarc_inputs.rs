//! The tool `dmarc_report`: the forms in which reports arrive.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};
use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

/// A report of three messages of example.com, by google.example on 2026-11-21.
pub(crate) fn report() -> Vec<u8> {
    let path = "../crates/dmarc-policy/tests/data/feedback-google.xml";
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

pub(crate) fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// An archive of these entries.
pub(crate) fn zip(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut octets);
    for (name, content) in entries {
        let (mut entry, config) =
            archive.new_file(name).compression_method(method).start().unwrap();
        let descriptor = if method == CompressionMethod::STORE {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content).unwrap();
            writer.finish().unwrap().1
        } else {
            let encoder = DeflateEncoder::new(&mut entry, Compression::default());
            let mut writer = config.wrap(encoder);
            writer.write_all(content).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    octets
}

/// A message with an attachment of a type that says nothing.
pub(crate) fn mail(name: &str, content: &[u8]) -> Vec<u8> {
    let body = BASE64.encode(content);
    let lines: Vec<_> =
        body.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
    format!(
        "Received: from a.example\r\nSubject: Report Domain: example.com\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\n\
         Content-Type: text/html\r\n\r\n<p>A report: see it.</p>\r\n--cut\r\n\
         Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n--cut--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

/// A message that forwards another one.
fn forward(cut: &str, message: &[u8]) -> Vec<u8> {
    let head = format!(
        "Subject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary={cut}\r\n\r\n\
         --{cut}\r\nContent-Type: message/rfc822\r\n\r\n"
    );
    [head.as_bytes(), message, format!("\r\n--{cut}--\r\n").as_bytes()].concat()
}

/// What the tool finds in an input: the number of messages, and the place.
fn found(input: &[u8]) -> Vec<(Value, Value)> {
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), input));
    lines.into_iter().map(|mut line| (line["messages"].take(), line["within"].take())).collect()
}

#[test]
fn a_report_is_found_by_its_octets_wherever_it_is() {
    let (xml, deflate) = (report(), CompressionMethod::DEFLATE);
    let zipped = zip(&[("a/", b""), ("a/r.xml", &xml), ("readme.txt", b"hello")], deflate);
    let mut spaced = b"\xef\xbb\xbf \r\n".to_vec();
    spaced.extend_from_slice(&xml);
    let eml = mail("r.xml.gz", &gzip(&xml));
    let nested = forward("outer", &forward("inner", &eml));
    for (input, within) in [
        (xml.clone(), ""),
        (spaced, ""),
        (gzip(&xml), ""),
        (zipped.clone(), "a/r.xml"),
        (zip(&[("r.xml", &xml)], CompressionMethod::STORE), "r.xml"),
        (zip(&[("r.gz", &gzip(&xml))], deflate), "r.gz"),
        (eml.clone(), "r.xml.gz"),
        (mail("r.dat", &xml), "r.dat"),
        (mail("r.zip", &zipped), "r.zip, a/r.xml"),
        (nested, "part 2, part 2, r.xml.gz"),
        (mail("forwarded.eml", &eml), "forwarded.eml, r.xml.gz"),
    ] {
        let within = if within.is_empty() { Value::Null } else { json!(within) };
        assert_eq!(found(&input), [(json!(3), within)]);
    }
}

#[test]
fn a_mailbox_has_many_messages() {
    let mut mbox = Vec::new();
    for (at, id) in [(1, "id-1"), (2, "id-2")] {
        let xml = String::from_utf8(report()).unwrap().replace("11223344556677889900", id);
        mbox.extend(format!("From MAILER-DAEMON Thu Nov 26 00:00:0{at} 2026\n").into_bytes());
        let plain = format!("Subject: {id}\nContent-Type: text/xml\n\n{xml}\n>From us\n");
        mbox.extend(if at == 1 { mail("r.gz", &gzip(xml.as_bytes())) } else { plain.into_bytes() });
        mbox.extend(b"\n");
        mbox.extend(b"From x Thu Nov 26 00:00:09 2026\nSubject: no report\n\nFrom: us\n\n");
    }
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), &mbox));
    let ids: Vec<_> = lines.iter().map(|line| &line["report_id"]).collect();
    assert_eq!(ids, ["id-1", "id-2"]);
    assert_eq!(lines[1]["file"], "message 3");
    let folder = directory("dmarc_report-mbox");
    fs::write(folder.join("box"), &mbox).unwrap();
    let lines =
        json_lines(&output_of(tool("dmarc_report").arg("--json").arg(folder.join("box")), b""));
    let files: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert!(files[0].ends_with("/box, message 1") && files[1].ends_with("/box, message 3"));
    // The last messages count as inputs without a report.
    let view = merged(&folder, &[]);
    assert_eq!((&view["reports"], &view["without_report"]), (&json!(2), &json!(2)));
}

/// The merged view of a folder.
fn merged(folder: &Path, more: &[&str]) -> Value {
    let mut program = tool("dmarc_report");
    let output = output_of(program.args(["--format", "json"]).args(more).arg(folder), b"");
    json_lines(&output).remove(0)
}

#[test]
fn a_maildir_and_its_folders_are_read_without_unfinished_messages() {
    let folder = directory("dmarc_report-maildir");
    let with_id = |id: &str| {
        let xml = String::from_utf8(report()).unwrap().replace("11223344556677889900", id);
        mail("r.xml.gz", &gzip(xml.as_bytes()))
    };
    for name in ["cur", "new", "tmp", ".Archive/cur", ".Archive/new", ".Archive/tmp"] {
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("1.host"), with_id(name)).unwrap();
    }
    fs::write(folder.join("cur/2.host:2,S"), with_id("cur")).unwrap();
    fs::write(folder.join("new/3.host"), "Subject: hello\n\nNothing.\n").unwrap();
    fs::write(folder.join("new/4.host"), mail("r.xml.gz", &gzip(&report())[..30])).unwrap();
    fs::write(folder.join("dovecot-uidlist"), "3 V1\n").unwrap();
    let view = merged(&folder, &[]);
    assert_eq!(view["reports"], 4, "{view}");
    assert_eq!(view["messages"], 12);
    assert_eq!((&view["repeated"], &view["without_report"]), (&json!(1), &json!(2)));
    // The broken one is told by its name.
    let unread = view["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 1, "{view}");
    let file = unread[0]["file"].as_str().unwrap();
    assert!(file.ends_with("/new/4.host, r.xml.gz"), "{file}");
}

#[test]
fn what_has_no_report_is_told_if_it_was_named_and_strict_fails() {
    let folder = directory("dmarc_report-strict");
    let file = folder.join("hello.eml");
    fs::write(&file, "Subject: hello\n\nNothing.\n").unwrap();
    let run = |arguments: &[&str], path: &Path| {
        output_of(tool("dmarc_report").args(arguments).arg(path), b"")
    };
    let output = run(&["--json"], &file);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("\"error\":\"no DMARC report in it\""), "{}", text(&output));
    assert_eq!(run(&["--strict"], &file).status.code(), Some(1));
    assert_eq!(run(&["--strict"], &folder).status.code(), Some(0));
    let output = run(&["--format", "csv"], &file);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, format!("dmarc_report: {}: no DMARC report in it\n", file.display()));
}

#[test]
fn a_damaged_or_encrypted_archive_is_told_and_its_other_entries_are_read() {
    let xml = report();
    let mut archive = zip(&[("bad.xml", &xml), ("good.xml", &xml)], CompressionMethod::STORE);
    let at = archive.windows(7).position(|window| window == b"<count>").unwrap();
    archive[at + 7] = b'9';
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), &archive));
    assert!(lines[0]["error"].as_str().unwrap().starts_with("invalid zip archive: "), "{lines:?}");
    assert_eq!((&lines[0]["within"], &lines[1]["messages"]), (&json!("bad.xml"), &json!(3)));
    let mut encrypted = zip(&[("r.xml", &xml)], CompressionMethod::DEFLATE);
    let central = encrypted.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    encrypted[central + 8] |= 1;
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), &encrypted));
    assert!(lines[0]["error"].as_str().unwrap().starts_with("unsupported entry of a zip archive"));
}
