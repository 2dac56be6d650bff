//! Servers of Redis that a test starts, stops, hangs and ends, each by its pid, on loopback.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A hundred ports that no other test uses while this lives, and a folder that is removed in the end.
pub(crate) struct Lab {
    pub(crate) first: u16,
    pub(crate) folder: PathBuf,
    _claim: TcpListener,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Lab {
    /// Claims the ports, unless there is no Redis.
    pub(crate) fn new() -> Option<Self> {
        if std::env::var_os("EXIMIA_PEERS").is_some_and(|wanted| wanted == "none") {
            println!("SKIPPED: no peers are wanted");
            return None;
        }
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no redis-server");
            println!("SKIPPED: redis-server is not installed");
            return None;
        }
        Some(Self::claim())
    }

    fn claim() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let claim = |first: u16| Some((first, TcpListener::bind(("127.0.0.1", first + 99)).ok()?));
        let (first, claim) = (11_000..20_000).step_by(100).find_map(claim).unwrap();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("redis-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { first, folder, _claim: claim }
    }

    pub(crate) fn port(&self, index: u16) -> u16 {
        self.first + index
    }

    /// Starts a server at this port of the lab, and waits until it answers.
    pub(crate) fn server(&self, index: u16, options: &str) -> Redis {
        let (port, folder) = (self.port(index), self.folder.join(index.to_string()));
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "bind 127.0.0.1 -::1\nprotected-mode no\nport {port}\nsave \"\"\nappendonly no\ndir {}\n{options}\n",
            folder.display()
        );
        fs::write(folder.join("redis.conf"), config).unwrap();
        Redis::start(port, folder, &[])
    }

    /// Starts a sentinel for the master `m` at this address.
    pub(crate) fn sentinel(&self, index: u16, master: u16, options: &str) -> Redis {
        let (port, folder) = (self.port(index), self.folder.join(index.to_string()));
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "bind 127.0.0.1\nprotected-mode no\nport {port}\ndir {}\nsentinel monitor m 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds m 1000\nsentinel failover-timeout m 5000\n{options}\n",
            folder.display()
        );
        fs::write(folder.join("redis.conf"), config).unwrap();
        Redis::start(port, folder, &["--sentinel"])
    }
}

/// A server, ended with this.
pub(crate) struct Redis {
    pub(crate) port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Redis {
    fn start(port: u16, folder: PathBuf, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut redis = Self { port, folder, arguments, child: None };
        redis.spawn();
        redis.wait();
        redis
    }

    /// Starts it, and does not wait.
    pub(crate) fn spawn(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command.arg(self.folder.join("redis.conf")).args(&self.arguments).stdin(Stdio::null());
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Waits until it accepts connections.
    pub(crate) fn wait(&self) {
        let from = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap();
            assert!(from.elapsed() < Duration::from_secs(10), "{}", log());
            sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.spawn();
        self.wait();
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it as it is, with its connections open.
    pub(crate) fn hang(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `redis-cli` prints for these arguments.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments)
    }
}

pub(crate) fn cli(port: u16, arguments: &[&str]) -> String {
    let port = port.to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Asks until the answer is right, for this many seconds at most.
pub(crate) fn until(seconds: u64, what: &str, mut is_so: impl FnMut() -> bool) {
    let from = Instant::now();
    while !is_so() {
        assert!(from.elapsed() < Duration::from_secs(seconds), "{what}");
        sleep(Duration::from_millis(20));
    }
}

/// A cluster of three masters with a replica each. Without fsync Redis writes to its file before each reply.
pub(crate) fn cluster(lab: &Lab) -> Vec<Redis> {
    let node = |index: u16| {
        let options = format!(
            "cluster-enabled yes\ncluster-config-file nodes.conf\ncluster-node-timeout 2000\n\
             repl-diskless-sync-delay 0\nappendonly yes\nappendfsync no\ncluster-port {}",
            lab.port(index + 10)
        );
        lab.server(index, &options)
    };
    let nodes: Vec<_> = (0..6).map(node).collect();
    let addresses: Vec<_> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    let made = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(&addresses)
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    for node in &nodes {
        until(20, "the cluster", || node.cli(&["cluster", "info"]).contains("cluster_state:ok"));
        until(20, "the copies", || {
            let copies = node.cli(&["info", "replication"]);
            copies.contains("master_link_status:up") || copies.contains("state=online")
        });
    }
    nodes
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
