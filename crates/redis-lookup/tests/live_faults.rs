//! Servers that die, hang, are slow or refuse: each answer is correct or deferred, in time, and no command is executed
//! twice.

#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/lab.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod lab;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lab::{Lab, until};
use mail_types::exim::Query;
use redis_lookup::redis::Client;
use redis_lookup::{
    Cache, Command, Counters, DeferReason, Limits, LookupOutcome, Options, Servers,
};

fn command(text: &str) -> Command {
    let mut query = Query::default();
    query.push_literal(text.as_bytes());
    Command::new_with(&query, &Options::default().with_writes(true)).unwrap()
}

fn client(servers: &str, time: Duration) -> Client {
    Client::new(&Servers::parse(servers).unwrap(), &Options::default(), time).unwrap()
}

fn at(port: u16) -> String {
    format!("127.0.0.1::{port}//")
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn found(text: &str) -> LookupOutcome {
    LookupOutcome::Found(text.into())
}

fn percentile(times: &mut [Duration], part: usize) -> Duration {
    times.sort();
    times.get((times.len() - 1) * part / 100).copied().unwrap()
}

const TIME: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_restarted() {
    let Some(lab) = Lab::new() else { return };
    let mut redis = lab.server(0, "appendonly yes\nappendfsync always");
    let (client, get) = (client(&at(redis.port), TIME), command("get k"));
    assert_eq!(client.look_up(&command("set k v"), TIME).await, found("OK"));
    redis.kill();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let from = Instant::now();
        let outcome = client.look_up(&get, TIME).await;
        assert!(
            matches!(outcome, LookupOutcome::Deferred(DeferReason::Unreachable { .. })),
            "{outcome}"
        );
        slowest = slowest.max(from.elapsed());
        tokio::time::sleep(ms(10)).await;
    }
    println!("while the server is down a lookup took {slowest:?} at most");
    assert!(slowest < ms(100));
    redis.spawn();
    redis.wait();
    let back = Instant::now();
    loop {
        match client.look_up(&get, TIME).await {
            LookupOutcome::Deferred(_) => assert!(back.elapsed() < ms(1000), "it is not back"),
            outcome => break assert_eq!(outcome, found("v")),
        }
    }
    println!("service was back {:?} after the server", back.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_with_its_sockets_open() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    let (client, deadline) = (client(&at(redis.port), TIME), ms(500));
    assert_eq!(client.look_up(&command("set n 0"), TIME).await, found("OK"));
    redis.hang();
    let lookup = |client: Client| async move {
        let from = Instant::now();
        (client.look_up(&command("incr n"), deadline).await, from.elapsed())
    };
    let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(lookup(client.clone()))).collect();
    let (mut times, mut doubt) = (Vec::new(), 0_u64);
    for task in tasks {
        let (outcome, time) = task.await.unwrap();
        let LookupOutcome::Deferred(reason) = outcome else { panic!("{outcome}") };
        doubt += u64::from(reason.is_in_doubt());
        times.push(time);
    }
    let p99 = percentile(&mut times, 99);
    println!("deadline {deadline:?}: p99 of 1000 is {p99:?}, in doubt {doubt}");
    assert!(p99 < deadline + ms(50) && doubt == 1000);
    // The server is known to be down now: one lookup tries it, the others do not wait.
    let mut times = Vec::new();
    for _ in 0..20 {
        let (outcome, time) = lookup(client.clone()).await;
        assert!(matches!(outcome, LookupOutcome::Deferred(_)));
        times.push(time);
    }
    assert!(times.iter().all(|time| *time < deadline + ms(50)), "{times:?}");
    redis.go_on();
    let back = Instant::now();
    let number: u64 = loop {
        match client.look_up(&command("get n"), deadline).await {
            LookupOutcome::Found(number) => {
                break String::from_utf8(number).unwrap().parse().unwrap();
            }
            outcome => assert!(back.elapsed() < ms(1000), "{outcome}"),
        }
    };
    println!(
        "service was back {:?} after the server; {number} of {doubt} in doubt were done",
        back.elapsed()
    );
    // None that was not handed over in time, and none of the twenty.
    tokio::time::sleep(ms(300)).await;
    let later = client.look_up(&command("get n"), TIME).await;
    assert_eq!(later, found(&number.to_string()), "nothing is sent later");
    assert!(number <= doubt);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_and_says_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (client, deadline) = (client(&at(port), TIME), ms(300));
    let lookup = |client: Client| async move {
        let from = Instant::now();
        let outcome = client.look_up(&command("incr n"), deadline).await;
        let LookupOutcome::Deferred(reason) = outcome else { panic!("{outcome}") };
        assert!(!reason.is_in_doubt(), "nothing was sent: {reason}");
        from.elapsed()
    };
    let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(lookup(client.clone()))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.unwrap());
    }
    let p99 = percentile(&mut times, 99);
    println!("deadline {deadline:?}: p99 of 1000 is {p99:?}");
    assert!(p99 < deadline + ms(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "enable-debug-command yes");
    let client = client(&at(redis.port), TIME);
    assert_eq!(client.look_up(&command("set k v"), TIME).await, found("OK"));
    let port = redis.port;
    let slow = std::thread::spawn(move || lab::cli(port, &["debug", "sleep", "0.5"]));
    tokio::time::sleep(ms(100)).await;
    let patient = tokio::spawn({
        let client = client.clone();
        async move { client.look_up(&command("get k"), TIME).await }
    });
    tokio::time::sleep(ms(10)).await;
    let outcome = client.look_up(&command("get k"), ms(100)).await;
    assert_eq!(
        outcome,
        LookupOutcome::Deferred(DeferReason::TimedOut { limit: ms(100), sent: true })
    );
    assert_eq!(patient.await.unwrap(), found("v"), "the longer deadline gets an answer");
    slow.join().unwrap();
    until_found(&client, "get k", "v", ms(1000)).await;
}

async fn until_found(client: &Client, text: &str, value: &str, within: Duration) {
    let from = Instant::now();
    loop {
        match client.look_up(&command(text), TIME).await {
            LookupOutcome::Deferred(reason) => assert!(from.elapsed() < within, "{reason}"),
            outcome => return assert_eq!(outcome, found(value)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_made_twice_while_the_server_dies_again_and_again() {
    let Some(lab) = Lab::new() else { return };
    let mut redis = lab.server(0, "appendonly yes\nappendfsync always");
    let client = client(&at(redis.port), TIME);
    let (done, doubt, stop) = (counter(), counter(), counter());
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (client, done, doubt, stop) =
                (client.clone(), Arc::clone(&done), Arc::clone(&doubt), Arc::clone(&stop));
            tokio::spawn(async move {
                while stop.load(Ordering::Relaxed) == 0 {
                    match client.look_up(&command("incr n"), TIME).await {
                        LookupOutcome::Found(_) => drop(done.fetch_add(1, Ordering::Relaxed)),
                        LookupOutcome::Deferred(reason) => {
                            doubt.fetch_add(u64::from(reason.is_in_doubt()), Ordering::Relaxed);
                            tokio::time::sleep(ms(5)).await;
                        }
                        LookupOutcome::NotFound => panic!("INCR finds something"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..5 {
        tokio::time::sleep(ms(300)).await;
        redis.restart();
    }
    tokio::time::sleep(ms(700)).await;
    stop.store(1, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let (done, doubt) = (done.load(Ordering::Relaxed), doubt.load(Ordering::Relaxed));
    let number: u64 = redis.cli(&["get", "n"]).parse().unwrap();
    println!("{done} acknowledged, {doubt} in doubt, the server counts {number}");
    assert!(done > 1000 && (done..=done + doubt).contains(&number));
}

fn counter() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_while_idle_is_opened_anew_for_a_change_too() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    let client = client(&at(redis.port), TIME);
    for number in 1..20 {
        assert_eq!(client.look_up(&command("incr n"), TIME).await, found(&number.to_string()));
        redis.cli(&["client", "kill", "type", "normal"]);
        tokio::time::sleep(ms(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_finds_and_does_not_change() {
    let Some(lab) = Lab::new() else { return };
    let (master, port) = (lab.server(0, ""), lab.port(0));
    let replica = lab.server(1, &format!("replicaof 127.0.0.1 {port}"));
    master.cli(&["set", "k", "v"]);
    until(10, "the replica", || replica.cli(&["get", "k"]) == "v");
    let alone = client(&at(replica.port), TIME);
    assert_eq!(alone.look_up(&command("get k"), TIME).await, found("v"));
    let outcome = alone.look_up(&command("set k w"), TIME).await;
    let LookupOutcome::Deferred(DeferReason::Refused(refusal)) = outcome else {
        panic!("{outcome}")
    };
    assert_eq!(refusal.code(), b"READONLY");
    assert_eq!(alone.look_up(&command("get k"), TIME).await, found("v"));
    // Nothing was done, so that the next of the list may do it.
    let both = client(&[at(replica.port), at(port)].join(":"), TIME);
    assert_eq!(both.look_up(&command("set k w"), TIME).await, found("OK"));
    // It is told that its data is old.
    replica.cli(&["config", "set", "replica-serve-stale-data", "no"]);
    drop(master);
    until(10, "stale", || replica.cli(&["get", "k"]).starts_with("MASTERDOWN"));
    let outcome = alone.look_up(&command("get k"), TIME).await.to_string();
    assert!(outcome.contains("MASTERDOWN"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loads_its_data_finds_nothing_yet() {
    let Some(lab) = Lab::new() else { return };
    let mut redis = lab.server(0, "key-load-delay 400\nloading-process-events-interval-bytes 1024");
    let client = client(&at(redis.port), TIME);
    redis.cli(&["eval", "for i = 1, 5000 do redis.call('set', 'k' .. i, 'v' .. i) end", "0"]);
    redis.cli(&["save"]);
    assert_eq!(client.look_up(&command("get k7"), TIME).await, found("v7"));
    redis.restart();
    let (mut loading, from) = (0, Instant::now());
    loop {
        match client.look_up(&command("get k7"), TIME).await {
            LookupOutcome::Deferred(reason) => {
                loading += u32::from(reason.to_string().contains("LOADING"));
                assert!(from.elapsed() < Duration::from_secs(20), "{reason}");
                tokio::time::sleep(ms(10)).await;
            }
            outcome => break assert_eq!(outcome, found("v7")),
        }
    }
    println!("{loading} lookups were deferred while it loaded");
    assert!(loading > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_too_long_does_not_fill_the_memory() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    redis.cli(&["eval", "redis.call('set', 'big', string.rep('x', 20000000))", "0"]);
    redis.cli(&["eval", "redis.call('set', 'long', string.rep('x', 2000))", "0"]);
    let limits = Limits::default().with_reply(1000).with_elements(100);
    let options = Options::default().with_limits(limits);
    let client = Client::new(&Servers::parse(&at(redis.port)).unwrap(), &options, TIME).unwrap();
    let long = client.look_up(&command("get long"), TIME).await;
    assert_eq!(long, LookupOutcome::Deferred(DeferReason::TooLong { limit: 1000 }));
    let big = client.look_up(&command("get big"), TIME).await;
    assert_eq!(big, LookupOutcome::Deferred(DeferReason::Flood { limit: 8400 }));
    assert_eq!(client.look_up(&command("get none"), TIME).await, LookupOutcome::NotFound);
}

#[derive(Default)]
struct Counted {
    found: AtomicU64,
    not_found: AtomicU64,
    deferred: AtomicU64,
    given_up: AtomicU64,
}

impl Counters for Counted {
    fn lookup(&self, outcome: Option<&LookupOutcome>, latency: Duration) {
        assert!(latency < Duration::from_secs(5));
        let counter = match outcome {
            Some(LookupOutcome::Found(_)) => &self.found,
            Some(LookupOutcome::NotFound) => &self.not_found,
            Some(LookupOutcome::Deferred(_)) => &self.deferred,
            None => &self.given_up,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_are_counted_and_cached_where_that_is_wanted() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    let counted = Arc::new(Counted::default());
    let client = client(&at(redis.port), TIME).with_counters(Arc::<Counted>::clone(&counted));
    let cached = client.clone().with_cache(Cache::new(ms(200)));
    assert_eq!(cached.look_up(&command("get k"), TIME).await, LookupOutcome::NotFound);
    assert_eq!(client.look_up(&command("set k v"), TIME).await, found("OK"));
    assert_eq!(cached.look_up(&command("get k"), TIME).await, LookupOutcome::NotFound);
    assert_eq!(client.look_up(&command("get k"), TIME).await, found("v"));
    assert_eq!(cached.look_up(&command("incr n"), TIME).await, found("1"));
    assert_eq!(cached.look_up(&command("incr n"), TIME).await, found("2"));
    tokio::time::sleep(ms(250)).await;
    assert_eq!(cached.look_up(&command("get k"), TIME).await, found("v"));
    assert!(matches!(client.look_up(&command("lpop k"), TIME).await, LookupOutcome::Deferred(_)));
    redis.hang();
    let get = command("get k");
    let given_up = tokio::time::timeout(ms(50), client.look_up(&get, TIME));
    assert!(given_up.await.is_err());
    redis.go_on();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    assert_eq!((count(&counted.found), count(&counted.not_found)), (5, 2));
    assert_eq!((count(&counted.deferred), count(&counted.given_up)), (1, 1));
}
