//! Refused starts: without a resolver, and with an invalid configuration; and the log of a reload.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::block::Block;
use super::gateway::{Gateway, binary};
use super::servers::{have, output_of, text};

/// Runs the gateway with these arguments; after two seconds it is ended.
fn started(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("2").arg(binary()).args(["--config", "gateway.toml"]).args(arguments);
    output_of(command.current_dir(folder), b"")
}

#[test]
fn without_anybody_to_ask_it_says_so_and_ends() {
    if !have(&["timeout"]) {
        return;
    }
    let block = Block::claim();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("starting-{}", block.first()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("resolv.conf");
    let port = block.own(0);
    for (options, nobody) in [("", true), ("dns_resolver = '127.0.0.1:5353'\n", false)] {
        let options = format!("local_interfaces = '127.0.0.1.{port}'\n{options}");
        fs::write(folder.join("gateway.toml"), &options).unwrap();
        for (lines, is_used) in
            [("nonsense\nnameserver dns.example\n", false), ("nonsense\n", true)]
        {
            fs::write(&file, lines).unwrap();
            let starts = is_used || !nobody;
            for check in [&[][..], &["--check"]] {
                let arguments = [&["--resolv-conf", "resolv.conf"], check].concat();
                let output = started(&folder, &arguments);
                let told = text(&output.stdout) + &text(&output.stderr);
                let cause = "dns_resolver: no name server address in resolv.conf: line 2 has \
                             \"nameserver dns.example\"\n";
                assert_eq!(told.contains(cause), !starts, "{options}{lines}{arguments:?}: {told}");
                assert_eq!(told.starts_with("gateway: "), !starts, "{told}");
                // `timeout` has ended the one that serves.
                let code = match (starts, check.is_empty()) {
                    (false, _) => 2,
                    (true, false) => 0,
                    (true, true) => 124,
                };
                assert_eq!(output.status.code(), Some(code), "{options}{arguments:?}: {told}");
                let listens = starts && code == 124;
                assert_eq!(told.contains("listening on"), listens, "{told}");
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// What `--check` finds, a start finds too, before it listens.
#[test]
fn a_start_refuses_what_the_check_refuses() {
    if !have(&["timeout"]) {
        return;
    }
    let block = Block::claim();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refusing-{}", block.first()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let port = block.own(0);
    for (options, message) in [
        ("dmarc_history_file = 'none/x'", "line 2: dmarc_history_file: none is not a directory"),
        ("maildir = 'gateway.toml'", "line 2: maildir: gateway.toml is not a directory"),
        ("sqlite_dbfile = 'gateway.toml'", "line 2: sqlite_dbfile: gateway.toml is not an SQLite"),
        (
            "lookup_directories = '/nonexist'\nevent_action = '${expand:$event_data}'",
            "line 2: lookup_directories: /nonexist cannot be read",
        ),
        ("route_data = 'mx.example:25'", "line 2: route_data has no effect: "),
    ] {
        let options = format!("local_interfaces = '127.0.0.1.{port}'\n{options}");
        fs::write(folder.join("gateway.toml"), &options).unwrap();
        for arguments in [&[][..], &["--check"]] {
            let output = started(&folder, arguments);
            let told = text(&output.stdout) + &text(&output.stderr);
            assert!(told.starts_with(&format!("gateway: gateway.toml: {message}")), "{told}");
            assert_eq!(output.status.code(), Some(2), "{options}: {told}");
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// Of the lists of rules, only those that actions of events call need a start; others are those of the reload.
#[test]
fn a_reload_tells_of_a_list_that_an_action_calls() {
    let block = Block::claim();
    let options = |told: &str, refused: &str| {
        format!(
            "event_action = '${{acl{{note}}}}'\n[[acl.note]]\nverb = 'warn'\nlogwrite = '{told}'\n\
             [[acl_smtp_rcpt]]\nverb = 'deny'\nlocal_parts = '{refused}'"
        )
    };
    let mut gateway = Gateway::start(block.own(0), &options("one", "ann"));
    gateway.reload(&options("one", "bob"), "configuration reloaded");
    let words =
        "a list of rules that event_action calls: a change takes effect at the next start only";
    assert!(!gateway.log().contains(words), "{}", gateway.log());
    gateway.reload(&options("two", "bob"), words);
}
