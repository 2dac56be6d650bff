//! The programs that `scripts/peers` starts and stops.

use std::env;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::block::Block;

/// Tells whether these programs can be had, and says which are missing. With `CI=true` a missing
/// one is a failure; with `EXIMIA_PEERS=none` all are.
pub(crate) fn have(programs: &[&str]) -> bool {
    if env::var_os("EXIMIA_PEERS").is_some_and(|wanted| wanted == "none") {
        eprintln!("SKIPPED: without peers, and this wants {}", programs.join(", "));
        return false;
    }
    let missing: Vec<_> = programs.iter().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {missing:?}");
    eprintln!("SKIPPED: missing {missing:?}; `scripts/peers install` installs them");
    false
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A listener of a peer.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) name: String,
    /// `tcp`, `tls`, `mtls`, `proxy` or `unix`; see `scripts/peers --help`.
    pub(crate) kind: String,
    /// An address and port, or the path of a socket or folder.
    pub(crate) address: String,
}

/// The peers that a test has started; they end with it.
pub(crate) struct Peers<'a> {
    block: &'a Block,
}

impl<'a> Peers<'a> {
    pub(crate) fn of(block: &'a Block) -> Self {
        Self { block }
    }

    /// Starts a peer, and returns its listeners.
    pub(crate) fn start(&self, arguments: &[&str]) -> Vec<Listener> {
        self.start_with("", arguments)
    }

    /// The same, with these options of TLS for Exim's server, if there are any.
    pub(crate) fn start_with(&self, tls: &str, arguments: &[&str]) -> Vec<Listener> {
        self.start_in(&[("PEERS_EXIM_TLS", tls)], arguments)
    }

    /// The same, with these variables of `scripts/peers`.
    pub(crate) fn start_in(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Vec<Listener> {
        let arguments = [&["start"], arguments].concat();
        let variables = variables.iter().copied();
        let output = output_of(self.script(&arguments).envs(variables), b"");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        let listener = |line: &str| {
            let [name, kind, address] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
            let [name, kind, address] = [name, kind, address].map(str::to_owned);
            Some(Listener { name, kind, address })
        };
        text(&output.stdout).lines().filter_map(listener).collect()
    }

    /// Delivers `message` by Exim's client; returns its log, and whether all recipients got it.
    pub(crate) fn exim_send(&self, server: &str, rcpts: &[&str], message: &str) -> (bool, String) {
        self.exim_send_by(server, rcpts, message, "")
    }

    /// The same, with this option of Exim's `smtp` transport.
    pub(crate) fn exim_send_by(
        &self,
        server: &str,
        rcpts: &[&str],
        message: &str,
        option: &str,
    ) -> (bool, String) {
        let arguments = [&["exim-send", server, "exim@sender.test"], rcpts].concat();
        let output =
            output_of(self.script(&arguments).env("PEERS_EXIM", option), message.as_bytes());
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    /// Waits until a peer's log holds all of `words`.
    pub(crate) fn wait_for_log(&self, name: &str, words: &[&str]) {
        let file = self.folder().join("log").join(name);
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let log = fs::read_to_string(&file).unwrap_or_default();
            if words.iter().all(|words| log.contains(words)) {
                return;
            }
            assert!(Instant::now() < end, "waited for {words:?}: {log}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the folder of `NAME.pem` and `NAME.key`.
    pub(crate) fn certificates(&self) -> PathBuf {
        text(&self.script_output(&["certificates"], b"").stdout).trim().into()
    }

    /// Returns the folder that the peers can read.
    pub(crate) fn folder(&self) -> PathBuf {
        text(&self.script_output(&["folder"], b"").stdout).trim().into()
    }

    fn script_output(&self, arguments: &[&str], input: &[u8]) -> Output {
        output_of(&mut self.script(arguments), input)
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/peers");
        let mut command = Command::new(script);
        command.args(arguments).env("PEERS_PORT", self.block.first().to_string());
        command
    }
}

impl Drop for Peers<'_> {
    fn drop(&mut self) {
        self.script_output(&["stop"], b"");
    }
}

/// Runs a command to its end.
pub(crate) fn output_of(command: &mut Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read all of its input is no fault.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Sends a message by swaks; returns whether it was taken, and the transcript.
pub(crate) fn swaks(server: &str, arguments: &[&str]) -> (bool, String) {
    let target = if server.starts_with('/') { "--socket" } else { "--server" };
    let mut command = Command::new("swaks");
    command.args([target, server, "--helo", "swaks.test", "--from", "swaks@sender.test"]);
    command.args(["--timeout", "20"]).args(arguments);
    let output = output_of(&mut command, b"");
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}
