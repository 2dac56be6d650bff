//! Lookups in Redis beside the crate `redis` alone, over one multiplexed connection each, at a server started
//! here. The two take turns; the result is the median of the ratios of their rates.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::env;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command as Program, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use benches::median;
use mail_types::exim::Query;
use redis::aio::MultiplexedConnection;
use redis_lookup::redis::Client;
use redis_lookup::{Command, LookupOutcome, Options, Servers};
use tokio::runtime::{Builder, Runtime};

/// A server, ended by its pid.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    if env::args().any(|argument| argument == "--list") {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let options = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""];
    let server = Program::new("redis-server").args(options).stdout(Stdio::null()).spawn();
    let Ok(server) = server else {
        println!("SKIPPED: redis-server is not installed");
        return;
    };
    let _server = Server(server);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        sleep(Duration::from_millis(10));
    }
    let is_test = env::args().any(|argument| argument == "--test");
    let (rounds, time) =
        if is_test { (1, Duration::from_millis(20)) } else { (31, Duration::from_millis(200)) };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let servers = Servers::parse(&format!("127.0.0.1::{port}//")).unwrap();
    let client = Client::new(&servers, &Options::default(), Duration::from_secs(5)).unwrap();
    let bare = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
    let bare = runtime.block_on(bare.get_multiplexed_async_connection()).unwrap();
    fill(&runtime, &bare);
    println!("Lookups a second beside bare redis-rs (median of {rounds} rounds)\n");
    for (query, tasks) in [("GET k", 1), ("GET k", 64), ("SMEMBERS s", 1), ("SMEMBERS s", 64)] {
        let row = format!("{query}, {tasks} tasks");
        let bar = benches::bar("rate", &row).unwrap_or(f64::NAN);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            theirs.push(runtime.block_on(bare_rate(&bare, query, tasks, time)));
            ours.push(runtime.block_on(our_rate(&client, query, tasks, time)));
        }
        let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs));
        let (ours, theirs) = (median(ours), median(theirs));
        let verdict = if ratio >= bar { "met" } else { "MISSED" };
        println!("{row}: ours {ours:.0}, redis-rs {theirs:.0}");
        println!("  ratio of the rates {ratio:.2}, at least {bar:.2} {verdict}");
    }
}

fn fill(runtime: &Runtime, bare: &MultiplexedConnection) {
    let mut bare = bare.clone();
    let members: Vec<_> = (0..10).map(|member| format!("member{member}")).collect();
    let mut filled = redis::pipe();
    filled.cmd("SET").arg("k").arg("value").ignore();
    filled.cmd("SADD").arg("s").arg(members).ignore();
    runtime.block_on(filled.query_async::<()>(&mut bare)).unwrap();
}

async fn our_rate(client: &Client, text: &str, tasks: u32, time: Duration) -> f64 {
    let mut query = Query::default();
    query.push_literal(text.as_bytes());
    let command = Command::new(&query).unwrap();
    let from = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (client, command) = (client.clone(), command.clone());
            tokio::spawn(async move {
                let mut count = 0.0;
                while from.elapsed() < time {
                    let outcome = client.look_up(&command, Duration::from_secs(5)).await;
                    assert!(matches!(outcome, LookupOutcome::Found(_)));
                    count += 1.0;
                }
                count
            })
        })
        .collect();
    sum(tasks).await / from.elapsed().as_secs_f64()
}

async fn bare_rate(bare: &MultiplexedConnection, text: &str, tasks: u32, time: Duration) -> f64 {
    let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    let from = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (mut bare, words) = (bare.clone(), words.clone());
            tokio::spawn(async move {
                let mut count = 0.0;
                while from.elapsed() < time {
                    // A program with a new key for each lookup makes a command each time.
                    let mut command = redis::Cmd::new();
                    for word in &words {
                        command.arg(word);
                    }
                    let value: redis::Value = command.query_async(&mut bare).await.unwrap();
                    assert_ne!(value, redis::Value::Nil);
                    count += 1.0;
                }
                count
            })
        })
        .collect();
    sum(tasks).await / from.elapsed().as_secs_f64()
}

async fn sum(tasks: Vec<tokio::task::JoinHandle<f64>>) -> f64 {
    let mut sum = 0.0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}
