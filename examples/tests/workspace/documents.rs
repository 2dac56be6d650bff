//! The rules of the documents: their length, their links and paths, and the size of their examples.

use std::fs;

use crate::{files, root};

/// The most lines of the README.
const README: usize = 120;
/// The most lines of the list of the gateway's modules.
const MAP: usize = 25;
/// The most lines of any example of a front page.
const EXAMPLE: usize = 45;
/// Examples of front pages with a limit of their own: the crate, words of the example, the most lines.
const EXAMPLES: [(&str, &[&str], usize); 4] = [
    ("dmarc-policy", &["Zone::parse", "Check::mail_from", "Dmarc::new", "hickory::run"], 25),
    ("event-expand", &["tokio::spawn", "async fn lookup"], 40),
    ("prdr", &["DataPhase::new", "Client::new"], 35),
    ("proxy-protocol", &["TcpListener::bind", "with_time", "read_header"], 20),
];

#[test]
fn the_readme_and_the_map_of_the_gateway_are_short() {
    for (name, most) in [("README.md", README), ("examples/gateway.rs", MAP)] {
        let [(_, text)] = &files(&[name])[..] else { panic!("{name} is missing") };
        assert!(text.lines().count() <= most, "{name} has more than {most} lines");
    }
}

#[test]
fn the_picture_of_the_readme_has_each_crate() {
    let picture = fs::read_to_string(root().join("docs/crates.svg")).unwrap();
    for folder in fs::read_dir(root().join("crates")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(picture.contains(&format!(">{name}</text>")), "docs/crates.svg has no {name}");
    }
    let [(_, readme)] = &files(&["README.md"])[..] else { panic!("README.md is missing") };
    assert!(readme.contains("](docs/crates.svg)"));
}

#[test]
fn links_lead_to_files() {
    for (name, text) in files(&["*.md", "docs"]) {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            let is_file = !link.is_empty() && !link.contains("://") && !link.contains(' ');
            assert!(!is_file || folder.join(link).exists(), "{name}: no such file: {link}");
        }
    }
}

/// The functions to copy of `docs/adopt.md`, and the most lines of them together.
const ADOPTED: [(&[&str], usize); 3] =
    [(&["decide", "tls_for"], 20), (&["serve"], 10), (&["judge", "report"], 30)];

#[test]
fn what_an_adopter_copies_is_short() {
    let [(name, text)] = &files(&["docs/adopt.md"])[..] else { panic!("it is missing") };
    let functions = crate::functions(text);
    for (wanted, most) in ADOPTED {
        let lines = wanted.iter().map(|wanted| {
            let found = functions.iter().find(|(_, function, _)| function == wanted);
            found.unwrap_or_else(|| panic!("{name} has no {wanted}")).2
        });
        let lines: usize = lines.sum();
        assert!(
            lines > 0 && lines <= most,
            "{name}: {wanted:?} have {lines} lines, more than {most}"
        );
    }
}

#[test]
fn each_standard_has_its_crate_and_what_is_covered_and_what_is_not() {
    let [(name, text)] = &files(&["docs/standards.md"])[..] else { panic!("it is missing") };
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows: Vec<Vec<_>> = lines.map(|line| line.split(" | ").collect()).collect();
    assert!(rows.len() > 20, "{name}: {} rows", rows.len());
    for row in &rows {
        assert!(
            row.len() == 4 && row.iter().all(|cell| !cell.trim().is_empty()),
            "{name}: {row:?}"
        );
    }
    for library in crate::libraries() {
        let has = |row: &Vec<&str>| row[1].contains(&format!("`{library}`"));
        assert!(rows.iter().any(has), "{name}: no document of {library}");
    }
}

/// `Type::item` in prose, outside blocks of code.
fn items(text: &str) -> Vec<(&str, &str)> {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').skip(1).step_by(2));
    let is_name = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let items = prose.filter_map(|word| word.split_once("::"));
    let is_type = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase()) && is_name(name);
    items.filter(|(owner, item)| is_type(owner) && is_name(item)).collect()
}

#[test]
fn items_that_documents_name_exist() {
    let sources = files(&["crates/*/src/*.rs", "crates/*/src/**/*.rs"]);
    for (name, text) in files(&["docs/adopt.md", "docs/choices.md"]) {
        let items = items(&text);
        assert!(!items.is_empty(), "{name}");
        for (owner, item) in items {
            let defines = |text: &str| {
                let kinds = ["enum", "struct"];
                kinds.iter().any(|kind| {
                    [" ", "<", "(", ";"]
                        .iter()
                        .any(|end| text.contains(&format!("pub {kind} {owner}{end}")))
                })
            };
            let is_there = sources.iter().any(|(_, text)| {
                let lines = text.lines().map(str::trim_start);
                let variants = [format!("{item},"), format!("{item}("), format!("{item} {{")];
                let methods = [format!("fn {item}("), format!("fn {item}<"), format!("{item}: ")];
                let mut lines = lines.filter(|line| !line.starts_with("//"));
                lines.any(|line| {
                    variants.iter().any(|start| line.starts_with(start))
                        || line.starts_with("pub ")
                            && methods.iter().any(|part| line.contains(part))
                })
            });
            let owned = sources.iter().any(|(_, text)| defines(text));
            assert!(owned && is_there, "{name}: no such item: {owner}::{item}");
        }
    }
}

#[test]
fn items_are_found_in_prose() {
    let text = "`A::b` and `c::d`, `E::F`\n```rust\n`G::h`\n```\n`I::j(k)` `L`";
    assert_eq!(items(text), [("A", "b"), ("E", "F")]);
}

/// The paths that a text names from the root of the workspace.
fn paths(text: &str) -> Vec<&str> {
    let folders = ["benches/", "crates/", "docs/", "examples/", "fuzz/", "scripts/"];
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let words = text.split(|c| !is_path(c)).map(|word| word.trim_end_matches('.'));
    words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))).collect()
}

#[test]
fn paths_in_documents_exist() {
    for (name, least) in [("CONTRIBUTING.md", 20), ("README.md", 5)] {
        let [(_, text)] = &files(&[name])[..] else { panic!("{name} is missing") };
        let named = paths(text);
        assert!(named.len() >= least, "{name} names only {named:?}");
        for path in named {
            assert!(root().join(path).exists(), "{name}: no such file: {path}");
        }
    }
    // Comments and programs name files too; what a run makes is not under version control.
    for (name, text) in files(&["*.rs", "*.md", "*.toml", "docs", "scripts"]) {
        for path in paths(&text) {
            let made = ["fuzz/corpus", "fuzz/artifacts"].iter().any(|made| path.starts_with(made));
            assert!(made || root().join(path).exists(), "{name}: no such file: {path}");
        }
    }
}

#[test]
fn paths_are_found_in_prose_and_in_tables() {
    let text = "| `examples/gateway/main.rs`, `docs/` | see fuzz/LEDGER.md. Not `src/a.rs`, nor a/docs/b. |";
    assert_eq!(paths(text), ["examples/gateway/main.rs", "docs/", "fuzz/LEDGER.md"]);
}

/// The examples of a front page, as a reader sees them: without the lines that rustdoc hides.
fn examples(text: &str) -> Vec<Vec<&str>> {
    let (mut found, mut open) = (Vec::new(), None);
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match &mut open {
            None if line.starts_with("```") => open = Some(Vec::new()),
            Some(_) if line.starts_with("```") => found.extend(open.take()),
            Some(lines) if line != "#" && !line.starts_with("# ") => lines.push(line),
            _ => {}
        }
    }
    found
}

#[test]
fn the_examples_of_front_pages_are_short() {
    for library in crate::libraries() {
        let name = format!("crates/{library}/src/lib.rs");
        let [(_, text)] = &files(&[&name])[..] else { panic!("{name} is missing") };
        let examples = examples(text);
        assert!(!examples.is_empty() || !text.contains("\npub "), "{name} has no example");
        let long = examples.iter().find(|lines| lines.len() > EXAMPLE);
        assert_eq!(long, None, "{name}: more than {EXAMPLE} lines");
        for (_, words, most) in EXAMPLES.iter().filter(|(owner, ..)| *owner == library) {
            let has_all = |lines: &&Vec<&str>| {
                words.iter().all(|word| lines.iter().any(|line| line.contains(word)))
            };
            let [example] = &examples.iter().filter(has_all).collect::<Vec<_>>()[..] else {
                panic!("{name}: one example with {words:?} is expected")
            };
            let lines = example.len();
            assert!(lines <= *most, "{name}: {lines} lines, more than {most}: {example:#?}");
        }
    }
}

#[test]
fn front_pages_have_the_same_sections_in_the_same_order() {
    let wanted = ["# What it covers", "# Features", "# Limits", "# Trust"];
    for library in crate::libraries() {
        let name = format!("crates/{library}/src/lib.rs");
        let [(_, text)] = &files(&[&name])[..] else { panic!("{name} is missing") };
        let lines = text.lines().filter_map(|line| line.strip_prefix("//! "));
        let found: Vec<_> = lines.filter(|line| wanted.contains(line)).collect();
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn hidden_lines_of_examples_are_not_counted() {
    let text = "//! A page:\n//!\n//! ```no_run\n//! # use a::B;\n//! use c::D;\n//!\n//! #\n//! let e;\n\
                //! ```\n//! Words.\n//! ```\n//! #[test]\n//! ```\n\n/// ```\n/// f();\n/// ```\n";
    assert_eq!(examples(text), [vec!["use c::D;", "", "let e;"], vec!["#[test]"]]);
}
