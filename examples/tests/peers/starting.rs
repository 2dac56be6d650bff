//! How the gateway does not start where the system names nobody to ask about the DNS.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::block::Block;
use super::gateway::binary;
use super::servers::{have, run, text};

/// Runs the gateway with these options where `/etc/resolv.conf` is `file`, as a mount of its own has it;
/// after two seconds it is ended. `None` where the system allows no such mount.
fn started(folder: &Path, file: &Path, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c"]);
    // What cannot be mounted ends with 77.
    command.arg("mount --bind \"$0\" /etc/resolv.conf || exit 77; exec timeout 2 \"$@\"");
    command.arg(file).arg(binary()).args(arguments).current_dir(folder);
    let output = run(&mut command, b"");
    (output.status.code() != Some(77) && !text(&output.stderr).starts_with("unshare: "))
        .then_some(output)
}

#[test]
fn without_anybody_to_ask_it_says_so_and_ends() {
    if !have(&["unshare", "timeout"]) {
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
            for arguments in
                [&["--config", "gateway.toml"][..], &["--config", "gateway.toml", "--check"]]
            {
                let Some(output) = started(&folder, &file, arguments) else {
                    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "no mount of its own");
                    eprintln!("SKIPPED: no program can have an /etc/resolv.conf of its own here");
                    return;
                };
                let told = text(&output.stdout) + &text(&output.stderr);
                let cause = "dns_resolver: no name server address in /etc/resolv.conf: line 2 has \
                             \"nameserver dns.example\"\n";
                assert_eq!(told.contains(cause), !starts, "{options}{lines}{arguments:?}: {told}");
                assert_eq!(told.starts_with("gateway: "), !starts, "{told}");
                // `timeout` has ended the one that serves.
                let code = match (starts, arguments.len()) {
                    (false, _) => 2,
                    (true, 3) => 0,
                    (true, _) => 124,
                };
                assert_eq!(
                    output.status.code(),
                    Some(code),
                    "{options}{lines}{arguments:?}: {told}"
                );
                let listens = starts && code == 124;
                assert_eq!(told.contains("listening on"), listens, "{told}");
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}
