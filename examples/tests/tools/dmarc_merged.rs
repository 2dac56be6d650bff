//! The tool `dmarc_report`: all reports together, as JSON, NDJSON, CSV and text.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

/// A report as a row for each source: address, count, result, signature selector, reason.
pub(crate) struct Given<'g> {
    pub(crate) reporter: &'g str,
    pub(crate) domain: &'g str,
    /// Days after 2026-11-21.
    pub(crate) day: u64,
    pub(crate) rows: &'g [(&'g str, u64, bool)],
}

impl Given<'_> {
    pub(crate) fn xml(&self) -> String {
        let Self { reporter, domain, day, rows } = self;
        let begin = 1_795_219_200 + day * 86_400;
        let rows: Vec<_> = rows.iter().map(|row| record(domain, row)).collect();
        let rows = rows.concat();
        format!(
            "<feedback><version>1.0</version><report_metadata><org_name>{reporter}</org_name>\
             <email>d@r.example</email><report_id>{day}</report_id><date_range><begin>{begin}</begin>\
             <end>{}</end></date_range></report_metadata><policy_published><domain>{domain}</domain>\
             <adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>none</sp></policy_published>{rows}\
             </feedback>",
            begin + 86_399
        )
    }
}

fn record(domain: &str, (source, count, passed): &(&str, u64, bool)) -> String {
    let (result, done, reason) = if *passed {
        ("pass", "none", "")
    } else {
        let reason = "<reason><type>local_policy</type><comment>known list</comment></reason>";
        ("fail", "quarantine", reason)
    };
    format!(
        "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>\
         <disposition>{done}</disposition><dkim>{result}</dkim><spf>fail</spf>{reason}\
         </policy_evaluated></row><identifiers><header_from>{domain}</header_from>\
         <envelope_from>bounce.{domain}</envelope_from></identifiers><auth_results><dkim>\
         <domain>{domain}</domain><selector>s1</selector><result>{result}</result></dkim><spf>\
         <domain>bounce.{domain}</domain><scope>mfrom</scope><result>softfail</result></spf>\
         </auth_results></record>"
    )
}

/// A folder of reports of two domains by two reporters on three days, one of them twice.
pub(crate) fn folder(name: &str) -> std::path::PathBuf {
    let folder = directory(name);
    let (a, b) = ("a.example", "b.example");
    let rows = &[("192.0.2.1", 10, true), ("198.51.100.9", 3, false), ("2001:db8::5", 40, false)];
    for (at, (reporter, domain, day, rows)) in [
        ("One", a, 0, &rows[..]),
        ("One", a, 0, &rows[..]),
        ("One", a, 2, &rows[..2]),
        ("=Two()", a, 0, &rows[1..]),
        ("One", b, 1, &rows[..1]),
    ]
    .into_iter()
    .enumerate()
    {
        let given = Given { reporter, domain, day, rows };
        fs::write(folder.join(format!("{at}.xml")), given.xml()).unwrap();
    }
    folder
}

fn run(folder: &Path, format: &str) -> std::process::Output {
    output_of(tool("dmarc_report").args(["--format", format]).arg(folder), b"")
}

#[test]
fn messages_are_added_up_and_a_repetition_counts_once() {
    let folder = folder("dmarc_report-merged");
    let view = json_lines(&run(&folder, "json")).remove(0);
    assert_eq!((&view["reports"], &view["repeated"]), (&json!(4), &json!(1)));
    // Of a: 20 passed; 53 + 3 + 43 - 20 of both days and reporters failed. Of b: 10 passed.
    let totals = ["messages", "passed", "failed"].map(|name| view[name].as_u64().unwrap());
    assert_eq!(totals, [119, 30, 89]);
    let days: Vec<_> = view["days"].as_array().unwrap().iter().collect();
    assert_eq!(days[0], &json!({"day": "2026-11-21", "messages": 96, "passed": 10, "failed": 86}));
    assert_eq!(days.len(), 3);
    let [a, b] = &view["domains"].as_array().unwrap()[..] else { panic!("{view}") };
    assert_eq!((&a["domain"], &b["domain"]), (&json!("a.example"), &json!("b.example")));
    assert_eq!((&a["failed"], &b["failed"]), (&json!(89), &json!(0)));
    // Failing sources first, and the biggest of these.
    let sources: Vec<_> = a["sources"].as_array().unwrap().iter().collect();
    let order: Vec<_> = sources.iter().map(|one| (&one["source"], &one["failed"])).collect();
    let expected = [("2001:db8::5", 80), ("198.51.100.9", 9), ("192.0.2.1", 0)];
    assert_eq!(
        order,
        expected
            .map(|(source, failed)| (json!(source), json!(failed)))
            .iter()
            .map(|(source, failed)| (source, failed))
            .collect::<Vec<_>>()
    );
    assert_eq!(sources[1]["reporters"], 2);
    assert_eq!(
        (&sources[1]["first"], &sources[1]["last"]),
        (&json!("2026-11-21"), &json!("2026-11-23"))
    );
    assert_eq!(
        sources[1]["reasons"],
        json!([{"type": "local_policy", "comment": "known list", "count": 9}])
    );
    assert_eq!(
        sources[1]["signatures"],
        json!([{"domain": "a.example", "selector": "s1", "result": "fail", "count": 9}])
    );
    assert_eq!(
        sources[1]["spf_results"],
        json!([{"domain": "bounce.a.example", "scope": "mfrom", "result": "softfail", "count": 9}])
    );
    assert_eq!(sources[1]["envelope_from"], json!([{"domain": "bounce.a.example", "count": 9}]));
}

#[test]
fn a_row_for_each_domain_source_reporter_and_day() {
    let folder = folder("dmarc_report-rows");
    let rows = json_lines(&run(&folder, "ndjson"));
    let keys: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let count = row["messages"].as_u64().unwrap();
            format!(
                "{} {} {} {} {count}",
                text("domain"),
                text("day"),
                text("reporter"),
                text("source")
            )
        })
        .collect();
    assert_eq!(
        keys,
        [
            "a.example 2026-11-21 =Two() 198.51.100.9 3",
            "a.example 2026-11-21 =Two() 2001:db8::5 40",
            "a.example 2026-11-21 One 192.0.2.1 10",
            "a.example 2026-11-21 One 198.51.100.9 3",
            "a.example 2026-11-21 One 2001:db8::5 40",
            "a.example 2026-11-23 One 192.0.2.1 10",
            "a.example 2026-11-23 One 198.51.100.9 3",
            "b.example 2026-11-22 One 192.0.2.1 10",
        ]
    );
    let view = json_lines(&run(&folder, "json")).remove(0);
    assert_eq!(view["rows"], Value::Array(rows));
}

#[test]
fn a_cell_of_the_table_is_no_formula() {
    let folder = folder("dmarc_report-csv");
    let output = run(&folder, "csv");
    let table = text(&output);
    let lines: Vec<_> = table.split("\r\n").collect();
    assert!(
        lines[0].starts_with("kind,day,domain,source,reporter,messages,passed,failed,"),
        "{table}"
    );
    let first = "aggregate,2026-11-21,a.example,198.51.100.9,\"'=Two()\",3,0,3,0,0,3,0,\
                 \"local_policy known list (3)\",\"a.example s1 fail (3)\",\
                 \"bounce.a.example mfrom softfail (3)\",\"bounce.a.example (3)\",\"a.example (3)\",,,,";
    assert_eq!(lines[1], first);
    assert_eq!((lines.len(), lines[9]), (10, ""));
    for text in ["=1", "+1", "-1", "@a", "＝1"] {
        let given =
            Given { reporter: text, domain: "a.example", day: 0, rows: &[("192.0.2.1", 1, true)] };
        let xml = given.xml();
        let output = output_of(tool("dmarc_report").args(["--format", "csv"]), xml.as_bytes());
        let table = std::str::from_utf8(&output.stdout).unwrap();
        assert!(table.contains(&format!(",\"'{text}\",")), "{table}");
    }
}

#[test]
fn the_summary_begins_with_failures() {
    let folder = folder("dmarc_report-summary");
    let output = output_of(tool("dmarc_report").arg("--merge").arg(&folder), b"");
    let summary = text(&output);
    let begin = "30 of 119 messages passed, 4 reports, 1 repeated\n\n\
                 a.example: 20 of 109 messages passed, 2026-11-21 to 2026-11-23\n  \
                 policy p=quarantine; sp=none; adkim=r; aspf=r\n  \
                 reporters One, =Two()\n  \
                 source         failed messages     dkim      spf quarantine reject\n  \
                 2001:db8::5        80       80        0        0         80      0\n    \
                 reasons: local_policy known list (80)\n";
    assert!(summary.starts_with(begin), "{summary}");
}

/// The sample of RFC 9991, appendix A, shortened.
const ARF: &str = "Message-ID: <433689.81121.example@mta.mail.receiver.example>
From: \"SomeISP Antispam Feedback\" <feedback@mail.receiver.example>
To: arf-failure@sender.example
Subject: FW: You have a new bill from your bank
MIME-Version: 1.0
Content-Type: multipart/report; boundary=\"cut\"; report-type=feedback-report

--cut
Content-Type: text/plain; charset=\"US-ASCII\"

This is an authentication failure report for an email message received from a.sender.example.

--cut
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <=cmd@a.sender.example>
Original-Envelope-Id: o3F52gxO029144
Authentication-Results: mta1011.mail.tp2.receiver.example;
 dkim=fail (bodyhash) header.d=sender.example
Auth-Failure: bodyhash
Identity-Alignment: dkim
DKIM-Domain: sender.example
DKIM-Identity: @sender.example
DKIM-Selector: testkey
Arrival-Date: Thu, 26 Nov 2026 01:02:03 +0000
Source-IP: 192.0.2.1
Delivery-Result: policy
Reported-Domain: a.sender.example

--cut
Content-Type: message/rfc822

From: <script>@a.sender.example
Subject: You have a new bill
MIME-Version: 1.0
Content-Type: text/xml

FORGED
--cut--
";

/// The message of a failure report comes from an attacker: a report in it counts nowhere.
#[test]
fn a_failure_report_is_shown_and_a_forged_report_in_it_is_not() {
    let given =
        Given { reporter: "x", domain: "a.example", day: 0, rows: &[("192.0.2.1", 1, true)] };
    let input = ARF.replace("FORGED", &given.xml());
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), input.as_bytes()));
    assert_eq!(
        lines,
        [json!({"arrival": "2026-11-26T01:02:03Z", "failure_report": {
            "type": "auth-failure", "reporter": "mta1011.mail.tp2.receiver.example",
            "domain": "a.sender.example", "source": "192.0.2.1", "incidents": 1,
            "auth_failure": "bodyhash", "identity_alignment": "dkim", "delivery_result": "policy",
            "envelope_from": "<=cmd@a.sender.example>", "dkim_domain": "sender.example",
            "dkim_selector": "testkey", "spf_dns": null,
            "header_from": "<script>@a.sender.example", "subject": "You have a new bill",
        }})]
    );
    let show = |format| {
        let output = output_of(tool("dmarc_report").args(["--format", format]), input.as_bytes());
        String::from_utf8(output.stdout).unwrap()
    };
    let view: Value = serde_json::from_str(&show("json")).unwrap();
    assert_eq!((&view["reports"], &view["failure_reports"]), (&json!(0), &json!(1)));
    assert_eq!(view["domains"][0]["domain"], "a.sender.example");
    assert_eq!(view["domains"][0]["failures"][0]["auth_failure"], "bodyhash");
    let page = show("html");
    assert!(
        page.contains("<h3>Failure reports</h3>") && page.contains("&lt;script&gt;@a."),
        "{page}"
    );
    let table = show("csv");
    assert!(table.contains("failure,2026-11-26,a.sender.example,192.0.2.1,mta1011"), "{table}");
    let broken = input.replace("Identity-Alignment: dkim\n", "").replace("192.0.2.1", "192.0.2");
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), broken.as_bytes()));
    assert_eq!(
        lines[0]["failure_report"]["deviations"],
        json!(["missing field Identity-Alignment", "invalid value \"192.0.2\" in field Source-IP"])
    );
    let lines = json_lines(&output_of(
        tool("dmarc_report").arg("--json"),
        input.replace("Feedback-Type: auth-failure\n", "").as_bytes(),
    ));
    assert_eq!(lines[0]["error"], "feedback report without a type (Feedback-Type)");
}

/// As Exim's function `dmarc_send_forensic_report` of 2014 writes it.
#[test]
fn the_plain_form_of_2014_is_read() {
    let input = "Auto-Submitted: auto-replied
From: <postmaster@mx.test>
To: <ruf@a.example>
Subject: DMARC Forensic Report for a.example from IP 192.0.2.7

A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: a.example
  Sender IP Address: 192.0.2.7
  Received Date: Thu, 26 Nov 2026 01:02:03 +0000
  SPF Alignment: no
  DKIM Alignment: no
  DMARC Results: Reject

------ This is a copy of the headers that were received before the error
       was detected.

Received: from x by y
From: Ann <ann@a.example>
Subject: bill
";
    let lines = json_lines(&output_of(tool("dmarc_report").arg("--json"), input.as_bytes()));
    let report = &lines[0]["failure_report"];
    assert_eq!(lines[0]["arrival"], "2026-11-26T01:02:03Z");
    for (name, value) in [
        ("type", "dmarc-forensic"),
        ("domain", "a.example"),
        ("source", "192.0.2.7"),
        ("identity_alignment", "dkim, spf"),
        ("auth_failure", "Reject"),
        ("header_from", "Ann <ann@a.example>"),
        ("subject", "bill"),
    ] {
        assert_eq!(report[name], value, "{report}");
    }
}
