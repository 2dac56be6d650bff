//! The rules of the gateway's folders: their order, their public items, and the dependencies of the
//! library without the server.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of the gateway, from top to bottom: each imports only from those below it.
const FOLDERS: [&str; 13] = [
    "config",
    "server",
    "delivery",
    "policy",
    "events",
    "reports",
    "lookups",
    "authentication",
    "store",
    "telemetry",
    "dns",
    "smtp",
    "message",
];

/// What a program without the server is free of.
const HEAVY: [&str; 8] = [
    "hickory-resolver",
    "libsqlite3-sys",
    "rcgen",
    "rusqlite",
    "rustls",
    "tokio",
    "tokio-rustls",
    "tracing-subscriber",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below a folder of `examples`, with their text; a path begins in that folder.
fn files(folder: &str) -> BTreeMap<String, String> {
    let (mut found, top) = (BTreeMap::new(), root().join(folder));
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// The files of the gateway's folders, without its tests and the program.
fn gateway() -> BTreeMap<String, String> {
    let mut found = files("examples/gateway");
    found
        .retain(|name, _| !name.split(['/', '.']).any(|part| part == "tests") && name != "main.rs");
    assert!(found.len() > 100, "{}", found.len());
    found
}

/// The folder that a file is in, or is the front of.
fn folder(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The folders that a text names.
fn imports(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let named = text.split("crate::gateway::").skip(1);
    named.map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default()).collect()
}

#[test]
fn a_folder_of_the_gateway_imports_only_from_those_below_it() {
    let mut wrong = String::new();
    let place = |folder: &str| FOLDERS.iter().position(|known| *known == folder);
    for (name, text) in gateway() {
        let Some(own) = place(folder(&name)) else {
            writeln!(wrong, "{name} is in no folder of the list").unwrap();
            continue;
        };
        for other in imports(&text) {
            match place(other) {
                Some(other) if other >= own => {}
                Some(_) => writeln!(wrong, "{name} imports from {other}, which is above").unwrap(),
                None => {
                    writeln!(wrong, "{name} imports from {other:?}, which is no folder").unwrap();
                }
            }
        }
        // A way up by `super` would pass this test by.
        let depth = name.matches('/').count();
        if text.contains(&["super::"; 8][..=depth].concat()) {
            writeln!(wrong, "{name} leaves its folder by super").unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn imports_are_found_wherever_they_stand() {
    let text = "use crate::gateway::smtp::peer;\n fn a() { crate::gateway::store::b() }\n\
                use crate::gateway::{dns};\n//! [a](crate::gateway::message::id)";
    assert_eq!(imports(text), BTreeSet::from(["", "message", "smtp", "store"]));
    assert_eq!((folder("smtp/session/fault.rs"), folder("smtp.rs")), ("smtp", "smtp"));
}

#[test]
fn no_two_folders_import_each_other() {
    let mut arrows = BTreeSet::new();
    for (name, text) in gateway() {
        let own = folder(&name).to_owned();
        let others = imports(&text).into_iter().filter(|other| *other != own);
        arrows.extend(others.map(|other| (own.clone(), other.to_owned())));
    }
    for (from, to) in &arrows {
        assert!(!arrows.contains(&(to.clone(), from.clone())), "{from} and {to}");
    }
}

/// The public items of a file, but modules and fields: `path::name` or `path::Type::name`.
fn public_items(name: &str, text: &str) -> Vec<String> {
    let module = name.trim_end_matches(".rs").replace('/', "::");
    let (mut items, mut owner) = (Vec::new(), None);
    for line in text.lines() {
        if line.starts_with("impl") {
            let of = line.trim_end_matches(" {").rsplit(" for ").next().unwrap();
            let of = of.split(' ').rfind(|word| word.starts_with(char::is_uppercase)).unwrap_or(of);
            owner = Some(of.split('<').next().unwrap().to_owned());
        } else if line.starts_with('}') {
            owner = None;
        }
        let bare = line.trim_start();
        let Some(mut rest) = bare.strip_prefix("pub ") else { continue };
        if !rest.starts_with("const ") || rest.starts_with("const fn") {
            for word in ["const ", "async "] {
                rest = rest.strip_prefix(word).unwrap_or(rest);
            }
        }
        let kinds = ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static "];
        let Some(rest) = kinds.iter().find_map(|kind| rest.strip_prefix(kind)) else { continue };
        let item = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
        match owner.as_deref().filter(|_| bare.len() < line.len()) {
            Some(owner) => items.push(format!("{module}::{owner}::{item}")),
            None => items.push(format!("{module}::{item}")),
        }
    }
    items
}

#[test]
fn public_items_are_found_with_their_types() {
    let text = "pub struct A<'a> {\n    pub b: u8,\n}\n\nimpl<'a> A<'a> {\n    pub async fn c() {}\n\
                pub(crate) fn d() {}\n    pub const E: u8 = 1;\n}\n\npub const fn f() {}\n";
    assert_eq!(public_items("x/y.rs", text), ["x::y::A", "x::y::A::c", "x::y::A::E", "x::y::f"]);
}

/// `ITEM: FILE` is used in the file, which is no part of the library; `ITEM: named by OTHER` is a type in
/// the signature of another public item.
#[test]
fn whatever_the_gateway_shows_has_a_user_outside() {
    let list = include_str!("house/public_items.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let listed: BTreeMap<_, _> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let found: BTreeSet<String> =
        gateway().iter().flat_map(|(name, text)| public_items(name, text)).collect();
    let known: BTreeSet<String> = listed.keys().map(|item| (*item).to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "public, not listed: {new:#?}\ngone: {gone:#?}");
    for (item, user) in &listed {
        if let Some(other) = user.strip_prefix("named by ") {
            let other = format!("::{other}");
            assert!(known.iter().any(|known| known.ends_with(&other)), "{item}: no {other}");
            continue;
        }
        let outside = !user.starts_with("examples/gateway/") || *user == "examples/gateway/main.rs";
        let text = fs::read_to_string(root().join(user)).unwrap_or_default();
        let name = item.rsplit("::").next().unwrap();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let named = text.split(|c| !is_name(c)).any(|word| word == name);
        assert!(outside && named && text.contains("examples::gateway::"), "{item}: {user}");
    }
}

/// The packages that a program is built of.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let fixed = ["tree", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let output = Command::new("cargo").args(fixed).args(arguments).current_dir(root()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let packages: BTreeSet<_> =
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(packages.contains("mail-types"), "{packages:?}");
    packages
}

#[test]
fn without_the_server_there_is_no_runtime_and_no_database() {
    // The fuzz target of the stub resolver has hickory, which brings tokio.
    for (arguments, allowed) in [
        (&["-p", "examples", "--no-default-features"][..], &[][..]),
        (&["--manifest-path", "fuzz/Cargo.toml"], &["hickory-resolver", "tokio"]),
    ] {
        let packages = tree(arguments);
        let is_there = |name: &&str| packages.contains(*name) && !allowed.contains(name);
        let heavy: Vec<_> = HEAVY.into_iter().filter(is_there).collect();
        assert!(heavy.is_empty(), "{arguments:?}: {heavy:?}");
    }
    let packages = tree(&["-p", "examples"]);
    assert!(HEAVY.into_iter().all(|name| packages.contains(name)), "{packages:?}");
}
