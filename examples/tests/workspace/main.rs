//! The rules of the workspace: the size of files and functions, their names, the dependencies of the
//! libraries, their Rust version, and their text parameters.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod documents;
mod example_code;
mod ledger;
mod measured;
mod packages;
mod promises;
#[cfg(feature = "gateway")]
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lines of a file, and of a function.
const FILE: usize = 400;
const FUNCTION: usize = 60;
/// The crates that a library takes without features, itself included.
const LIGHT: usize = 15;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The files under version control that match, with their text.
fn files(patterns: &[&str]) -> Vec<(String, String)> {
    let listed = output("git", &[&["ls-files"], patterns].concat());
    let read = |name: &str| (name.to_owned(), fs::read_to_string(root().join(name)).unwrap());
    listed.lines().filter(|name| root().join(name).exists()).map(read).collect()
}

fn libraries() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The crates in the tree of a library.
fn tree(library: &str, options: &[&str]) -> BTreeSet<String> {
    let fixed = ["tree", "-p", library, "--locked", "--prefix", "none", "--format", "{p}"];
    let text = output("cargo", &[&fixed[..], options].concat());
    text.lines().map(|line| line.split(" (").next().unwrap().to_owned()).collect()
}

#[test]
fn files_and_functions_are_short() {
    let mut long = String::new();
    for (name, text) in files(&["*.rs", "scripts"]) {
        let lines = text.lines().count();
        if lines > FILE {
            writeln!(long, "{name}: {lines} lines, more than {FILE}").unwrap();
        }
        if Path::new(&name).extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        for (line, function, lines) in functions(&text) {
            if lines > FUNCTION {
                writeln!(long, "{name}:{line}: {function} has {lines} lines, more than {FUNCTION}")
                    .unwrap();
            }
        }
    }
    assert!(long.is_empty(), "\n{long}");
}

/// The functions of a file that rustfmt has formatted: where they begin, their names, their lines.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "];
        let mut rest = bare;
        while let Some(behind) = words.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = behind;
        }
        let Some(name) = rest.strip_prefix("fn ") else { continue };
        let name = name.split(['(', '<']).next().unwrap_or_default();
        let end = format!("{}}}", " ".repeat(line.len() - bare.len()));
        let is_end = |line: &&str| **line == end || line.ends_with(';') && line.len() < end.len();
        let length = lines.iter().skip(at + 1).position(is_end);
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        found.push((at + 1, name.to_owned(), length.map_or(0, |length| length + 2)));
    }
    found
}

#[test]
fn the_lines_of_functions_are_counted() {
    let text = "fn a() {}\nimpl B {\n    pub(crate) async fn b(\n        &self,\n    ) {\n        if x {\n        }\n    }\n}\n";
    assert_eq!(functions(text), [(3, "b".to_owned(), 6)]);
}

#[test]
fn every_test_of_the_examples_is_in_their_manifest() {
    let manifest = fs::read_to_string(root().join("examples/Cargo.toml")).unwrap();
    for (name, _) in files(&["examples/tests/*.rs", "examples/tests/*/main.rs"]) {
        let path = name.strip_prefix("examples/").unwrap();
        let is_module = path.matches('/').count() > 1 && !path.ends_with("/main.rs");
        let named = manifest.contains(&format!("path = \"{path}\""));
        assert!(is_module || named, "{name} is not run: name it in examples/Cargo.toml");
    }
}

/// Cargo runs no test in an example. With `test = true` it does, but then it does not build the program.
#[test]
fn every_test_in_a_program_is_run() {
    let manifest = fs::read_to_string(root().join("examples/Cargo.toml")).unwrap();
    assert!(!manifest.contains("test = true"), "tests need the programs");
    let tests = files(&["examples/tests/*/main.rs"]);
    let of_library = ["examples/cases/", "examples/gateway/", "examples/tests/"];
    for (name, text) in files(&["examples/*.rs"]) {
        let is_of_library = of_library.iter().any(|folder| name.starts_with(folder));
        if is_of_library || !text.lines().any(|line| line.trim_start().starts_with("#[test]")) {
            continue;
        }
        let module = format!("#[path = \"../../{}\"]", name.strip_prefix("examples/").unwrap());
        let is_run = tests.iter().any(|(_, text)| text.contains(&module));
        assert!(is_run, "{name} is not run: name it in a main.rs of examples/tests by {module}");
    }
}

#[test]
fn files_are_named_after_their_content() {
    for (name, _) in files(&["*.rs"]) {
        let file = name.rsplit('/').next().unwrap();
        let vague = ["error.rs", "utils.rs", "util.rs", "common.rs", "helpers.rs", "mod.rs"];
        assert!(!vague.contains(&file), "{name}");
    }
}

#[test]
fn the_libraries_are_light() {
    let adopting = fs::read_to_string(root().join("docs/adopt.md")).unwrap();
    for library in libraries() {
        let tree = tree(&library, &["--no-default-features", "-e", "normal,build"]);
        let most = match library.as_str() {
            // Digests, `der` and the types of certificates.
            "ocsp-staple" => 22,
            "dane-tlsa" => 21,
            _ => LIGHT,
        };
        assert!(tree.len() <= most, "{library}: {} crates: {tree:?}", tree.len());
        let row = format!("| `{library}` | {} | ", tree.len());
        assert!(adopting.contains(&row), "docs/adopt.md has no row {row}");
    }
    // A TCP server that is no mail server takes no more than this for the header.
    let tree = tree("proxy-protocol", &["--no-default-features", "-e", "normal"]);
    assert!(tree.len() <= 8, "{tree:?}");
}

#[test]
fn nothing_brings_a_second_tls_provider() {
    let tree = output(
        "cargo",
        &["tree", "--workspace", "--locked", "-e", "normal,build,dev", "--prefix", "none"],
    );
    assert_eq!(tree.lines().find(|line| line.contains("aws-lc")), None);
}

#[test]
fn the_rust_that_libraries_promise_is_enough_for_what_they_depend_on() {
    let text =
        output("cargo", &["metadata", "--locked", "--format-version", "1", "--all-features"]);
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let wanted: BTreeMap<_, _> = packages
        .iter()
        .map(|package| {
            let name = format!("{} v{}", of(&package["name"]), of(&package["version"]));
            (name, of(&package["rust_version"]))
        })
        .collect();
    let number = |version: &str| -> Vec<u32> {
        version.split('.').take(2).map(|part| part.parse().unwrap()).collect()
    };
    let mut newer = BTreeSet::new();
    for library in libraries() {
        let own = tree(&library, &["--no-default-features", "--depth", "0"]);
        let promised = wanted.get(own.first().unwrap()).unwrap();
        for package in tree(&library, &["--all-features", "-e", "normal,build"]) {
            let version = wanted.get(package.trim_end_matches(" (proc-macro)"));
            let version = version.map(String::as_str).filter(|version| !version.is_empty());
            if version.is_some_and(|version| number(version) > number(promised)) {
                newer.insert(format!("{library} promises {promised}, {package}: {version:?}"));
            }
        }
    }
    assert!(newer.is_empty(), "{newer:#?}");
}

#[test]
fn functions_that_take_text_have_a_reason() {
    let found = text_parameters();
    let list = include_str!("text_parameters.txt");
    let mut listed = BTreeSet::new();
    for line in list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (function, reason) = line.split_once(": ").unwrap_or((line, ""));
        assert!(reason.len() > 10, "{function}: give a reason");
        listed.insert(function.to_owned());
    }
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty(), "a checked type is better, or a reason: {missing:#?}");
    assert!(gone.is_empty(), "not there any more: {gone:#?}");
}

/// The public functions of the libraries that take a `&str` or a `String`: crate, type and name.
fn text_parameters() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, text) in files(&["crates/*/src/*.rs", "crates/*/src/**/*.rs"]) {
        let library = name.split('/').nth(1).unwrap();
        let mut owner = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(header) = line.strip_prefix("impl") {
                owner = owner_of(header);
            }
            let bare = line.trim_start();
            let Some(rest) = ["pub fn ", "pub const fn ", "pub async fn "]
                .iter()
                .find_map(|start| bare.strip_prefix(start))
            else {
                continue;
            };
            if !line.starts_with(' ') {
                owner.clear();
            }
            let mut signature = rest.to_owned();
            while !signature.trim_end().ends_with(['{', ';', '}']) {
                signature += lines.next().unwrap();
            }
            let parameters = signature.rsplit_once("->").map_or(&*signature, |(before, _)| before);
            let texts = ["&str", "&'a str", "&'_ str", ": String", "AsRef<str>"];
            if texts.iter().any(|text| parameters.contains(text)) {
                let function = rest.split(['(', '<']).next().unwrap();
                let owner = if owner.is_empty() { String::new() } else { format!("{owner}::") };
                found.insert(format!("{library} {owner}{function}"));
            }
        }
    }
    found
}

/// The type of an `impl`, without its parameters.
fn owner_of(header: &str) -> String {
    let header = header.split(" for ").last().unwrap();
    let mut depth = 0;
    let mut bare = String::new();
    for c in header.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            '{' => break,
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare.trim().to_owned()
}
