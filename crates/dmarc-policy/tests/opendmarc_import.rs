//! The history file, read by the program that is made to read it.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use dmarc_policy::{Author, DkimInput, Dmarc, History};
use mail_types::dns::{DnssecStatus, InquiryStep, RecordType, Zone};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/opendmarc");

/// The unpacked files of `OpenDMARC`; without them the test is skipped, or fails with `CI=true`.
fn unpacked() -> Option<PathBuf> {
    let folder = std::env::var_os("EXIMIA_OPENDMARC").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("usr/sbin/opendmarc-import").exists());
    if folder.is_none() {
        println!("SKIPPED: no opendmarc-import in EXIMIA_OPENDMARC: run scripts/test");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no opendmarc-import");
    }
    folder
}

fn history(job: &str, mail_from: &str, selector: &str) -> String {
    let mut zone = Zone::default();
    let text = "v=DMARC1; p=reject; sp=none; adkim=s; rua=mailto:d@example.com";
    let name = "_dmarc.example.com".parse().unwrap();
    zone.add(name, RecordType::Txt, text, DnssecStatus::default()).unwrap();
    let (result, identity) = (AuthResult::Fail, SpfIdentity::MailFrom);
    let spf = SpfInput { result, identity, domain: "bad.example".parse().unwrap() };
    let domain = "example.com".parse().unwrap();
    let dkim = vec![DkimInput { result, domain, selector: selector.to_owned() }];
    let author = Author::from_fields([&b"a@example.com"[..]]);
    let dmarc = Dmarc::new(author).with_spf(&spf).with_dkim(&dkim);
    let mut session = dmarc.session();
    let verdict = loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                let answer = zone.answer(&question);
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => break verdict,
        }
    };
    let source = "192.0.2.1".parse().unwrap();
    let entry = History::new(&verdict, job, "mx.example.net", 1_795_382_988, source, mail_from);
    entry.unwrap().with_spf(&spf).with_dkim(&dkim).to_string()
}

#[test]
fn opendmarc_import_takes_each_message_once_and_as_it_is() {
    let Some(folder) = unpacked() else { return };
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("history");
    let entries =
        [history("1xY-0001", "bad.example", "s1"), history("1\njob 2", "", "s1 0\r\naction 2")];
    fs::write(&file, entries.concat()).unwrap();
    let output = Command::new("perl")
        .args(["-I", STAND_IN, "-I"])
        .arg(folder.join("usr/share/perl5"))
        .arg(folder.join("usr/sbin/opendmarc-import"))
        .stdin(File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "it warns of nothing");
    assert!(output.status.success());
    // Received, job, reporter, policy, action, addresses and domains, SPF, alignments, signatures.
    let message = |job: &str| {
        format!(
            "INSERT INTO messages: <1795382988> <{job}> <7> <16> <0> <7> <7> <7> <7> <7> <5> <5> <1> <1> <1>\n\
             INSERT INTO signatures: <7> <7> <7> <7> <0>\n\
             UPDATE requests: <mailto:d@example.com> <7>\n\
             UPDATE requests: <115> <114> <114> <110> <100> <7>\n"
        )
    };
    let expected = [message("1xY-0001"), message("1?job?2")].concat();
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
