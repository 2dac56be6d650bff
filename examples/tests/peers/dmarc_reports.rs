//! Reports about messages: rows for aggregate reports, and failure reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use super::dmarc::{plain, signed, with_gateway};
use super::gateway::Gateway;
use super::servers::{have, output_of, text};

#[test]
fn what_was_seen_becomes_reports_that_the_schema_takes() {
    let history = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dmarc-history");
    let _ = fs::remove_file(&history);
    let options = format!("dmarc_history_file = \"{}\"", history.display());
    with_gateway(&options, |mut gateway, send, _| {
        for _ in 0..2 {
            let message = signed("a@signed.test", "signed");
            assert!(send.send(&gateway, "b@signed.test", &message).0);
        }
        assert!(send.send(&gateway, "a@host.test", &plain("a@signed.test", "forged")).0);
        assert!(send.send(&gateway, "a@host.test", &plain("a@softfail.test", "soft")).0);
        assert!(send.send(&gateway, "a@host.test", &plain("a@host.test", "no record")).0);
        let rows = gateway.folder().join("spool/dmarc.sqlite");
        gateway.wait_for("four rows", |_| (count(&rows) == 4).then_some(()));
        let history = fs::read_to_string(&history).unwrap();
        assert_eq!(history.matches("job ").count(), 4, "{history}");
        assert!(history.contains("\ndkim signed.test s 0\npdomain signed.test\n"), "{history}");

        // As the name server has it.
        let zone = gateway.folder().join("zone");
        fs::write(&zone, "signed.test._report._dmarc.reports.test TXT \"v=DMARC1\"\n").unwrap();
        let into = gateway.folder().join("reports");
        let mut command = Command::new(tool("dmarc_report"));
        command.args(["make", "--submitter", "gateway.test", "--day", &today(), "--zone"]);
        command.arg(&zone).arg("--into").arg(&into).arg(&rows);
        let output = output_of(&mut command, b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let told = text(&output.stdout);
        for line in [
            "signed.test: 2 of 3 messages passed",
            "  mailto:dmarc@signed.test: inside",
            "  mailto:dmarc@reports.test: given",
            "  mailto:dmarc@mx.test: refused",
            "softfail.test: 0 of 1 message passed",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        let files: Vec<_> = fs::read_dir(&into).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 2, "{told}");
        for file in &files {
            lint(file);
        }
    });
}

/// The rule that permits failure reports.
const WITH_REPORTS: &str = "
    [[acl_smtp_rcpt]]
    verb = 'warn'
    control = 'dmarc_forensic_enable'";

#[test]
fn a_failure_is_reported_to_whom_the_record_names() {
    with_gateway(
        &format!("dmarc_forensic_sender = \"dmarc@gateway.test\"\n{WITH_REPORTS}"),
        |mut gateway, send, _| {
            // Nobody wants one of these: no ruf, a pass, and a null path.
            assert!(send.send(&gateway, "a@host.test", &plain("a@softfail.test", "soft")).0);
            assert!(send.send(&gateway, "<>", &plain("a@signed.test", "bounce")).0);
            assert!(send.send(&gateway, "a@host.test", &plain("a@signed.test", "forged")).0);
            let mail = gateway.wait_for("a mail", |gateway| outbox(gateway).pop());
            for line in [
                "From: <dmarc@gateway.test>\r\nTo: <ruf@signed.test>\r\n",
                "\r\nAuth-Failure: dmarc\r\n",
                "\r\nIdentity-Alignment: dkim, spf\r\n",
                "\r\nReported-Domain: signed.test\r\n",
                "\r\nSource-IP: 127.0.0.2\r\n",
                "\r\nDelivery-Result: policy\r\n",
                "\r\nSubject: forged\r\n",
            ] {
                assert!(mail.contains(line), "{line}: {mail}");
            }
            assert_eq!(outbox(&gateway).len(), 1);
        },
    );
}

/// Ten reports an hour go to a destination, and a client causes few lines about the others.
#[test]
fn omitted_reports_do_not_fill_the_log() {
    with_gateway(WITH_REPORTS, |mut gateway, send, _| {
        for _ in 0..25 {
            assert!(send.send(&gateway, "a@host.test", &plain("a@signed.test", "forged")).0);
        }
        gateway.wait_for("ten lines", |gateway| {
            let told = |gateway: &Gateway| gateway.log().matches("omitted: rate limit").count();
            (told(gateway) >= 10 && outbox(gateway).len() == 10).then_some(())
        });
        let rows = gateway.folder().join("spool/dmarc.sqlite");
        gateway.wait_for("rows", |_| (count(&rows) == 25).then_some(()));
        let lines = gateway.log().matches("failure report to <ruf@signed.test> omitted").count();
        assert_eq!(lines, 10);
    });
}

/// Without a control nobody is written to, whatever the record wants.
#[test]
fn no_failure_is_reported_without_a_rule() {
    with_gateway("", |mut gateway, send, _| {
        assert!(send.send(&gateway, "a@host.test", &plain("a@signed.test", "forged")).0);
        let rows = gateway.folder().join("spool/dmarc.sqlite");
        gateway.wait_for("a row", |_| (count(&rows) == 1).then_some(()));
        assert!(outbox(&gateway).is_empty());
    });
}

fn count(rows: &Path) -> i64 {
    let Ok(file) = Connection::open(rows) else { return 0 };
    file.query_row("SELECT count(*) FROM dmarc", [], |line| line.get(0)).unwrap_or_default()
}

fn outbox(gateway: &Gateway) -> Vec<String> {
    let Ok(files) = fs::read_dir(gateway.folder().join("spool/outbox/new")) else {
        return Vec::new();
    };
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// A program that Cargo builds beside the tests.
fn tool(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

/// The day by this machine's clock, in UTC.
fn today() -> String {
    let output = output_of(Command::new("date").args(["-u", "+%F"]), b"");
    text(&output.stdout).trim().to_owned()
}

/// Holds a compressed report to the schema of RFC 9990.
fn lint(file: &Path) {
    if !have(&["xmllint"]) {
        return;
    }
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dmarc-policy/tests/data");
    let schema = format!("{data}/dmarc-xml-0.2.xsd");
    let xml = output_of(Command::new("gzip").arg("-dc").arg(file), b"").stdout;
    let mut command = Command::new("xmllint");
    let output = output_of(command.args(["--noout", "--nonet", "--schema", &schema, "-"]), &xml);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
