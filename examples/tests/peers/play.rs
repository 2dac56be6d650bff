//! The instructions of the manual, played by `scripts/play`, as this user and, by root, as nobody.

use std::process::Command;

use super::block::Block;
use super::gateway::binary;
use super::servers::{have, output_of, text};

#[test]
fn the_manual_can_be_played() {
    if !have(&["curl", "haproxy", "jq", "openssl", "setpriv", "sqlite3", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/play"));
    script.arg("--gateway").arg(binary()).args(["--port", &block.own(0).to_string()]);
    let output = output_of(&mut script, b"");
    let (played, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{played}{told}");
    let steps = played.lines().filter(|line| line.contains(" ok ")).count();
    assert!(steps >= 20, "{played}");
    eprintln!("{played}");
}
