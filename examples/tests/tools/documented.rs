//! The documents: their configurations, as a reader copies them, and the arguments and exit codes of the gateway.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use crate::program::{directory, output_of, text, tool};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The manual of the gateway.
fn manual() -> String {
    document("examples/gateway/README.md")
}

/// The blocks of TOML in a document.
fn configurations(document: &str) -> impl Iterator<Item = &str> {
    let blocks = document.split("```toml\n").skip(1);
    blocks.filter_map(|block| block.split_once("```").map(|(toml, _)| toml))
}

/// The first cells of a table, by the head of that column.
fn first_cells<'a>(document: &'a str, column: &str) -> Vec<&'a str> {
    let (_, table) = document.split_once(&format!("| {column} |")).unwrap();
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| "));
    rows.map(|row| row.split(" | ").next().unwrap()).collect()
}

/// Runs the gateway with this configuration and these arguments.
fn gateway(name: &str, configuration: &str, arguments: &[&str]) -> Output {
    let folder = directory(name);
    fs::write(folder.join("gateway.toml"), configuration).unwrap();
    output_of(tool("gateway").args(arguments).current_dir(&folder), b"")
}

#[test]
fn each_configuration_in_the_documents_is_valid() {
    let mut count = 0;
    // Without both engines the lookups of the last one are refused.
    let engines = cfg!(all(feature = "pgsql", feature = "redis"));
    let names = ["README.md", "examples/gateway/README.md", "docs/send.md", "docs/scale.md"];
    for name in names.into_iter().filter(|name| engines || *name != "docs/scale.md") {
        let document = document(name);
        for toml in configurations(&document) {
            count += 1;
            let folder = format!("documented-{count}");
            let output = gateway(&folder, toml, &["--config", "gateway.toml", "--check"]);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{name}: {told}\n{toml}");
            assert_eq!(text(&output).trim_end(), "the configuration is valid", "{name}\n{toml}");
        }
    }
    assert!(count >= 9 + usize::from(engines), "{count}");
}

#[test]
fn the_printed_configuration_is_checked_as_valid() {
    let printed = gateway("printed", "", &["--print-config"]);
    assert_eq!(printed.status.code(), Some(0));
    let checked = gateway("printed", text(&printed), &["--config", "gateway.toml", "--check"]);
    assert_eq!(text(&checked).trim_end(), "the configuration is valid");
}

#[test]
fn the_help_is_the_text_of_the_manual_and_names_no_file_of_the_source() {
    let output = gateway("help", "", &["--help"]);
    let (help, manual) = (text(&output), manual());
    let (_, section) = manual.split_once("\n## The help\n").unwrap();
    let (_, block) = section.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(help.trim_end().ends_with(block.trim_end()), "{help}");
    for source in [".rs", ".md", "examples/", "crates/"] {
        assert!(!help.contains(source), "{source}: {help}");
    }
    // The arguments, of which the help has the names too.
    let (arguments, _) = help.split_once(block.trim_end()).unwrap();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let long = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c| !is_name(c)).filter(|word| word.starts_with("--"));
        words.map(str::to_owned).collect()
    };
    assert_eq!(long(&first_cells(&manual, "argument").join(" ")), long(arguments));
}

#[test]
fn the_lookups_of_the_manual_are_those_of_the_version() {
    let output = gateway("version", "", &["--version"]);
    let version = text(&output);
    let (_, lookups) = version.split_once("Lookups: ").unwrap();
    let manual = manual();
    let described: BTreeSet<_> =
        first_cells(&manual, "lookup").into_iter().map(|name| name.trim_matches('`')).collect();
    for lookup in lookups.split_whitespace() {
        assert!(described.contains(lookup), "{lookup}: {described:?}");
    }
    let heavy = |name: &&&str| !["pgsql", "redis"].contains(*name) || version.contains(**name);
    assert_eq!(described.iter().filter(heavy).count(), lookups.split_whitespace().count());
}

#[test]
fn the_exit_codes_are_those_of_the_manual() {
    assert_eq!(first_cells(&manual(), "exit code"), ["0", "1", "2"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let busy = format!("local_interfaces = '127.0.0.1.{port}'");
    let from = ["--config", "gateway.toml"];
    for (configuration, arguments, code) in [
        ("", &["--config", "gateway.toml", "--check"][..], 0),
        ("", &["--version"], 0),
        (&*busy, &from, 1),
        ("smtp_baner = ''", &from, 2),
        ("", &["--nonsense"], 2),
        ("", &["--config", "absent.toml"], 2),
    ] {
        let output = gateway("exit-codes", configuration, arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{configuration} {arguments:?}: {told}");
    }
    // A file that is named must be there, for a check and for a start.
    for check in [&["--check"][..], &[]] {
        let arguments = [&["--resolv-conf", "absent.conf"], check].concat();
        let output = gateway("exit-codes", "", &arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.starts_with("gateway: --resolv-conf absent.conf: No such file"), "{told}");
        assert_eq!(output.status.code(), Some(2), "{told}");
    }
    // All faults are told, each with the file and its line.
    let output = gateway("exit-codes", "smtp_baner = ''\nrecipients_max = 'x'", &from);
    let told = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("gateway: gateway.toml: line 1: smtp_baner"), "{told}");
    assert!(lines[1].starts_with("gateway: gateway.toml: line 2: recipients_max"), "{told}");
    assert_eq!(lines.len(), 2, "{told}");
    let output = gateway("exit-codes", "\n\nsmtp_baner = ''", &from);
    let told = String::from_utf8_lossy(&output.stderr);
    let error = "gateway: gateway.toml: line 3: ";
    assert!(told.starts_with(error) && told.contains("did you mean smtp_banner?"), "{told}");
}
