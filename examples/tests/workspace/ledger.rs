//! `scripts/soak ledger` tells which fuzzing is missing: the sum of a target's seconds, and those with its present code.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::files;

/// A workspace of its own, with the scripts, a library, and a target that uses it.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        let copy = Self(folder);
        for (file, text) in files(&["scripts/soak", "scripts/soak.d"]) {
            copy.write(&file, &text);
        }
        copy.write("CRATES/a-b/src/lib.rs", "fn a() {}\n");
        copy.write("CRATES/a-b/src/b/c.rs", "fn c() {}\n");
        copy.write("CRATES/c/src/lib.rs", "fn c() {}\n");
        copy.write("CRATES/c/tests/c.rs", "fn c() {}\n");
        copy.write("CRATES/mail-types/src/dns.rs", "fn dns() {}\n");
        copy.write("CRATES/mail-types/src/dns/name.rs", "fn name() {}\n");
        copy.write("CRATES/mail-types/src/smtp.rs", "fn smtp() {}\n");
        copy.write("GATEWAY/store/id.rs", "fn id() {}\n");
        copy.write("GATEWAY/store/tests.rs", "mod id;\n");
        copy.write("GATEWAY/store/tests/id.rs", "fn id() {}\n");
        copy.write("GATEWAY/dns.rs", "fn dns() {}\n");
        copy.write("README.md", "A text.\n");
        copy.write("TARGETS/one.rs", "use a_b::X;\nuse mail_types::dns::{Y, Z};\n");
        copy.write("TARGETS/two.rs", "use examples::gateway::store;\nuse c::{X, Y};\n");
        copy.git(&["init", "--quiet"]);
        copy
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The path of a file. Those in capitals are written out here alone, since each path in a text must exist in this workspace.
    fn path(&self, file: &str) -> PathBuf {
        let folders =
            [("CRATES", "crates"), ("GATEWAY", "examples/gateway"), ("TARGETS", "fuzz/targets")];
        let (folder, name) = file.split_once('/').unwrap_or(("", file));
        let written = folders.into_iter().find(|(short, _)| *short == folder);
        self.0.join(written.map_or(folder, |(_, folder)| folder)).join(name)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let author = ["-c", "user.name=a", "-c", "user.email=a@b.test"];
        let command = [&author, arguments].concat();
        let output = Command::new("git").args(command).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Changes a file, and returns the commit.
    fn commit(&self, file: &str, text: &str) -> String {
        self.write(file, text);
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", file]);
        self.git(&["rev-parse", "--short", "HEAD"])
    }

    /// Writes a ledger of these lines; returns whether nothing is missing, and the table.
    fn check(&self, lines: &[(&str, &str, u32)]) -> (bool, String) {
        self.enter(lines);
        self.soak("ledger")
    }

    fn enter(&self, lines: &[(&str, &str, u32)]) {
        let line = |(target, commit, seconds): &(&str, &str, u32)| {
            format!("| {target} | {commit} | 9 | {seconds} | 0 |\n")
        };
        let head =
            "| target | commit | runs | seconds | findings |\n|---|---|---|---|---|\n".to_owned();
        let text = lines.iter().fold(head, |text, entry| text + &line(entry));
        self.write("fuzz/LEDGER.md", &text);
    }

    /// Returns whether it succeeds, and what it prints.
    fn soak(&self, command: &str) -> (bool, String) {
        let Output { status, stdout, stderr } = Command::new("bash")
            .args([self.0.join("scripts/soak"), command.into()])
            .env("CARGO_TARGET_DIR", self.0.join("target"))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.success(), text(stdout) + &text(stderr))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The row of a target: its seconds, those with its present code, and what is missing.
fn row(table: &str, target: &str) -> Option<Vec<u32>> {
    let line = table.lines().find(|line| line.split(' ').next() == Some(target))?;
    Some(line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect())
}

#[test]
fn a_target_needs_half_an_hour_and_two_minutes_with_its_present_code() {
    let copy = Copy::new("ledger");
    let old = copy.commit("CRATES/a-b/src/lib.rs", "fn a() { old() }\n");
    let new = copy.commit("CRATES/a-b/src/lib.rs", "fn a() { new() }\n");
    let enough = ("two", &*new, 1800);
    for (lines, expected) in [
        (&[][..], Some([0, 0, 1800])),
        (&[("one", &*old, 1680), ("one", &*new, 119)], Some([1799, 119, 1])),
        (&[("one", &*old, 1680), ("one", &*new, 120)], None),
        (&[("one", &*new, 1799)], Some([1799, 1799, 1])),
        (&[("one", &*old, 5000), ("one", &*new, 119)], Some([5119, 119, 1])),
        (&[("one", &*old, 5000)], Some([5000, 0, 120])),
        // Seconds of uncommitted changes and of unknown commits do not count for the present code.
        (&[("one", &*old, 1800), ("one", &*format!("{new}+"), 600)], Some([2400, 0, 120])),
        (&[("one", "0123456", 1800)], Some([1800, 0, 120])),
    ] {
        let (is_enough, table) = copy.check(&[&[enough], lines].concat());
        assert_eq!(row(&table, "one"), expected.map(Vec::from), "{lines:?}: {table}");
        assert_eq!(row(&table, "two"), None, "{table}");
        assert_eq!(is_enough, expected.is_none(), "{lines:?}: {table}");
    }
}

/// Its code is itself, its libraries, and the modules of the shared types and the gateway that it names.
#[test]
fn a_target_is_fuzzed_again_after_a_change_of_its_code_alone() {
    let copy = Copy::new("ledger-code");
    let before = copy.commit("CRATES/a-b/src/lib.rs", "fn a() { a() }\n");
    let lines = [("one", &*before, 1800), ("two", &*before, 1800)];
    assert!(copy.check(&lines).0);
    for (file, changed) in [
        ("CRATES/a-b/src/lib.rs", "one"),
        ("CRATES/a-b/src/b/c.rs", "one"),
        ("CRATES/mail-types/src/dns.rs", "one"),
        ("CRATES/mail-types/src/dns/name.rs", "one"),
        ("CRATES/mail-types/src/smtp.rs", ""),
        ("CRATES/c/src/lib.rs", "two"),
        ("CRATES/c/tests/c.rs", ""),
        ("GATEWAY/store/id.rs", "two"),
        ("GATEWAY/store/tests.rs", ""),
        ("GATEWAY/store/tests/id.rs", ""),
        ("GATEWAY/dns.rs", ""),
        ("TARGETS/one.rs", "one"),
        ("README.md", ""),
    ] {
        let text = fs::read_to_string(copy.path(file)).unwrap();
        for others in
            ["    // A comment.\n", "#[cfg(test)]\npub(crate) mod tests;\n", "mod tests;\n"]
        {
            copy.commit(file, &format!("{text}\n{others}"));
            assert!(copy.check(&lines).0, "{others} in {file}");
        }
        copy.commit(file, &format!("{text}fn x() {{}} // Code.\n"));
        let (is_enough, table) = copy.check(&lines);
        let missing: Vec<_> =
            ["one", "two"].into_iter().filter(|name| row(&table, name).is_some()).collect();
        assert_eq!(missing.join(" "), changed, "{file}: {table}");
        assert_eq!(is_enough, changed.is_empty(), "{file}");
        // The same code as before is no new one.
        copy.commit(file, &text);
        assert!(copy.check(&lines).0, "{file} as before");
    }
}

/// With a fuzzer that does nothing for two seconds.
#[test]
fn fuzzing_without_names_does_what_is_missing() {
    let copy = Copy::new("ledger-fuzz");
    copy.write(".gitignore", "/target\n");
    let log = copy.0.join("target/log");
    let fuzzer = format!(
        "#!/bin/sh\n[ \"$2\" = run ] || exit 0\n\
         case \"$*\" in *-merge=1) echo \"$3 minimised\" >>{0}; exit 0 ;; esac\n\
         echo \"$3\" >>{0}\nsleep 2\necho stat::number_of_executed_units: 5\n",
        log.display()
    );
    for (program, text) in [("cargo", &*fuzzer), ("rustup", "#!/bin/sh\nexit 1\n")] {
        let file = format!("target/tools/bin/{program}");
        copy.write(&file, text);
        fs::set_permissions(copy.0.join(file), Permissions::from_mode(0o755)).unwrap();
    }
    let head = copy.commit("CRATES/a-b/src/lib.rs", "fn a() { a() }\n");
    copy.enter(&[("one", &*head, 1799), ("two", &*head, 1800)]);
    copy.write("TARGETS/one.rs", "use a_b::X;\nuse mail_types::dns::Y;\n");
    let (is_done, told) = copy.soak("fuzz");
    assert!(!is_done && told.contains("the work tree has changes"), "{told}");
    let head = copy.commit("TARGETS/one.rs", "use a_b::X;\nuse mail_types::dns::Y;\n");
    copy.enter(&[("one", &*head, 1799), ("two", &*head, 1800)]);
    let (is_done, told) = copy.soak("fuzz");
    assert!(is_done, "{told}");
    assert_eq!(fs::read_to_string(log).unwrap(), "one\none minimised\n", "{told}");
    let (is_enough, table) = copy.soak("ledger");
    assert!(is_enough, "{table}");
    let ledger = fs::read_to_string(copy.0.join("fuzz/LEDGER.md")).unwrap();
    assert!(ledger.contains(&format!("| one | {head} | 14 | 180")), "{ledger}");
}
