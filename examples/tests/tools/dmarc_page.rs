//! The tool `dmarc_report`: the page in a browser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use examples::cases::count::counted;

use crate::browser::read_back;
use crate::dmarc_merged::{Given, folder};
use crate::program::{directory, json_lines, output_of, tool};

const SCRIPT: &str = include_str!("dmarc_page.js");

/// The page of a folder; an unreadable input is in it.
fn page(folder: &Path) -> PathBuf {
    fs::write(folder.join("broken.xml"), "<feedback><report_metadata>").unwrap();
    let mut program = tool("dmarc_report");
    let output = output_of(program.args(["--format", "html"]).arg(folder), b"");
    let file =
        directory(&format!("{}-page", folder.file_name().unwrap().display())).join("page.html");
    fs::write(&file, output.stdout).unwrap();
    file
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_json() {
    let folder = folder("dmarc_report-chromium");
    let page = page(&folder);
    let Some(found) = read_back(&page, SCRIPT, 1200) else { return };
    let mut program = tool("dmarc_report");
    let view =
        json_lines(&output_of(program.args(["--format", "json"]).arg(&folder), b"")).remove(0);
    for name in ["messages", "passed", "failed", "reports", "failure_reports", "repeated"] {
        assert_eq!(found["totals"][name], view[name], "{name}: {found}");
    }
    assert_eq!(found["totals"]["unread"], 1);
    assert_eq!(found["unread"].as_array().unwrap().len(), 1);
    let domains = view["domains"].as_array().unwrap();
    assert_eq!(found["domains"].as_array().unwrap().len(), domains.len());
    for (shown, given) in found["domains"].as_array().unwrap().iter().zip(domains) {
        assert_eq!(shown["name"], given["domain"]);
        for name in ["messages", "passed", "failed"] {
            assert_eq!(shown["totals"][name], given[name], "{name}: {shown}");
        }
        let given = given["sources"].as_array().unwrap().iter();
        let given: Vec<_> = given
            .map(|source| {
                let words = ["source", "failed", "messages", "dkim", "spf"];
                Value::Array(words.iter().map(|name| source[*name].clone()).collect())
            })
            .collect();
        assert_eq!(shown["sources"], Value::Array(given));
    }
    // The bars of the time line, by their titles.
    let days = view["days"].as_array().unwrap().iter();
    let days: Vec<_> = days
        .map(|day| {
            json!(format!(
                "{}: {} passed, {} failed",
                day["day"].as_str().unwrap(),
                day["passed"],
                day["failed"]
            ))
        })
        .collect();
    assert_eq!(found["bars"], Value::Array(days));
    let why = found["domains"][0]["why"].as_str().unwrap();
    for fact in [
        "override local_policy known list (80)",
        "DKIM a.example s1 fail (80)",
        "SPF bounce.a.example mfrom softfail (80)",
        "envelope from bounce.a.example (80)",
    ] {
        assert!(why.contains(fact), "{fact}: {why}");
    }
}

/// A report with this disposition and this result of SPF.
fn odd_report(day: u64, domain: &str, [disposition, result]: [&str; 2]) -> String {
    let rows = &[("192.0.2.1", 1, true)];
    let xml = Given { reporter: "One & <i>", domain, day, rows }.xml();
    let xml = xml
        .replace("One & <i>", "One &amp; &lt;i&gt;")
        .replace(">none</disposition>", &format!(">{disposition}</disposition>"));
    xml.replace(">softfail</result>", &format!(">{result}</result>"))
}

/// A folder of reports about three domains: two odd values, none, and more of them than the page has.
fn odd_folder() -> PathBuf {
    let folder = directory("dmarc_report-odd");
    for (at, (domain, values)) in [
        ("a.example", ["none", "hardfail"]),
        ("a.example", ["we&lt;b&gt;ird", "hardfail"]),
        ("b.example", ["none", "pass"]),
    ]
    .into_iter()
    .enumerate()
    {
        let text = odd_report(at as u64, domain, values);
        fs::write(folder.join(format!("{at}&.xml")), text).unwrap();
    }
    for at in 0..103 {
        let (value, day) = (format!("odd-{at:03}"), 100 + at);
        let text = odd_report(day, "c.example", ["none", &value]);
        fs::write(folder.join(format!("c-{at}.xml")), text).unwrap();
    }
    folder
}

/// The lines of the page about what is odd in the reports of a domain, by the JSON.
fn odd_lines(domain: &Value) -> Vec<String> {
    let line = |odd: &Value| {
        let [what, reporter, file] =
            ["what", "reporter", "file"].map(|name| odd[name].as_str().unwrap());
        let count = counted(odd["count"].as_u64().unwrap(), "time");
        format!("{what}, {count} by {reporter}, first in {file}")
    };
    domain["odd"].as_array().unwrap().iter().map(line).collect()
}

/// Each is in the section of its domain.
#[test]
fn what_is_odd_in_reports_is_shown_with_its_count_and_place() {
    let folder = odd_folder();
    let page = page(&folder);
    let Some(found) = read_back(&page, SCRIPT, 1200) else { return };
    let mut program = tool("dmarc_report");
    let view =
        json_lines(&output_of(program.args(["--format", "json"]).arg(&folder), b"")).remove(0);
    let mut lines_of = BTreeMap::new();
    let given = view["domains"].as_array().unwrap();
    for (shown, given) in found["domains"].as_array().unwrap().iter().zip(given) {
        assert_eq!(shown["name"], given["domain"]);
        let lines = odd_lines(given);
        assert_eq!(shown["odd"], json!(lines[..lines.len().min(100)]), "{shown}");
        let more = lines.len().checked_sub(100).filter(|more| *more > 0);
        let more = more.map(|more| json!(format!("{more} more: --format json has all")));
        assert_eq!(shown["more"], more.unwrap_or_default(), "{shown}");
        lines_of.insert(shown["name"].as_str().unwrap(), lines);
    }
    assert_eq!(lines_of.len(), 3);
    let file = |name: &str| folder.join(name).display().to_string();
    let [first, second] = [
        ("hardfail", "result", "2 times", "0&.xml"),
        ("we<b>ird", "disposition", "1 time", "1&.xml"),
    ]
    .map(|(value, element, count, name)| {
        format!(
            "invalid value \"{value}\" in element {element}, {count} by One & <i>, first in {}",
            file(name)
        )
    });
    assert_eq!(lines_of["a.example"], [first, second]);
    assert!(lines_of["b.example"].is_empty());
    assert_eq!(lines_of["c.example"].len(), 103);
}

#[test]
fn nothing_is_wider_than_a_narrow_window() {
    let folder = folder("dmarc_report-narrow");
    let long = format!("<feedback>{}", "x".repeat(300));
    fs::write(folder.join(format!("{}.xml", "n".repeat(120))), long).unwrap();
    let page = page(&folder);
    let Some(found) = read_back(&page, SCRIPT, 400) else { return };
    assert_eq!(found["inner_width"], 400, "{found}");
    assert!(found["scroll_width"].as_u64().unwrap() <= 400, "{found}");
    assert_eq!(found["widest"], json!([]), "{found}");
}

/// Each colour has one for dark mode, with enough contrast: WCAG 2.2 section 1.4.3 asks for 4.5.
#[test]
fn both_modes_can_be_read() {
    let style = include_str!("../../cases/page.css");
    let (light, dark) = style.split_once("prefers-color-scheme: dark").unwrap();
    let colour = |mode: &str, name: &str| {
        let text = mode.split_once(&format!("--{name}: #")).unwrap().1;
        let digits: String = text.chars().take_while(char::is_ascii_hexdigit).collect();
        let wide: String =
            if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits };
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    };
    for mode in [light, dark] {
        for ground in ["paper", "card"] {
            for ink in ["ink", "soft", "pass", "warn", "fail"] {
                let (one, other) = (colour(mode, ground), colour(mode, ink));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= 4.5, "{ink} on {ground}: {contrast}");
            }
        }
    }
}
