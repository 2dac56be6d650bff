//! Expansions of Exim, and ours: the same text, or a failure if Exim fails.

#![cfg(all(feature = "hash", feature = "idna"))]
#![cfg_attr(
    all(feature = "hash", feature = "idna"),
    expect(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        reason = "a helper of tests may panic"
    )
)]

#[path = "../../mail-types/tests/support/vectors.rs"]
mod vectors;

use std::collections::HashMap;

use event_expand::{Ask, Expansion, HostCall, ListKind, Options, Progress, Template, Variables};
use mail_types::exim::{LookupResult, Trust, Value, Variable};
use vectors::shared;

/// Rows in which we do not do as Exim 4.96 does, with our outcome and the reason.
const OTHERWISE: &str = include_str!("data/otherwise.jsonl");

/// Rows that show a variable that the row before had set in the same process: `left` is its value.
/// Here no text leaves anything for the next, and a program that wants it gives it.
const LEFT: &str = include_str!("data/left.jsonl");

/// Rows of Exim's own tests that do not hold, from 0: the first is a macro, which the driver defines
/// and not the language; in the other an A-label has capitals, which UTS #46 maps to small letters.
const NOT_HELD: &[usize] = &[275, 336];

#[test]
fn own_rows() {
    check("own", include_str!("data/own.jsonl"), "input", "expect", 519);
}

#[test]
fn rows_of_patterns() {
    check("patterns", include_str!("data/patterns.jsonl"), "input", "expect", 687);
}

#[test]
fn every_eighth_generated_row() {
    check("generated", include_str!("data/generated.jsonl"), "input", "expect", 3117);
}

#[test]
fn every_generated_row() {
    if let Some(rows) = shared("expand/generated.jsonl") {
        check("all generated", &rows, "input", "exim", 24_932);
    }
}

/// With what was left they are what Exim makes of them, and alone they are what Exim alone makes.
#[test]
fn rows_that_show_what_was_left() {
    for row in LEFT.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let input = bytes(&row["input"]);
        let same = |outcome: Result<Vec<u8>, String>, expected: &serde_json::Value| match outcome {
            Ok(text) => expected.as_str().is_some() && text == bytes(expected),
            Err(_) => expected.as_str().is_none_or(|text| text.starts_with("Failed: ")),
        };
        let left = left().remove(&input).unwrap();
        assert!(same(expand(&input, &Host { left }), &row["expect"]), "{row}");
        assert!(same(expand(&input, &Host::default()), &row["ours"]), "{row}");
    }
}

#[test]
fn the_rows_of_exims_own_tests() {
    if let Some(rows) = shared("third-party/exim-suite-expand.json") {
        let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
        let rows: Vec<_> = rows.as_array().unwrap().iter().map(ToString::to_string).collect();
        let held = rows.iter().enumerate().filter(|(row, _)| !NOT_HELD.contains(row));
        let held: Vec<_> = held.map(|(_, row)| row.as_str()).collect();
        check("Exim's own", &held.join("\n"), "input", "expected", 344);
    }
}

fn check(name: &str, rows: &str, input: &str, expected: &str, count: usize) {
    let mut differences = Vec::new();
    let mut checked = 0;
    let (otherwise, left) = (otherwise(), left());
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let (input, expected) = (bytes(&row[input]), bytes(&row[expected]));
        let expected = otherwise.get(&input).cloned().unwrap_or(expected);
        let host = Host { left: left.get(&input).cloned().unwrap_or_default() };
        let outcome = expand(&input, &host);
        checked += 1;
        let same = match &outcome {
            Ok(text) => *text == expected && !expected.starts_with(b"Failed: "),
            Err(_) => expected.starts_with(b"Failed: "),
        };
        if !same {
            let shown = match &outcome {
                Ok(text) => format!("{}", text.escape_ascii()),
                Err(error) => format!("failed: {error}"),
            };
            differences.push(format!(
                "{}\n   exim {}\n   ours {shown}",
                input.escape_ascii(),
                expected.escape_ascii(),
            ));
        }
    }
    assert_eq!(checked, count, "{name}");
    assert!(
        differences.is_empty(),
        "{name}: {} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Our results for some inputs.
fn otherwise() -> HashMap<Vec<u8>, Vec<u8>> {
    let rows = OTHERWISE.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let failure = serde_json::Value::from("Failed: ");
    rows.map(|row| {
        let ours = if row["ours"].is_null() { &failure } else { &row["ours"] };
        (bytes(&row["input"]), bytes(ours))
    })
    .collect()
}

/// What the rows before have left for some inputs.
fn left() -> HashMap<Vec<u8>, Left> {
    let rows = LEFT.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let left = |row: &serde_json::Value| {
        let left = row["left"].as_object().unwrap().iter();
        left.map(|(name, value)| (name.clone(), bytes(value))).collect()
    };
    rows.map(|row| (bytes(&row["input"]), left(&row))).collect()
}

fn expand(input: &[u8], host: &Host) -> Result<Vec<u8>, String> {
    let template = Template::parse(input).map_err(|error| error.to_string())?;
    template.check(host).map_err(|error| error.to_string())?;
    let options = Options::default();
    let mut expansion = Expansion::new(&template, host, &options);
    loop {
        match expansion.poll() {
            Progress::Done(value) => return Ok(value.as_bytes().to_vec()),
            Progress::Stopped(stop) => return Err(stop.to_string()),
            Progress::Request(request) => match request.ask {
                Ask::Call { call: HostCall::AuthResults, arguments } => {
                    let host = arguments.first().unwrap();
                    let field = [&b"Authentication-Results: "[..], host.as_bytes()].concat();
                    expansion.handle_found(LookupResult::Value(field));
                }
                ask => return Err(format!("{ask:?}")),
            },
        }
    }
}

/// Each character of a row is a byte.
fn bytes(text: &serde_json::Value) -> Vec<u8> {
    text.as_str().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// Variables of the language that were left.
type Left = HashMap<String, Vec<u8>>;

/// The host that the rows were made on.
#[derive(Default)]
struct Host {
    left: Left,
}

impl Variables for Host {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "primary_hostname" => Value::trusted("myhost.test.ex").into(),
            "event_defer_errno" => Value::trusted("0").into(),
            "sender_helo_dnssec" => Value::trusted("no").into(),
            "sender_address" => Value::trusted("root@myhost.test.ex").into(),
            "domain" | "event_data" | "event_name" | "tls_in_peercert" | "auth1" => Variable::Unset,
            _ if name.starts_with("acl_c") || name.starts_with("acl_m") => Variable::Unset,
            _ => match self.left.get(name) {
                Some(value) => Value::new(value.as_slice(), Trust::Trusted).into(),
                None => Variable::Unknown,
            },
        }
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        match (kind, name) {
            (ListKind::Domain, "dlist") => Value::new(&b"*.aa.bb"[..], Trust::Trusted).into(),
            _ => Variable::Unknown,
        }
    }
}
