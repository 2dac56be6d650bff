//! The rule of the libraries' documentation: each public function stands in an example of its crate, which
//! `cargo test` runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::files;

/// The code of examples in a source, and the public functions that it defines.
#[derive(Debug, Default)]
struct Source {
    code: String,
    functions: Vec<String>,
}

impl Source {
    fn read(&mut self, text: &str) {
        let (mut in_block, mut is_rust) = (false, false);
        for line in text.lines() {
            let bare = line.trim_start();
            let documented = bare.strip_prefix("///").or_else(|| bare.strip_prefix("//!"));
            let Some(line) = documented else {
                self.functions.extend(function(bare).map(str::to_owned));
                continue;
            };
            let line = line.trim_start();
            if let Some(language) = line.strip_prefix("```") {
                in_block = !in_block;
                // A block that must not compile shows no use of a function.
                is_rust = in_block && ["", "rust", "no_run"].contains(&language);
            } else if is_rust {
                self.code.extend([line.split("//").next().unwrap_or_default(), "\n"]);
            }
        }
    }

    /// The functions whose names are in no example.
    fn missing(&self) -> Vec<&str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: BTreeSet<_> = self.code.split(|c| !is_name(c)).collect();
        let names = self.functions.iter().map(String::as_str);
        names.filter(|name| !words.contains(name)).collect()
    }
}

/// The name of the public function that a line begins.
fn function(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("pub ")?;
    while let Some(behind) = ["const ", "async "].iter().find_map(|word| rest.strip_prefix(word)) {
        rest = behind;
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[test]
fn each_public_function_stands_in_an_example() {
    let mut crates: BTreeMap<String, Source> = BTreeMap::new();
    for (name, text) in files(&["crates/*/src/*.rs", "crates/*/src/**/*.rs"]) {
        let library = name.split('/').nth(1).unwrap();
        crates.entry(library.to_owned()).or_default().read(&text);
    }
    assert_eq!(crates.len(), crate::libraries().len());
    assert!(crates.values().map(|source| source.functions.len()).sum::<usize>() > 700);
    let missing: BTreeMap<_, _> =
        crates.iter().map(|(library, source)| (library, source.missing())).collect();
    let missing: BTreeMap<_, _> = missing.iter().filter(|(_, names)| !names.is_empty()).collect();
    assert!(missing.is_empty(), "give each an example that asserts something: {missing:#?}");
}

#[test]
fn functions_and_examples_are_found() {
    let text = "//! ```\n//! one(); // two()\n//! ```\n\n/// Not three().\n///\n/// ```compile_fail\n\
                /// four()\n/// ```\npub const fn one() {}\nimpl A {\n    /// ```no_run\n    /// self.five();\n    \
                /// ```\n    pub async fn five<T>() {}\n    pub fn two() {}\n    pub(crate) fn six() {}\n    fn seven() {}\n}\n\
                pub fn three() {}\npub fn four() {}\n";
    let mut source = Source::default();
    source.read(text);
    assert_eq!(source.functions, ["one", "five", "two", "three", "four"]);
    assert_eq!(source.missing(), ["two", "three", "four"]);
}
