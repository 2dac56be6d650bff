//! The tool `dmarc_report`: each limit, reached and just not reached.

use std::fs;

use rawzip::CompressionMethod;
use serde_json::Value;

use crate::dmarc_inputs::{gzip, mail, report, zip};
use crate::program::{directory, json_lines, output_of, text, tool};

/// The errors for an input.
fn errors(arguments: &[&str], input: &[u8]) -> Vec<String> {
    let output = output_of(tool("dmarc_report").arg("--json").args(arguments), input);
    let lines = json_lines(&output);
    lines.iter().filter_map(|line| line["error"].as_str()).map(str::to_owned).collect()
}

#[test]
fn an_input_has_limits_on_its_size_depth_and_parts() {
    let xml = report();
    let eml = mail("r.xml.gz", &gzip(&xml));
    let nested = mail("a.eml", &mail("b.eml", &eml));
    let two = zip(&[("1.xml", &xml), ("2.xml", &xml)], CompressionMethod::DEFLATE);
    let size = eml.len().to_string();
    let less = (eml.len() - 1).to_string();
    let both = (2 * xml.len()).to_string();
    let not_both = (2 * xml.len() - 1).to_string();
    for (option, enough, too_few, input, error) in [
        ("--max-input", &*size, &*less, &eml, format!("larger than {less} octets")),
        (
            "--max-depth",
            "3",
            "2",
            &nested,
            "archives and messages in each other, more than 2 deep".to_owned(),
        ),
        (
            "--max-parts",
            "2",
            "1",
            &two,
            "more than 1 parts of messages and entries of archives".to_owned(),
        ),
        // A message has its own part, and each line that may begin another.
        (
            "--max-parts",
            "4",
            "3",
            &eml,
            "more than 3 parts of messages and entries of archives".to_owned(),
        ),
        (
            "--max-xml",
            &*both,
            &*not_both,
            &two,
            format!("more than {not_both} octets of XML in one input"),
        ),
        ("--max-records", "4", "3", &two, "DMARC report has more than 1 records".to_owned()),
    ] {
        assert_eq!(errors(&[option, enough], input), [""; 0], "{option}");
        let found = errors(&[option, too_few], input);
        assert!(found.len() == 1 && found[0].starts_with(&error), "{option}: {found:?}");
    }
}

/// A bomb of each kind ends at the limit of the XML, before memory does.
#[test]
fn bombs_end_at_the_limit() {
    let zeros = vec![b' '; 1 << 20];
    let bomb = gzip(&zeros);
    let entries: Vec<_> = (0..100).map(|_| ("r.gz", bomb.as_slice())).collect();
    let archive = zip(&entries, CompressionMethod::DEFLATE);
    let found = errors(&["--max-xml", "1000000"], &archive);
    let all = "more than 1000000 octets of XML in one input";
    assert_eq!(found, ["DMARC report has more than 1000000 octets of XML", all]);
    let found =
        errors(&["--max-xml", "1000000"], &zip(&[("r.xml", &zeros)], CompressionMethod::DEFLATE));
    assert_eq!(found, ["more than 1000000 octets of XML in one input"]);
}

#[test]
fn the_merged_view_has_limits_and_says_what_it_left_out() {
    let folder = directory("dmarc_report-limits");
    for name in ["one", "two"] {
        let xml = String::from_utf8(report()).unwrap().replace("google.example", name);
        fs::write(folder.join(name), xml).unwrap();
    }
    let view = |arguments: &[&str]| -> Value {
        let mut program = tool("dmarc_report");
        json_lines(&output_of(program.args(["--format", "json"]).args(arguments).arg(&folder), b""))
            .remove(0)
    };
    for (option, enough, too_few, error) in [
        ("--max-reports", "2", "1", "more than 1 report (--max-reports)"),
        ("--max-rows", "4", "3", "more than 3 merged rows (--max-rows)"),
        ("--max-texts", "100000", "400", "more than 400 octets of different texts (--max-texts)"),
    ] {
        let found = view(&[option, enough]);
        assert_eq!((&found["messages"], found["unread"].as_array().unwrap().len()), (&6.into(), 0));
        let found = view(&[option, too_few]);
        assert_eq!(found["messages"], 3, "{option}: {found}");
        let unread = found["unread"][0].as_object().unwrap();
        assert!(unread["file"].as_str().unwrap().ends_with("/two"), "{unread:?}");
        assert_eq!(unread["error"], error);
    }
    let run = |most| output_of(tool("dmarc_report").args(["--max-files", most]).arg(&folder), b"");
    assert_eq!(run("2").status.code(), Some(0));
    let output = run("1");
    assert_eq!((output.status.code(), text(&output)), (Some(2), ""));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "dmarc_report: more than 1 file (--max-files)\n");
}
