//! The messages of `dmarc_report` for missing inputs, unfinished days and unwritten reports.

use std::process::Output;

use rusqlite::Connection;
use time::OffsetDateTime;

use crate::dmarc_report::folder_with_rows;
use crate::program::{directory, output_of, text, tool};

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn make(folder: &str, more: &[&str]) -> Output {
    let folder = folder_with_rows(folder);
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (rows, zone, into) = (at("dmarc.sqlite"), at("zone"), at("out"));
    let arguments = ["make", &rows, "--submitter", "mx.test", "--zone", &zone, "--into", &into];
    output_of(tool("dmarc_report").args(arguments).args(more), b"")
}

#[test]
fn a_named_input_that_does_not_exist_is_a_wrong_argument() {
    for form in [&["--html"][..], &["--json"], &["--format", "csv"], &[]] {
        let arguments = [form, &["/no/such/folder"]].concat();
        let output = output_of(tool("dmarc_report").args(&arguments), b"");
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.starts_with("dmarc_report: /no/such/folder: No such file"), "{told}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn a_report_that_is_not_written_has_its_cause() {
    let output = make("unwritten", &["--day", "2026-11-26"]);
    let shown = text(&output);
    let cause = "b.example: 1 of 1 message passed\n  not written: the record names no destination for aggregate reports (rua)\n";
    assert!(shown.ends_with(cause), "{shown}");
    assert_eq!((shown.matches("not written").count(), &*told(&output)), (1, ""), "{shown}");
}

#[test]
fn a_day_that_is_not_over_or_has_no_message_is_told() {
    let output = make("no-message", &["--day", "2026-11-20"]);
    assert_eq!((output.status.code(), text(&output)), (Some(0), ""));
    assert!(
        told(&output).ends_with("dmarc.sqlite: no message of 2026-11-20: no report\n"),
        "{}",
        told(&output)
    );
    let today = OffsetDateTime::now_utc().date();
    for (day, is_over) in
        [(today, false), (today.next_day().unwrap(), false), (today.previous_day().unwrap(), true)]
    {
        let told = told(&make("unfinished", &["--day", &day.to_string()]));
        let warning = format!("dmarc_report: --day {day}: the day is not over in UTC");
        assert_eq!(told.starts_with(&warning), !is_over, "{told}");
    }
}

#[test]
fn another_database_is_told_as_such() {
    let folder = directory("other-database");
    for (version, cause) in [
        (0, "not the dmarc.sqlite of a gateway"),
        (7, "rows of version 7, but this program reads version 1"),
    ] {
        let file = folder.join(format!("{version}.sqlite"));
        let database = Connection::open(&file).unwrap();
        database
            .execute_batch(&format!("CREATE TABLE a (b); PRAGMA user_version = {version}"))
            .unwrap();
        let arguments = ["make", file.to_str().unwrap(), "--submitter", "mx.test"];
        let output =
            output_of(tool("dmarc_report").args(arguments).arg("--into").arg(&folder), b"");
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.starts_with(&format!("dmarc_report: {}: {cause}", file.display())), "{told}");
    }
}
