//! The rules of `docs/2014.md`: each row has a test that exists, or a reason.

use std::fs;

use crate::root;

const NAME: &str = "docs/2014.md";
/// The least octets of a reason.
const REASON: usize = 20;

#[test]
fn each_promise_has_a_test_or_a_reason() {
    let text = fs::read_to_string(root().join(NAME)).unwrap();
    let rows = rows(&text);
    assert!(rows.len() >= 200, "{NAME} has only {} rows", rows.len());
    let mut faults = Vec::new();
    for row in &rows {
        let [promise, _, _, last] = row[..] else { panic!("{NAME}: not four cells: {row:?}") };
        let tests = tests(last);
        if tests.is_empty() && last.len() < REASON {
            faults.push(format!("{promise}: neither a test nor a reason"));
        }
        let wrong = tests.iter().filter_map(|(path, name)| fault(path, name));
        faults.extend(wrong.map(|fault| format!("{promise}: {fault}")));
    }
    assert!(faults.is_empty(), "{NAME}: {faults:#?}");
}

/// The cells of each row, without the heads of the tables.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    rows.filter(|row| row.first() != Some(&"promise")).collect()
}

/// The tests that a cell names: a file and a function each.
fn tests(cell: &str) -> Vec<(String, &str)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|text| text.split_once(".rs: "));
    tests.map(|(path, name)| (format!("{path}.rs"), name)).collect()
}

/// The fault of a test that a row names.
fn fault(path: &str, name: &str) -> Option<String> {
    let Ok(text) = fs::read_to_string(root().join(path)) else {
        return Some(format!("no such file: {path}"));
    };
    (!has_test(&text, name)).then(|| format!("no such test in {path}: {name}"))
}

/// Tells whether a file has a function of this name with the attribute of a test.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    let start = format!("fn {name}(");
    let Some(at) = lines.iter().position(|line| line.contains(&start)) else { return false };
    let mut attributes = lines.iter().take(at).rev().take_while(|line| line.starts_with("#["));
    attributes.any(|line| line.contains("test]") || line.contains("test("))
}

#[test]
fn rows_and_tests_are_found() {
    let text = "Words.\n\n| promise | here | where | test, or reason |\n|---|---|---|---|\n\
                | a `b` | `c` | `d/e.rs` | it is so: `f/g.rs: h`, `f/i.rs: j` |\n\
                | k | l | m | n |\n";
    let found = rows(text);
    let last = "it is so: `f/g.rs: h`, `f/i.rs: j`";
    assert_eq!(found, [["a `b`", "`c`", "`d/e.rs`", last], ["k", "l", "m", "n"]]);
    assert_eq!(tests(last), [("f/g.rs".to_owned(), "h"), ("f/i.rs".to_owned(), "j")]);
    assert!(tests("`d/e.rs` is no test").is_empty());
}

#[test]
fn a_test_is_a_function_with_its_attribute() {
    let text = "#[test]\nfn a() {}\n\n#[cfg(x)]\n#[tokio::test(flavor = \"y\")]\nasync fn b() {}\n\n\
                #[cfg(x)]\nfn c() {}\nfn d() {}\n";
    let found = ["a", "b", "c", "d", "e"].map(|name| has_test(text, name));
    assert_eq!(found, [true, true, false, false, false]);
}
