//! Clusters and sentinels whose master dies under load: the client finds the successor, and no command is executed
//! twice.

#![cfg(feature = "redis")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/lab.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod lab;

use std::process::Command as Program;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lab::{Lab, Redis, until};
use mail_types::exim::Query;
use redis_lookup::redis::Client;
use redis_lookup::{Command, LookupOutcome, Options, Servers};

fn command(text: &str) -> Command {
    let mut query = Query::default();
    query.push_literal(text.as_bytes());
    Command::new_with(&query, &Options::default().with_writes(true)).unwrap()
}

fn client(servers: &str) -> Client {
    Client::new(&Servers::parse(servers).unwrap(), &Options::default(), TIME).unwrap()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn found(text: &str) -> LookupOutcome {
    LookupOutcome::Found(text.into())
}

const TIME: Duration = Duration::from_secs(2);

/// Tasks that increment a counter, and the replies they got.
struct Load {
    told: Arc<Told>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Told {
    stop: AtomicBool,
    /// Whether the first master is dead.
    dead: AtomicBool,
    done: AtomicU64,
    /// Of the first master, and then of its successor.
    masters: [Mutex<Tally>; 2],
}

#[derive(Clone, Default)]
struct Tally {
    numbers: Vec<u64>,
    doubt: u64,
}

impl Tally {
    fn acknowledged(&self) -> u64 {
        u64::try_from(self.numbers.len()).unwrap()
    }

    /// The server's count is the acknowledged increments plus at most those in doubt.
    fn agrees_with(&self, who: &str, counted: u64) {
        let (done, doubt) = (self.acknowledged(), self.doubt);
        println!("{who}: {done} acknowledged, {doubt} in doubt, {counted} counted");
        assert!((done..=done + doubt).contains(&counted));
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), self.numbers.len(), "each number is of one count");
    }
}

impl Load {
    fn start(client: &Client, key: &str) -> Self {
        let told = Arc::new(Told::default());
        let task = |_| {
            let (client, command) = (client.clone(), command(&format!("incr {key}")));
            let told = Arc::clone(&told);
            tokio::spawn(async move {
                while !told.stop.load(Ordering::Relaxed) {
                    let master = usize::from(told.dead.load(Ordering::SeqCst));
                    let outcome = client.look_up(&command, ms(500)).await;
                    let tally = || told.masters.get(master).unwrap().lock().unwrap();
                    match outcome {
                        LookupOutcome::Found(number) => {
                            let number = String::from_utf8(number).unwrap().parse().unwrap();
                            tally().numbers.push(number);
                            told.done.fetch_add(1, Ordering::Relaxed);
                        }
                        LookupOutcome::Deferred(reason) => {
                            tally().doubt += u64::from(reason.is_in_doubt());
                            tokio::time::sleep(ms(10)).await;
                        }
                        LookupOutcome::NotFound => panic!("INCR finds something"),
                    }
                }
            })
        };
        let tasks = (0..64).map(task).collect();
        Self { told, tasks }
    }

    fn done(&self) -> u64 {
        self.told.done.load(Ordering::Relaxed)
    }

    /// Ends the first master: what begins from now on is of the second, which takes longer than any
    /// lookup to be one.
    fn kill(&self, master: &mut Redis) {
        master.kill();
        self.told.dead.store(true, Ordering::SeqCst);
    }

    /// Waits until something is done again.
    async fn goes_on(&self, within: Duration) {
        let (before, from) = (self.done(), Instant::now());
        while self.done() < before + 64 {
            assert!(from.elapsed() < within, "nothing is done any more");
            tokio::time::sleep(ms(10)).await;
        }
    }

    /// Ends it, and compares the replies with the count in the file of the dead master and that of its
    /// successor.
    async fn end(self, who: &str, dead: u64, counted: u64) {
        self.told.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let [old, new] = &self.told.masters;
        old.lock().unwrap().agrees_with(&format!("{who}, the dead master"), dead);
        let new = new.lock().unwrap();
        // It starts with the count copied to it.
        let copied = new.numbers.iter().min().unwrap() - 1;
        new.agrees_with(&format!("{who}, its successor, from {copied} on"), counted - copied);
    }

    fn stop(&self) {
        self.told.stop.store(true, Ordering::Relaxed);
    }
}

/// Reads a number from the file of a server that is dead.
fn in_file(lab: &Lab, dead: &Redis, database: &str) -> u64 {
    let folder = format!("appendonly yes\ndir {}", lab::path(dead.folder()));
    let server = lab.server(60, &folder);
    let read = || server.cli(&["-n", database, "get", "n"]).parse();
    until(10, "the file", || read().is_ok());
    read().unwrap()
}

fn cluster_cli(port: u16, arguments: &[&str]) -> String {
    let port = port.to_string();
    let output =
        Program::new("redis-cli").args(["-c", "-p", &port]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns the port of the node with the slot of this key.
fn owner(nodes: &[Redis], key: &str) -> u16 {
    for node in nodes {
        let said = node.cli(&["get", key]);
        match said.strip_prefix("MOVED ") {
            Some(moved) => return moved.rsplit(':').next().unwrap().parse().unwrap(),
            None if !said.starts_with("Could not") => return node.port,
            None => {}
        }
    }
    panic!("no node has {key}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_master_dies_under_64_tasks() {
    let Some(lab) = Lab::new() else { return };
    let mut nodes = lab::cluster(&lab);
    // One address, of the node that will die.
    let dying = owner(&nodes, "n");
    let client = client(&format!("<; redis+cluster://127.0.0.1:{dying}"));
    for key in 0..100 {
        assert_eq!(
            client.look_up(&command(&format!("set k{key} v{key}")), TIME).await,
            found("OK")
        );
        assert_eq!(
            client.look_up(&command(&format!("get k{key}")), TIME).await,
            found(&format!("v{key}"))
        );
    }
    assert_eq!(client.look_up(&command("ping"), TIME).await, found("PONG"));
    let crossed = client.look_up(&command("mget k1 k2"), TIME).await.to_string();
    assert!(crossed.contains("CROSSSLOT"), "{crossed}");

    let load = Load::start(&client, "n");
    tokio::time::sleep(ms(1000)).await;
    let at = nodes.iter().position(|node| node.port == dying).unwrap();
    let mut dead = nodes.remove(at);
    load.kill(&mut dead);
    let killed = Instant::now();
    until(20, "a new master", || {
        nodes.iter().any(|node| {
            let slots = node.cli(&["cluster", "nodes"]);
            slots.lines().any(|line| line.contains("myself,master") && line.contains('-'))
                && node.cli(&["get", "n"]).parse::<u64>().is_ok()
        })
    });
    let promoted = Instant::now();
    load.goes_on(ms(1000)).await;
    println!(
        "cluster: a new master after {:?}, service {:?} later",
        promoted - killed,
        promoted.elapsed()
    );
    tokio::time::sleep(ms(300)).await;
    load.stop();
    tokio::time::sleep(ms(600)).await;
    let counted = cluster_cli(nodes.first().unwrap().port, &["get", "n"]).parse().unwrap();
    load.end("cluster", in_file(&lab, &dead, "0"), counted).await;
    // The keys of the other nodes were there all the time; those of this one are again.
    for key in 0..100 {
        let value = client.look_up(&command(&format!("get k{key}")), TIME).await;
        assert_eq!(value, found(&format!("v{key}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_is_followed() {
    let Some(lab) = Lab::new() else { return };
    let nodes = lab::cluster(&lab);
    let from = owner(&nodes, "n");
    let client = client(&format!("<; redis+cluster://127.0.0.1:{from}"));
    assert_eq!(client.look_up(&command("set n 1"), TIME).await, found("OK"));
    let master = |node: &&Redis| node.cli(&["role"]).starts_with("master") && node.port != from;
    let to = nodes.iter().find(master).unwrap();
    let source = nodes.iter().find(|node| node.port == from).unwrap();
    let (source_id, target_id) = (source.cli(&["cluster", "myid"]), to.cli(&["cluster", "myid"]));
    let slot = redis_lookup::slot(b"n").to_string();
    to.cli(&["cluster", "setslot", &slot, "importing", &source_id]);
    source.cli(&["cluster", "setslot", &slot, "migrating", &target_id]);
    source.cli(&["migrate", "127.0.0.1", &to.port.to_string(), "n", "0", "1000"]);
    // ASK, and then MOVED.
    assert_eq!(client.look_up(&command("incr n"), TIME).await, found("2"));
    for node in [to, source] {
        node.cli(&["cluster", "setslot", &slot, "node", &target_id]);
    }
    assert_eq!(client.look_up(&command("incr n"), TIME).await, found("3"));
    assert_eq!(client.look_up(&command("incr n"), TIME).await, found("4"));
}

/// A master with two replicas, and three sentinels, which have a password of their own.
fn group(lab: &Lab) -> (Vec<Redis>, Vec<Redis>) {
    let first = lab.port(0);
    // During an fsync Redis replies before it writes to the file, which is compared below.
    let login =
        "requirepass pw\nmasterauth pw\nappendonly yes\nappendfsync no\nrepl-diskless-sync-delay 0";
    let replica = format!("{login}\nreplicaof 127.0.0.1 {first}");
    let servers = vec![lab.server(0, login), lab.server(1, &replica), lab.server(2, &replica)];
    let options = "requirepass spw\nsentinel sentinel-pass spw\nsentinel auth-pass m pw";
    let sentinels: Vec<_> = (10..13).map(|index| lab.sentinel(index, first, options)).collect();
    for sentinel in &sentinels {
        until(20, "the sentinels", || {
            let known = sentinel.cli(&["-a", "spw", "sentinel", "ckquorum", "m"]);
            let replicas = sentinel.cli(&["-a", "spw", "sentinel", "replicas", "m"]);
            known.starts_with("OK 3") && replicas.matches("runid").count() == 2
        });
    }
    (servers, sentinels)
}

fn master(sentinel: &Redis) -> u16 {
    let said = sentinel.cli(&["-a", "spw", "sentinel", "get-master-addr-by-name", "m"]);
    said.lines().last().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_name_the_next_master() {
    let Some(lab) = Lab::new() else { return };
    let (mut servers, mut sentinels) = group(&lab);
    // One of the sentinels is known; the others are learned of.
    let known = sentinels.first().unwrap().port;
    let client =
        client(&format!("<; redis+sentinel://:pw@127.0.0.1:{known}/m/3?sentinel_password=spw"));
    let load = Load::start(&client, "n");
    load.goes_on(TIME).await;
    tokio::time::sleep(ms(500)).await;
    // That one goes.
    drop(sentinels.remove(0));
    let old = master(sentinels.first().unwrap());
    let at = servers.iter().position(|server| server.port == old).unwrap();
    let mut dead = servers.remove(at);
    load.kill(&mut dead);
    let in_file = in_file(&lab, &dead, "3");
    let killed = Instant::now();
    until(30, "a new master", || {
        let new = master(sentinels.first().unwrap());
        new != old && lab::cli(new, &["-a", "pw", "role"]).contains("master")
    });
    let promoted = Instant::now();
    load.goes_on(ms(1000)).await;
    println!(
        "sentinel: a new master after {:?}, service {:?} later",
        promoted - killed,
        promoted.elapsed()
    );
    // The old one comes back, and is made a replica.
    dead.spawn();
    dead.wait();
    tokio::time::sleep(ms(1000)).await;
    load.goes_on(ms(1000)).await;
    load.stop();
    tokio::time::sleep(ms(600)).await;
    let new = master(sentinels.first().unwrap());
    let counted = lab::cli(new, &["-a", "pw", "-n", "3", "get", "n"]).parse().unwrap();
    load.end("sentinel", in_file, counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_hangs_is_replaced_and_one_that_was_demoted_is_left() {
    let Some(lab) = Lab::new() else { return };
    let (servers, sentinels) = group(&lab);
    let ports: Vec<_> = sentinels.iter().map(|s| format!("127.0.0.1:{}", s.port)).collect();
    let text = format!("<; redis+sentinel://:pw@{}/m?sentinel_password=spw", ports.join(","));
    let client = client(&text);
    assert_eq!(client.look_up(&command("set k v"), TIME).await, found("OK"));
    // A failover by hand: the old master answers READONLY from now on.
    let old = master(sentinels.first().unwrap());
    until(30, "a replica that is good enough", || {
        sentinels.first().unwrap().cli(&["-a", "spw", "sentinel", "failover", "m"]) == "OK"
    });
    until(30, "a failover", || {
        let new = master(sentinels.first().unwrap());
        new != old && lab::cli(old, &["-a", "pw", "role"]).contains("slave")
    });
    let from = Instant::now();
    loop {
        match client.look_up(&command("set k w"), TIME).await {
            LookupOutcome::Deferred(reason) => assert!(from.elapsed() < ms(1000), "{reason}"),
            outcome => break assert_eq!(outcome, found("OK")),
        }
    }
    // The next one hangs with its sockets open.
    let hung = master(sentinels.first().unwrap());
    servers.iter().find(|server| server.port == hung).unwrap().hang();
    until(40, "another failover", || master(sentinels.first().unwrap()) != hung);
    let from = Instant::now();
    loop {
        match client.look_up(&command("set k x"), ms(300)).await {
            LookupOutcome::Deferred(reason) => assert!(from.elapsed() < ms(2000), "{reason}"),
            outcome => break assert_eq!(outcome, found("OK")),
        }
    }
    println!("sentinel: service {:?} after the next master of one that hangs", from.elapsed());
    servers.iter().find(|server| server.port == hung).unwrap().go_on();
    for _ in 0..50 {
        assert_eq!(client.look_up(&command("get k"), TIME).await, found("x"), "never the old one");
        tokio::time::sleep(ms(20)).await;
    }
    let unknown = self::client(&text.replace("/m?", "/other?"));
    let outcome = unknown.look_up(&command("get k"), TIME).await.to_string();
    assert!(outcome.contains("no master has the name other"), "{outcome}");
    let unnamed = self::client(&text.replace("spw", "hunter2"));
    let outcome = unnamed.look_up(&command("get k"), TIME).await.to_string();
    assert!(outcome.contains("WRONGPASS") && !outcome.contains("hunter2"), "{outcome}");
}
