//! The packages of the libraries: each has its README, made of its front page, its licences, and its words for a
//! registry.

use std::fs;

use serde_json::{Value, json};

use crate::{libraries, output, root};

/// With this variable in the environment the READMEs are written anew.
const WRITE: &str = "EXIMIA_WRITE_READMES";

#[test]
fn the_readme_of_a_library_is_its_front_page() {
    for name in libraries() {
        let folder = root().join("crates").join(&name);
        let made = readme(&name, &fs::read_to_string(folder.join("src/lib.rs")).unwrap());
        let path = folder.join("README.md");
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &made).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == made,
            "crates/{name}/README.md is not the front page: {WRITE}=1 writes it"
        );
    }
}

/// Makes a README of the text at the top of a library: what rustdoc alone understands is taken out.
fn readme(name: &str, source: &str) -> String {
    let mut text = format!("# {name}\n\n");
    let (mut in_code, mut is_rust) = (false, false);
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            in_code = !in_code;
            // An example without a language is Rust for rustdoc.
            is_rust = in_code && !line.starts_with("```text") && !line.starts_with("```toml");
            text += if is_rust { "```rust" } else { line };
        } else if is_rust && (line == "#" || line.starts_with("# ")) {
            continue;
        } else if in_code {
            text += line;
        } else if line.starts_with('#') {
            text.extend(["#", line]);
        } else if is_definition_of_an_item(line) {
            continue;
        } else {
            text += &without_items(line);
        }
        text.push('\n');
    }
    text + "\n## Licence\n\nMIT or Apache 2.0, at your choice (`LICENSE-MIT`, `LICENSE-APACHE`).\n"
}

/// Whether a line gives the address of a link, and that is an item.
fn is_definition_of_an_item(line: &str) -> bool {
    let address = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    address.is_some_and(|(_, address)| !address.starts_with("http"))
}

/// Takes out links to items: `[text](item)` and `[item]` become their texts.
fn without_items(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once('[') {
        text += before;
        let Some((label, behind)) = after.split_once(']') else {
            return text + "[" + after;
        };
        let address = behind.strip_prefix('(').and_then(|behind| behind.split_once(')'));
        rest = match address {
            Some((address, behind))
                if !address.starts_with("http") && !address.starts_with('#') =>
            {
                text += label;
                behind
            }
            None if label.starts_with('`') => {
                text += label;
                behind
            }
            _ => {
                text.extend(["[", label, "]"]);
                behind
            }
        };
    }
    text + rest
}

#[test]
fn links_to_items_are_taken_out_of_a_front_page() {
    let source = "//! Reads [`Record`]s, [made](Record::new) of [RFC 1] and [RFC 2](https://e.example/2), [below](#a).\n\
                  //!\n//! ```\n//! # use x;\n//! #\n//! #[derive(Debug)]\n//! let a = [0];\n//! ```\n\
                  //! # A\n//! ```text\n//! # b\n//! ```\n//! [`X`]: crate::X\n//! [RFC 1]: https://e.example/1\n\nmod a;\n";
    let expected = "# name\n\nReads `Record`s, made of [RFC 1] and [RFC 2](https://e.example/2), [below](#a).\n\n\
                    ```rust\n#[derive(Debug)]\nlet a = [0];\n```\n## A\n```text\n# b\n```\n[RFC 1]: https://e.example/1\n\n\
                    ## Licence\n\nMIT or Apache 2.0, at your choice (`LICENSE-MIT`, `LICENSE-APACHE`).\n";
    assert_eq!(readme("name", source), expected);
}

#[test]
fn a_package_has_its_licences_and_its_words() {
    for name in libraries() {
        let folder = root().join("crates").join(&name);
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let text = fs::read_to_string(root().join(licence)).unwrap();
            assert_eq!(
                fs::read_to_string(folder.join(licence)).unwrap(),
                text,
                "{name}: {licence}"
            );
        }
        let package = package(&name);
        let readme = package["readme"].as_str();
        assert_eq!(readme, Some("README.md"), "{name}");
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{name}");
        assert!(package["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        // The registry takes at most five.
        for field in ["categories", "keywords"] {
            let count = package[field].as_array().unwrap().len();
            assert!((1..=5).contains(&count), "{name}: {count} {field}");
        }
    }
}

/// The packages of the workspace, as Cargo reads them.
fn packages() -> Vec<Value> {
    let arguments = ["metadata", "--no-deps", "--locked", "--format-version", "1"];
    let metadata: Value = serde_json::from_str(&output("cargo", &arguments)).unwrap();
    metadata.get("packages").and_then(Value::as_array).unwrap().clone()
}

fn package(name: &str) -> Value {
    let is_it = |package: &Value| package.get("name").is_some_and(|own| own == name);
    packages().into_iter().find(is_it).unwrap()
}

/// Two of the names belong to others on the registry: an upload needs a decision first.
#[test]
fn no_package_can_be_published() {
    let packages = packages();
    let names: Vec<_> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let others = ["examples", "benches"].map(str::to_owned);
    assert!(libraries().iter().chain(&others).all(|name| names.contains(&&**name)), "{names:?}");
    for package in &packages {
        // The registries to which it may go; without `publish` in its manifest there is no list.
        assert_eq!(package["publish"], json!([]), "{}", package["name"]);
    }
    let fuzz: toml::Table =
        fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(fuzz["package"]["publish"].as_bool(), Some(false));
}

/// The words in backquotes of a cell.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_features_of_a_library_are_in_the_table_of_the_readme_and_on_its_front_page() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, table) = readme.split_once("| crate ").unwrap();
    let rows: Vec<_> = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")).collect();
    let listed: Vec<_> = rows.iter().map(|row| row.split('`').next().unwrap()).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, libraries());
    for (name, row) in listed.into_iter().zip(rows) {
        let package = package(name);
        let features = package["features"].as_object().unwrap();
        assert_eq!(features["default"], json!([]), "{name}");
        let mut features: Vec<_> =
            features.keys().filter(|feature| *feature != "default").collect();
        features.sort_unstable();
        let cell = row.trim_end_matches(" |").rsplit('|').next().unwrap();
        assert_eq!(words(cell), features, "{name}");
        let page = fs::read_to_string(root().join("crates").join(name).join("src/lib.rs")).unwrap();
        let rows = page.split_once("//! # Features\n").map(|(_, section)| section.lines().skip(3));
        let rows = rows.into_iter().flatten().map_while(|line| line.strip_prefix("//! | `"));
        let mut shown: Vec<_> = rows.map(|row| row.split('`').next().unwrap()).collect();
        shown.sort_unstable();
        assert_eq!(shown, features, "{name}");
    }
}
