//! Reports about messages, for which no mail waits.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use dmarc_policy::{DiscoveryMethod, FeedbackRow, OverrideKind, RowDisposition};
use rusqlite::Connection;

use super::rules_dmarc::examined;
use super::scratch::Scratch;
use crate::cases::dmarc_rows::Row;
use crate::gateway::config::Config;
use crate::gateway::reports::reporter::ReportEntry;
use crate::gateway::reports::settings::ReportSettings;
use crate::gateway::reports::{Account, Reporter};

fn settings(root: &Path) -> ReportSettings {
    ReportSettings {
        rows: Some(root.join("dmarc.sqlite")),
        keep: Duration::from_hours(24),
        history_file: Some(root.join("history")),
        outbox: root.join("outbox"),
        forensic_sender: "do-not-reply@mx.example".parse().unwrap(),
    }
}

fn account(record: &str, aligned: bool) -> Account {
    Account {
        examined: examined(record, aligned),
        client: "192.0.2.1:5555".parse().unwrap(),
        sender: "<ann@a.example>".parse().unwrap(),
        received: SystemTime::now(),
        id: None,
        rejected: false,
        quarantined: false,
    }
}

fn row(source: &str, received: u64) -> ReportEntry {
    let feedback = FeedbackRow::new(source.parse().unwrap(), "a.example");
    let (policy_domain, record) = ("a.example".into(), "v=DMARC1; p=none".into());
    let discovery = DiscoveryMethod::TreeWalk;
    ReportEntry::Row(Box::new(Row { received, policy_domain, record, discovery, feedback }))
}

fn count(root: &Path) -> i64 {
    let file = Connection::open(root.join("dmarc.sqlite")).unwrap();
    file.query_row("SELECT count(*) FROM dmarc", [], |line| line.get(0)).unwrap_or_default()
}

/// A second of today.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn what_was_done_is_what_the_row_says() {
    use RowDisposition::{None, Pass, Quarantine, Reject};
    let rows = [
        ("p=reject", true, false, false, Some((Pass, ""))),
        ("p=reject", false, false, true, Some((Quarantine, "local_policy"))),
        ("p=reject", false, true, false, Some((Reject, ""))),
        ("p=reject; t=y", false, false, true, Some((Quarantine, "policy_test_mode"))),
        ("p=quarantine", false, false, true, Some((Quarantine, ""))),
        ("p=none", false, false, false, Some((None, ""))),
        ("p=none", false, true, false, Some((Reject, "local_policy"))),
        ("", false, false, false, Option::None),
    ];
    for (record, aligned, rejected, quarantined, expected) in rows {
        let account = Account { rejected, quarantined, ..account(record, aligned) };
        let row = account.row(DiscoveryMethod::TreeWalk);
        let found = row.as_ref().map(|row| {
            let reasons = row.feedback.reasons.iter().map(|reason| reason.kind.as_str());
            (row.feedback.disposition, reasons.collect::<Vec<_>>().join(" "))
        });
        let expected = expected.map(|(disposition, reason)| (Some(disposition), reason.to_owned()));
        assert_eq!(found, expected, "{record}");
        if let Some(row) = row {
            assert_eq!(row.policy_domain, "a.example");
            assert_eq!(row.feedback.envelope_from.as_deref(), Some("a.example"));
        }
    }
}

/// The reason of a rule takes the place of ours where it is the cause of the disposition.
#[test]
fn a_row_has_the_reason_of_a_rule() {
    use OverrideKind::{LocalPolicy, MailingList, TrustedForwarder};
    let rows = [
        ("p=reject", false, false, false, TrustedForwarder, "trusted_forwarder"),
        ("p=quarantine", false, false, false, MailingList, "mailing_list"),
        ("p=reject", false, false, false, LocalPolicy, "local_policy"),
        ("p=reject; t=y", false, false, false, MailingList, "mailing_list"),
        // The message passes, nothing is requested, or another rule has decided.
        ("p=reject", true, false, false, TrustedForwarder, ""),
        ("p=none", false, false, false, TrustedForwarder, ""),
        ("p=quarantine", false, true, false, TrustedForwarder, "local_policy"),
        ("p=reject", false, false, true, TrustedForwarder, "local_policy"),
    ];
    for (record, aligned, rejected, quarantined, reason, expected) in rows {
        let mut account = Account { rejected, quarantined, ..account(record, aligned) };
        account.examined.overridden = Some(reason);
        let row = account.row(DiscoveryMethod::TreeWalk).unwrap();
        let reasons = row.feedback.reasons.iter().map(|reason| reason.kind.as_str());
        assert_eq!(reasons.collect::<Vec<_>>().join(" "), expected, "{record} {reason:?}");
    }
}

#[test]
fn rows_and_history_are_written_and_old_rows_go() {
    let scratch = Scratch::new();
    let root = scratch.path();
    let mut reporter = Reporter::start(settings(root), "mx.example").unwrap();
    assert!(!root.join("dmarc.sqlite").exists(), "nothing is made before it is needed");
    let quarantined = Account { quarantined: true, ..account("p=reject", false) };
    for account in [account("p=reject", true), quarantined, account("", false)] {
        reporter.tell(&account, "mx.example", DiscoveryMethod::TreeWalk);
    }
    reporter.put(row("192.0.2.7", now() - 2 * 86_400));
    reporter.close();
    // That of a domain without a record is not told, and one is older than a day.
    assert_eq!(count(root), 2);
    let file = Connection::open(root.join("dmarc.sqlite")).unwrap();
    let told: String = file
        .query_row(
            "SELECT signatures || reasons || spf_result FROM dmarc WHERE dkim = 0",
            [],
            |l| l.get(0),
        )
        .unwrap();
    assert_eq!(told, r#"[["b.test","s","pass"]]local_policyfail"#);
    let history = fs::read_to_string(root.join("history")).unwrap();
    assert_eq!(history.matches("job ").count(), 2);
    assert!(history.contains("\npdomain a.example\npolicy 16\n"), "{history}");
}

/// Rows are in the file that is there, and not in one that was taken away.
#[test]
fn a_file_that_is_taken_away_is_made_again() {
    let scratch = Scratch::new();
    let root = scratch.path();
    let mut reporter = Reporter::start(settings(root), "mx.example").unwrap();
    let file = root.join("dmarc.sqlite");
    reporter.put(row("192.0.2.7", now()));
    let written = || Connection::open(&file).is_ok_and(|_| file.exists()) && count(root) == 1;
    while !file.exists() || !written() {
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::rename(&file, root.join("away")).unwrap();
    reporter.put(row("192.0.2.8", now()));
    reporter.put(row("192.0.2.9", now()));
    reporter.close();
    assert_eq!(count(root), 2);
}

#[test]
fn a_full_queue_and_a_broken_disk_lose_rows_and_keep_nobody_waiting() {
    let scratch = Scratch::new();
    let root = scratch.path();
    let mut reporter = Reporter::with_room(settings(root), "mx.example", 5).unwrap();
    reporter.put(row("192.0.2.1", now()));
    let until = Instant::now() + Duration::from_secs(10);
    while !root.join("dmarc.sqlite").exists() || count(root) == 0 {
        assert!(Instant::now() < until, "the first row is not written");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Somebody else has the file: the next row is written when it is given back.
    let other = Connection::open(root.join("dmarc.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    reporter.put(row("192.0.2.2", now()));
    std::thread::sleep(Duration::from_secs(1));
    let start = Instant::now();
    for _ in 0..100 {
        reporter.put(row("192.0.2.3", now()));
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    other.execute_batch("COMMIT").unwrap();
    reporter.close();
    assert_eq!(count(root), 7);

    fs::create_dir(root.join("broken")).unwrap();
    let rows = Some(root.join("broken"));
    let broken = ReportSettings { rows, ..settings(root) };
    let mut reporter = Reporter::start(broken, "mx.example").unwrap();
    reporter.put(row("192.0.2.1", now()));
    reporter.put(ReportEntry::History("job 1\n".into()));
    reporter.close();
    assert_eq!(fs::read_to_string(root.join("history")).unwrap(), "job 1\n");
}

#[test]
fn a_file_of_another_version_is_left_alone() {
    let scratch = Scratch::new();
    let root = scratch.path();
    let file = Connection::open(root.join("dmarc.sqlite")).unwrap();
    file.execute_batch("CREATE TABLE dmarc (x); PRAGMA user_version = 2").unwrap();
    drop(file);
    let mut reporter = Reporter::start(settings(root), "mx.example").unwrap();
    reporter.put(row("192.0.2.1", now()));
    reporter.close();
    assert_eq!(count(root), 0);
}

#[test]
fn a_mail_lies_whole_in_the_outbox() {
    let scratch = Scratch::new();
    let root = scratch.path();
    let mut reporter = Reporter::start(settings(root), "mx.example").unwrap();
    reporter.put(ReportEntry::Mail(b"Subject: x\r\n\r\n".to_vec()));
    reporter.close();
    let files: Vec<_> = fs::read_dir(root.join("outbox/new")).unwrap().collect();
    assert_eq!(files.len(), 1);
    let path = files.into_iter().next().unwrap().unwrap().path();
    assert_eq!(fs::read(path).unwrap(), b"Subject: x\r\n\r\n");
}

#[test]
fn the_options_are_checked() {
    let config = Config::parse("primary_hostname = 'mx.test'\nspool_directory = '/s'").unwrap();
    assert_eq!(config.server.startup.reports.rows.unwrap(), Path::new("/s/dmarc.sqlite"));
    assert_eq!(config.server.startup.reports.forensic_sender.to_string(), "do-not-reply@mx.test");
    assert_eq!(config.server.startup.reports.history_file, None);
    let config = Config::parse("dmarc_report_keep = 0\ndmarc_history_file = '/h'").unwrap();
    assert_eq!(config.server.startup.reports.rows, None);
    assert_eq!(config.server.startup.reports.history_file.unwrap(), Path::new("/h"));
    let error = Config::parse("dmarc_forensic_sender = 'nobody'").unwrap_err().to_string();
    assert_eq!(error, "line 1: dmarc_forensic_sender: not a mail address");
}
