//! The page of the tool `inspect`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::read_back;
use crate::inspect::inspect;
use crate::program::{directory, text};

/// The page of all domains of the zone.
fn page(name: &str) -> PathBuf {
    let domains = ["--html", "good.example", "bad.example", "lax.example"];
    let output = inspect(name, &domains, "");
    let file = directory(&format!("inspect-{name}-page")).join("page.html");
    fs::write(&file, output.stdout).unwrap();
    file
}

const SCRIPT: &str = include_str!("inspect_page.js");

#[test]
fn the_page_has_the_tree_and_the_defects() {
    let Some(found) = read_back(&page("tree"), SCRIPT, 1200) else { return };
    let totals = json!({"domains": 3, "with_dane": 2, "with_problems": 2, "with_failures": 0});
    assert_eq!(found["totals"], totals, "{found}");
    let overview = json!([
        ["good.example", "0", "0", "0"],
        ["bad.example", "4", "1", "0"],
        ["lax.example", "1", "3", "0"],
    ]);
    assert_eq!(found["overview"], overview, "{found}");
    let tree = json!([[
        "good.example",
        [["a.good.example", [["c.good.example", []]]], ["b.good.example", []],]
    ]]);
    let good = &found["domains"][0];
    assert_eq!(good["tree"], tree, "{found}");
    assert_eq!(good["defects"], json!([]), "{found}");
    let bad = &found["domains"][1];
    assert_eq!(
        bad["defects"],
        json!(["problem", "problem", "problem", "warning", "problem"]),
        "{found}"
    );
    assert_eq!(bad["sentences"], 5, "{found}");
    assert!(good["lookups"].as_u64().unwrap() > 8, "{found}");
    // A text of a peer is text.
    assert_eq!(found["scripts"], 0, "{found}");
}

/// The page says of each host and policy as much as the text.
#[test]
fn the_page_has_its_date_the_addresses_and_the_policy() {
    let output = inspect("whole-page", &["--html", "good.example", "value.example"], "");
    let page = text(&output);
    let (_, date) = page.split_once("id=\"date\">").unwrap();
    assert!(date.starts_with("20") && date.find("Z</p>") == Some(19), "{page}");
    for part in [
        "<li class=\"soft\">addresses 192.0.2.1</li>",
        "<h3>DMARC: policy reject of good.example</h3>\n<p class=\"soft\">organizational domain good.example</p>",
        "<h3>DMARC: policy none of value.example</h3>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// It may lie in a mail or on a server without its folder.
#[test]
fn the_page_loads_nothing() {
    let page = fs::read_to_string(page("alone")).unwrap();
    let policy = "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ";
    assert!(page.contains(policy), "{page}");
    for loading in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import"] {
        // What a domain publishes is text, with `<` as `&lt;`.
        assert!(!page.contains(loading), "{loading}: {page}");
    }
    for (at, target) in page.match_indices(" href=\"") {
        let behind = page.get(at + target.len()..).unwrap();
        assert!(behind.starts_with('#'), "{}", behind.get(..40).unwrap_or(behind));
    }
}

#[test]
fn nothing_is_wider_than_a_narrow_window() {
    let Some(found) = read_back(&page("narrow"), SCRIPT, 400) else { return };
    assert_eq!(found["widest"], Value::Array(Vec::new()), "{found}");
    assert!(found["scroll_width"].as_u64().unwrap() <= 400, "{found}");
}
