//! The tool `dmarc_report`: its output.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use dmarc_policy::{DiscoveryMethod, FeedbackRow, SignatureRow, SpfRow};
use examples::cases::dmarc_rows;
use examples::gateway::reports::rows;
use mail_types::results::AuthResult;
use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dmarc-policy/tests/data");

/// The output of the tool.
fn dmarc_report(arguments: &[&str], input: &[u8]) -> Output {
    output_of(tool("dmarc_report").args(arguments), input)
}

/// The objects that it writes with `--json`.
fn objects(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    json_lines(&dmarc_report(&[&["--json"], arguments].concat(), input))
}

fn data(name: &str) -> String {
    format!("{DATA}/{name}")
}

/// The records before that place are there; what the domain has published is not.
#[test]
fn a_report_that_breaks_off_before_its_policy_is_shown() {
    let whole = fs::read_to_string(data("feedback-google.xml")).unwrap();
    let (begin, end) = ("<policy_published>", "</policy_published>");
    let (begin, end) = (whole.find(begin).unwrap(), whole.find(end).unwrap() + end.len());
    let cut = whole.rfind("</record>").unwrap();
    let cut = whole[..begin].to_owned() + &whole[end..cut];
    let found = objects(&[], cut.as_bytes()).remove(0);
    assert_eq!((&found["domain"], &found["policy"]["p"]), (&Value::Null, &Value::Null), "{found}");
    assert_eq!(found["rows"].as_array().unwrap().len(), 1, "{found}");
    let odd: Vec<_> =
        found["deviations"].as_array().unwrap().iter().map(|odd| &odd["what"]).collect();
    let breaks_off = "the report breaks off here; later records are lost";
    assert_eq!(odd, [breaks_off, "missing element policy_published"], "{found}");
    let output = dmarc_report(&[], cut.as_bytes());
    assert!(text(&output).starts_with("- by google.example, "), "{}", text(&output));
    let output = dmarc_report(&["--html"], cut.as_bytes());
    assert!(text(&output).contains("<h2>-</h2>"), "{}", text(&output));
}

#[test]
fn a_table_for_people() {
    let output = dmarc_report(&[], &fs::read(data("feedback-google.xml.gz")).unwrap());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output),
        "example.com by google.example, 2026-11-21T00:00:00Z to 2026-11-21T23:59:59Z\n  \
         policy p=quarantine; sp=quarantine; np=quarantine; adkim=r; aspf=r; pct=50\n  \
         2 of 3 messages passed\n  \
         source              count dkim spf  disposition from\n  \
         198.51.100.7            2 pass fail none        example.com\n  \
         2001:db8:4860::1        1 fail fail none        example.com, sampled_out\n"
    );
}

#[test]
fn one_object_for_each_report() {
    let (gmx, sloppy) = (data("feedback-gmx.xml"), data("feedback-sloppy.xml"));
    let schema = data("dmarc-xml-0.2.xsd");
    let found = objects(&[&gmx, &schema, &sloppy], b"");
    assert_eq!(found.len(), 3);
    assert_eq!(
        found.first(),
        Some(&json!({
            "file": gmx, "domain": "example.com", "org_name": "GMX Example",
            "email": "noreply-dmarc@gmx.example", "report_id": "d0c0ffee",
            "begin": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z",
            "policy": {"p": "none", "sp": "none", "adkim": "r", "aspf": "s", "pct": 100},
            "messages": 3, "passed": 3, "deviations": [],
            "rows": [{
                "source": "198.51.100.200", "count": 3, "disposition": "none", "dkim": true,
                "spf": true, "header_from": "example.com",
                "signatures": [{"domain": "example.com", "selector": "k", "result": "pass"}],
                "spf_result": {"domain": "example.com", "scope": "mfrom", "result": "pass"},
            }],
        }))
    );
    let failed = json!({
        "file": schema, "error": "root element is not feedback, at byte 22", "at": 22,
    });
    assert_eq!(found.get(1), Some(&failed));
    let deviations = found.get(2).unwrap()["deviations"].as_array().unwrap();
    assert_eq!(deviations.len(), 17);
    assert_eq!(deviations.first().unwrap()["what"], "missing element policy_evaluated");
}

#[test]
fn a_page_that_needs_nothing_but_itself_and_in_which_nothing_runs() {
    let hostile = fs::read_to_string(data("feedback-google.xml")).unwrap();
    let script = "&lt;script&gt;alert(\"1\")&lt;/script&gt;&lt;img src='x'&gt;";
    let hostile = hostile.replace("google.example", script).replace("example.com", script);
    let output = dmarc_report(&["--html"], hostile.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("<svg ") && page.contains("2026-11-21: 2 passed, 1 failed"));
    assert!(
        page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&lt;img src=&#39;x&#39;")
    );
    for absent in ["<script", "<img", "http://", "https://", "url(", "<link"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let failed = dmarc_report(&["--html"], b"<p>&amp;");
    assert!(
        text(&failed)
            .contains("<span class=\"note\">root element is not feedback, at byte 0</span>")
    );
}

#[test]
fn a_page_is_well_formed() {
    let Ok(lint) = Command::new("xmllint").arg("--version").output() else {
        println!("SKIPPED: there is no xmllint (Debian: libxml2-utils)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no xmllint");
        return;
    };
    assert!(lint.status.success());
    let google = data("feedback-google.xml");
    let page = dmarc_report(&["--html", &google, &data("feedback-rfc9990.xml")], b"");
    let body = text(&page).split_once("<body>").unwrap().1;
    let body = format!("<body>{}", body.replace("</html>", ""));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dmarc_report.xml");
    fs::write(&file, body).unwrap();
    let output = Command::new("xmllint").arg("--noout").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_file_that_cannot_be_read_is_one_entry() {
    let google = data("feedback-google.xml");
    let other = data("cases.json");
    let folder = directory("report-unreadable");
    let empty = folder.join("empty").to_str().unwrap().to_owned();
    fs::write(&empty, "").unwrap();
    let files = [&*empty, &google, &other, &google];
    let found = objects(&files, b"");
    let shown: Vec<_> = found.iter().map(|one| (&one["file"], one["messages"].as_u64())).collect();
    assert_eq!(shown.len(), 4);
    for ((file, messages), (given, expected)) in
        shown.into_iter().zip(files.into_iter().zip([None, Some(3), None, Some(3)]))
    {
        assert_eq!((file.as_str().unwrap(), messages), (given, expected));
    }
    assert!(found[0]["error"].is_string(), "{found:?}");
    assert_eq!((&found[1]["repeated"], &found[3]["repeated"]), (&Value::Null, &json!(true)));
    let output = dmarc_report(&[&["--html"], &files[..]].concat(), b"");
    let page = text(&output);
    assert!(page.contains(&format!("<li>{empty}: ")) && page.ends_with("</html>\n"));
    assert!(
        page.contains("<dt>messages</dt><dd class=\"\" data-name=\"messages\">3</dd>"),
        "{page}"
    );
}

#[test]
fn what_is_not_given_is_null() {
    let google = fs::read_to_string(data("feedback-google.xml")).unwrap();
    let input =
        google.replace("<disposition>none</disposition>", "").replace("<dkim>fail</dkim>", "");
    let input = input.replace("<p>quarantine</p>", "").replacen("<result>pass</result>", "", 1);
    let found = objects(&[], input.as_bytes()).remove(0);
    assert_eq!(found["policy"]["p"], Value::Null);
    assert_eq!(found["rows"][0]["disposition"], Value::Null);
    assert_eq!(
        (&found["rows"][0]["dkim"], &found["rows"][0]["spf"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(found["rows"][1]["dkim"], Value::Null);
    assert_eq!(found["rows"][0]["signatures"][0]["result"], Value::Null);
    assert!(text(&dmarc_report(&[], input.as_bytes())).contains("  policy p=-; "));
}

#[test]
fn the_limits_are_the_users_to_set() {
    let google = data("feedback-google.xml");
    let found = objects(&["--max-records", "2", &google], b"");
    assert_eq!(found.first().unwrap()["messages"], 3);
    let found = objects(&["--max-records", "1", &google], b"");
    assert!(
        found.first().unwrap()["error"]
            .as_str()
            .unwrap()
            .starts_with("DMARC report has more than 1 records")
    );
    let octets = fs::metadata(&google).unwrap().len();
    let found = objects(&["--max-xml", &octets.to_string(), &google], b"");
    assert_eq!(found.first().unwrap()["messages"], 3);
    let found = objects(&["--max-xml", &(octets - 1).to_string(), &google], b"");
    let expected = format!("DMARC report larger than {} octets", octets - 1);
    assert_eq!(found.first().unwrap()["error"], expected);
}

#[test]
fn wrong_usage_is_told() {
    for arguments in [&["--json", "--html"][..], &["--no-such"]] {
        let output = dmarc_report(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

/// Midnight of 2026-11-26, UTC, by `date -u -d 2026-11-26 +%s`.
const DAY: u64 = 1_795_651_200;

/// A file of rows in a folder of its own: of two domains on the day, one of which has changed its
/// record, and of the days around it.
pub(crate) fn folder_with_rows(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dmarc_report-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let rua = "v=DMARC1; p=reject; rua=mailto:d@a.example,mailto:d@reports.test,mailto:d@mx.test";
    let row = |received, domain: &str, record: &str, source: &str| {
        let mut feedback = FeedbackRow::new(source.parse().unwrap(), domain);
        feedback.envelope_from = Some(String::new());
        feedback.signatures.push(SignatureRow::new(domain, "s1", AuthResult::Pass));
        feedback.spf_result = Some(SpfRow::new(domain, AuthResult::SoftFail));
        feedback.dkim = Some(true);
        let (policy_domain, record) = (domain.to_owned(), record.to_owned());
        let discovery = DiscoveryMethod::TreeWalk;
        dmarc_rows::Row { received, policy_domain, record, discovery, feedback }
    };
    let silent = "v=DMARC1; p=none";
    rows::Rows::create(&folder.join("dmarc.sqlite"))
        .unwrap()
        .add(&[
            row(DAY - 1, "a.example", rua, "192.0.2.9"),
            row(DAY, "a.example", rua, "192.0.2.1"),
            row(DAY + 7, "b.example", silent, "192.0.2.1"),
            row(DAY + 86_399, "a.example", rua, "192.0.2.1"),
            row(DAY + 9, "a.example", rua, "2001:db8::1"),
            row(DAY + 10, "a.example", "v=DMARC1; p=none; rua=mailto:d@a.example", "192.0.2.1"),
            row(DAY + 86_400, "a.example", rua, "192.0.2.9"),
        ])
        .unwrap();
    let zone = "a.example._report._dmarc.reports.test TXT \"v=DMARC1\"\n";
    fs::write(folder.join("zone"), zone).unwrap();
    folder
}

fn make(folder: &Path, more: &[&str]) -> (Vec<Value>, Vec<String>) {
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (rows, zone, into) = (at("dmarc.sqlite"), at("zone"), at("out"));
    let day: &[&str] = if more.contains(&"--day") { &[] } else { &["--day", "2026-11-26"] };
    let common = [&["make", &rows, "--json", "--submitter", "mx.test"][..], day].concat();
    let arguments = [&common[..], &["--zone", &zone, "--into", &into], more].concat();
    let output = dmarc_report(&arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let made = text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files = fs::read_dir(&into).unwrap();
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    (made, files)
}

#[test]
fn a_day_becomes_a_report_for_each_record_that_somebody_may_have() {
    let folder = folder_with_rows("make");
    let (made, files) = make(&folder, &["--org", "MX & Co", "--contact", "https://mx.test/"]);
    let name = |number| format!("mx.test!a.example!{DAY}!{}!{number}.xml.gz", DAY + 86_399);
    assert_eq!(files, [name(1), name(2)]);
    let found: Vec<_> = made.iter().map(|made| (&made["messages"], &made["rows"])).collect();
    assert_eq!(found, [(&json!(1), &json!(1)), (&json!(3), &json!(2)), (&json!(1), &json!(1))]);
    assert_eq!(
        made[2],
        json!({"domain": "b.example", "report_id": format!("{DAY}-3.b.example@mx.test"),
        "messages": 1, "passed": 1, "rows": 1, "files": [], "destinations": []})
    );
    let permissions = made[1]["destinations"].as_array().unwrap().iter();
    let permissions: Vec<_> = permissions.map(|destination| &destination["permission"]).collect();
    assert_eq!(permissions, ["inside", "given", "refused"]);

    // Read again, they say what was put in.
    let file = folder.join("out").join(name(2));
    let read = objects(&[file.to_str().unwrap()], b"").remove(0);
    assert_eq!(read["deviations"], json!([]));
    assert_eq!(
        (&read["org_name"], &read["email"]),
        (&json!("MX & Co"), &json!("dmarc-reports@mx.test"))
    );
    assert_eq!(read["begin"], "2026-11-26T00:00:00Z");
    assert_eq!(read["end"], "2026-11-26T23:59:59Z");
    assert_eq!(read["policy"]["p"], "reject");
    let rows: Vec<_> = read["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["source"], &row["count"]))
        .collect();
    assert_eq!(rows, [(&json!("192.0.2.1"), &json!(2)), (&json!("2001:db8::1"), &json!(1))]);
    assert_eq!(
        read["rows"][0]["signatures"],
        json!([{"domain": "a.example", "selector": "s1", "result": "pass"}])
    );
    assert_eq!(read["rows"][0]["spf_result"]["result"], "softfail");
    for file in files {
        lint(&folder.join("out").join(file));
    }
}

/// Holds a compressed report to the schema of RFC 9990.
fn lint(file: &Path) {
    let xml = Command::new("gzip").arg("-dc").arg(file).output().unwrap().stdout;
    let schema = data("dmarc-xml-0.2.xsd");
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema", &schema, "-"]).stdin(Stdio::piped());
    let Ok(mut child) = command.stderr(Stdio::piped()).spawn() else {
        println!("SKIPPED: there is no xmllint (Debian: libxml2-utils)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no xmllint");
        return;
    };
    child.stdin.take().unwrap().write_all(&xml).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_mail_for_each_destination_and_no_report_beyond_the_limit_of_rows() {
    let folder = folder_with_rows("mail");
    let (made, files) = make(&folder, &["--mail", "--max-rows", "1"]);
    // The changed record, and two reports of a row for two destinations each.
    assert_eq!(files.len(), 5, "{files:?}");
    let counts: Vec<_> = made.iter().map(|made| made["messages"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 1, 1]);
    assert!(
        files.iter().all(|file| file.ends_with("!1.eml") || file.ends_with("!2.eml")),
        "{files:?}"
    );
    let mail = fs::read_to_string(folder.join("out").join(&files[1])).unwrap();
    assert!(mail.starts_with("From: <dmarc-reports@mx.test>\r\nTo: <d@a.example>\r\n"), "{mail}");
    let subject = "Subject: Report Domain: a.example\r\n Submitter: mx.test\r\n Report-ID: <";
    assert!(mail.contains(subject), "{mail}");
}

#[test]
fn a_day_without_mail_and_wrong_usage_make_nothing() {
    let folder = folder_with_rows("nothing");
    let (made, files) = make(&folder, &["--day", "2026-11-20"]);
    assert_eq!((made.len(), files.len()), (0, 0));
    let rows = folder.join("dmarc.sqlite");
    let rows = rows.to_str().unwrap();
    for arguments in [
        &["make", rows][..],
        &["make", "/no/such/file", "--submitter", "mx.test"],
        &["make", rows, "--submitter", "-"],
        &["make", rows, "--submitter", "mx.test", "--day", "2026-02-30"],
        &["make", rows, "--submitter", "mx.test", "--day", "26-11-2026"],
        &["make", rows, "--submitter", "mx.test", "--zone", "/no/such/file"],
    ] {
        let output = dmarc_report(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}
