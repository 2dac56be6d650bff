//! The gateway under test.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

/// A gateway that runs; it is stopped, and its files are removed, when this goes.
pub(crate) struct Gateway {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Gateway {
    /// Starts one on `port`, which takes mail for `local.test`; `options` are lines of its
    /// configuration, and come last.
    pub(crate) fn start(port: u16, options: &str) -> Self {
        Self::start_with(port, options, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_with(port: u16, options: &str, environment: &[(&str, &str)]) -> Self {
        let folder = new_folder(port);
        let text = configuration(port, &folder, options);
        Self::serve((port, folder), &text, environment)
    }

    /// Starts one with this configuration, which has the port.
    pub(crate) fn start_as_written(port: u16, text: &str) -> Self {
        Self::serve((port, new_folder(port)), text, &[])
    }

    fn serve((port, folder): (u16, PathBuf), text: &str, environment: &[(&str, &str)]) -> Self {
        fs::write(folder.join("gateway.toml"), text).unwrap();
        let mut gateway = Self { child: spawn(&folder, environment), folder, port };
        gateway.wait_for_listener();
        gateway
    }

    /// Stops it, and starts it again with the same files and a new log.
    pub(crate) fn restart(&mut self) {
        self.end(Signal::TERM);
        self.child = spawn(&self.folder, &[]);
        self.wait_for_listener();
    }

    /// It says so when it listens; to try a connection would be an event of its own.
    fn wait_for_listener(&mut self) {
        self.wait_for("a listener", |gateway| {
            let ended = gateway.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", gateway.log());
            gateway.log().contains("listening on").then_some(())
        });
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where its spool, its mail and its log are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// The log's lines of messages that were taken, in Exim's form.
    pub(crate) fn arrivals(&self) -> Vec<String> {
        self.log().lines().filter(|line| line.contains(" <= ")).map(str::to_owned).collect()
    }

    /// The messages in its Maildir, and in quarantine, whose field tells the cause.
    pub(crate) fn messages(&self) -> Vec<String> {
        let read = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let folders = [("mail/new", false), ("mail/.Quarantine/new", true)].into_iter();
        let all = folders.flat_map(|(folder, quarantined)| {
            let entries = fs::read_dir(self.folder.join(folder)).into_iter().flatten();
            entries.map(move |entry| (read(entry.unwrap().path()), quarantined))
        });
        let checked = all.map(|(message, quarantined)| {
            let header = message.split("\r\n\r\n").next().unwrap();
            assert_eq!(header.contains("\r\nX-Quarantine: "), quarantined, "{message}");
            message
        });
        checked.collect()
    }

    /// The events in its database, once there are as many: the name, the data, the recipient's local
    /// part and the number of the error.
    pub(crate) fn events(&mut self, count: usize) -> Vec<String> {
        self.wait_for("events", |gateway| {
            let file = gateway.folder.join("spool/gateway.sqlite");
            let database = Connection::open(file).ok()?;
            let sql = "SELECT event || '(' || data || ') ' || local_part || ' ' || defer_errno \
                FROM events ORDER BY id";
            let mut select = database.prepare(sql).ok()?;
            let rows: Result<Vec<String>, _> =
                select.query_map([], |row| row.get(0)).ok()?.collect();
            rows.ok().filter(|rows| rows.len() >= count)
        })
    }

    /// Waits until one message has come whose text holds `words`.
    pub(crate) fn message(&mut self, words: &str) -> String {
        self.wait_for(words, |gateway| gateway.messages().into_iter().find(|m| m.contains(words)))
    }

    /// Waits until a line of the log holds `words`.
    pub(crate) fn line(&mut self, words: &str) -> String {
        self.wait_for(words, |gateway| {
            gateway.log().lines().find(|line| line.contains(words)).map(str::to_owned)
        })
    }

    /// Waits until `look` finds something, for `what`.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if let Some(found) = look(self) {
                return found;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("waited for {what}: {}", self.log())
    }
}

impl Gateway {
    /// Sends it a signal, and waits for its end.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < Duration::from_mins(1), "{signal:?}: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes other options, has it read them, and waits until it has logged this once more.
    pub(crate) fn reload(&mut self, options: &str, logged: &str) {
        let text = configuration(self.port, &self.folder, options);
        let count = |gateway: &Self| gateway.log().matches(logged).count();
        let before = count(self);
        fs::write(self.folder.join("gateway.toml"), text).unwrap();
        self.signal(Signal::HUP);
        self.wait_for(logged, |gateway| (count(gateway) > before).then_some(()));
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| !ended) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn new_folder(port: u16) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gateway-{port}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn spawn(folder: &Path, environment: &[(&str, &str)]) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new(binary());
    command.arg("--config").arg(folder.join("gateway.toml")).current_dir(folder);
    command.envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

/// The example that cargo has built beside the tests.
pub(crate) fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples/gateway")
}

fn configuration(port: u16, folder: &Path, options: &str) -> String {
    let folder = folder.display();
    format!(
        "primary_hostname = 'gateway.test'
local_interfaces = '127.0.0.1.{port}'
local_domains = 'local.test'
host_lookup = ''
smtp_receive_timeout = '30s'
spool_directory = '{folder}/spool'
maildir = '{folder}/mail'
{options}
"
    )
}
