//! The program, with a zone of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use serde_json::Value;

use super::server::Identity;

/// What a run came to.
pub(crate) struct Sent {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) told: String,
}

impl Sent {
    /// The outcomes, with `--json`.
    pub(crate) fn outcomes(&self) -> Vec<Value> {
        let lines = self.out.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// The only outcome.
    pub(crate) fn outcome(&self) -> Value {
        let [outcome] = self.outcomes().try_into().unwrap_or_else(|_| panic!("{}", self.told));
        outcome
    }
}

/// The first argument for a message without a sender.
pub(crate) const BOUNCE: &str = "bounce";

/// Runs `send` with these records, lines of `[remote_smtp]`, and arguments.
pub(crate) fn send(zone: &str, options: &str, arguments: &[&str]) -> Sent {
    send_message(zone, options, arguments, "Subject: a test\n\nbody\n")
}

/// The same, with a message.
pub(crate) fn send_message(zone: &str, options: &str, arguments: &[&str], message: &str) -> Sent {
    let folder = folder();
    let sent = send_in(&folder, zone, options, arguments, message);
    let _ = fs::remove_dir_all(&folder);
    sent
}

/// The same, with this folder for its files; its database is `events.sqlite`, if that is there, `main.toml` has more
/// options, and `authorities.pem` the public authorities instead of the system's.
pub(crate) fn send_in(
    folder: &Path,
    zone: &str,
    options: &str,
    arguments: &[&str],
    message: &str,
) -> Sent {
    let (zone_file, config) = (folder.join("zone"), folder.join("send.toml"));
    fs::write(&zone_file, zone).unwrap();
    let database = Some(folder.join("events.sqlite")).filter(|file| file.exists());
    let database = database.map(|file| format!("; sqlite_dbfile = '{}'", file.display()));
    let main = fs::read_to_string(folder.join("main.toml")).unwrap_or_default();
    let text = format!(
        "primary_hostname = 'client.test'; spool_directory = '{}'{}\n{main}[remote_smtp]\n{options}\n",
        folder.display(),
        database.unwrap_or_default()
    );
    fs::write(&config, text.replace("; ", "\n")).unwrap();
    let sender = ["--from", "sender@sender.test"];
    let (sender, arguments) = match arguments {
        [first, arguments @ ..] if *first == BOUNCE => (&[][..], arguments),
        _ => (&sender[..], arguments),
    };
    let files = ["--zone".as_ref(), zone_file.as_os_str(), "--config".as_ref(), config.as_os_str()];
    let arguments = arguments.iter().map(OsStr::new);
    let authorities = Some(folder.join("authorities.pem")).filter(|file| file.exists());
    run(
        sender.iter().map(OsStr::new).chain(files).chain(arguments),
        message,
        authorities.as_deref(),
    )
}

/// The same, with a configuration and no zone.
pub(crate) fn send_configured(text: &str, arguments: &[&str]) -> Sent {
    let folder = folder();
    let config = folder.join("send.toml");
    fs::write(&config, format!("spool_directory = '{}'\n{text}", folder.display())).unwrap();
    let files = ["--config".as_ref(), config.as_os_str()];
    let sent = run(files.into_iter().chain(arguments.iter().map(OsStr::new)), "", None);
    let _ = fs::remove_dir_all(&folder);
    sent
}

fn run<'a>(
    arguments: impl Iterator<Item = &'a OsStr>,
    message: &str,
    authorities: Option<&Path>,
) -> Sent {
    let mut child = Command::new(program())
        .args(arguments)
        .envs(
            authorities
                .iter()
                .flat_map(|file| ["FILE", "DIR"].map(|it| (format!("SSL_CERT_{it}"), file))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Wrong usage ends it before it reads.
    let _ = child.stdin.take().unwrap().write_all(message.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    Sent { status, out: text(output.stdout), told: text(output.stderr) }
}

/// The record of a server's key.
pub(crate) fn tlsa(identity: &Identity) -> String {
    let certificate = Certificate::parse(&identity.certificate).unwrap();
    let (selector, kind) = (Selector::new(1), MatchingType::new(1));
    let record = TlsaRecord::of_certificate(&certificate, Usage::DANE_EE, selector, kind);
    record.unwrap().to_string()
}

/// The certificate of a server, for a file of authorities.
pub(crate) fn pem(identity: &Identity) -> String {
    let text = data_encoding::BASE64.encode(&identity.certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/send")
}

/// A new folder.
pub(crate) fn folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("send-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
