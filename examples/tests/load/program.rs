//! The gateway as a program that is started, killed and restarted with the same files.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The files of a gateway, in a folder that goes when this goes, unless the test failed.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(name: &str) -> Self {
        Self::with_maildir(name, "mail")
    }

    /// The same, with this Maildir in the folder.
    pub(crate) fn with_maildir(name: &str, maildir: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let shown = folder.display();
        let text = format!(
            "primary_hostname = 'gateway.test'
local_interfaces = '127.0.0.1.0'
local_domains = 'local.test'
host_lookup = ''
spool_directory = '{shown}/spool'
maildir = '{shown}/{maildir}'
smtp_accept_max_per_connection = 1000000
"
        );
        fs::write(folder.join("gateway.toml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts a gateway on them, by way of `wrapper` if it has words, which must
    /// become the gateway itself.
    pub(crate) fn start(&self, wrapper: &[&str]) -> Program {
        let log = File::create(self.path("log")).unwrap();
        let gateway = binary();
        let words = wrapper.iter().map(Path::new).chain([gateway.as_path()]).collect::<Vec<_>>();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg("--config")
            .arg(self.path("gateway.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Program { child, log: self.path("log") }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A gateway; it is killed without notice, and waited for, when this goes.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Waits until it listens, and returns where.
    pub(crate) fn address(&mut self) -> String {
        let end = Instant::now() + Duration::from_mins(1);
        while Instant::now() < end {
            let log = self.log();
            if let Some((_, behind)) = log.split_once("listening on ")
                && let Some((address, _)) = behind.split_once(',')
            {
                return address.to_owned();
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {log}");
            thread::sleep(Duration::from_millis(2));
        }
        panic!("it does not listen: {}", self.log());
    }

    /// All that it has logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        kill_process(self.pid(), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example that cargo has built beside the tests.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples/gateway")
}
