//! The instructions of the manual, played by `scripts/play`, as this user and, by root, as nobody.

use std::process::Command;

use super::block::Block;
use super::gateway::binary;
use super::servers::{have, output_of, text};

/// The steps of `scripts/play`, with all programs.
const STEPS: usize = 26;

#[test]
fn the_manual_can_be_played() {
    if !have(&[
        "curl",
        "haproxy",
        "jq",
        "openssl",
        "setpriv",
        "sqlite3",
        "swaks",
        "systemd-analyze",
    ]) {
        return;
    }
    let block = Block::claim();
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/play"));
    script.arg("--gateway").arg(binary()).args(["--port", &block.own(0).to_string()]);
    let output = output_of(&mut script, b"");
    let (played, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{played}{told}");
    // Root plays it as nobody first, with the same steps.
    let own = output_of(Command::new("id").arg("-un"), b"");
    let own = text(&own.stdout).trim().to_owned();
    let users = if own == "root" { vec!["nobody".to_owned(), own] } else { vec![own] };
    let played = format!("\n{played}");
    let sections: Vec<_> = played.split("\nas ").skip(1).collect();
    let names: Vec<_> = sections.iter().map(|section| section.split(':').next().unwrap()).collect();
    assert_eq!(names, users, "{played}");
    for section in sections {
        let lines: Vec<_> = section.lines().skip(1).collect();
        let is_done = |line: &&str| line.ends_with(" ms") && line.contains(" ok ");
        assert!(lines.iter().all(is_done), "{played}");
        assert_eq!(lines.len(), STEPS, "{played}");
    }
}
