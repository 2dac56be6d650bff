//! The client's deadlines, to the millisecond, under a clock that stands still while there is something to do.
//!
//! Servers are sockets of the tests' own: on a Unix socket nothing is under way that the clock could overtake.

#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mail_types::exim::Query;
use redis_lookup::redis::Client;
use redis_lookup::{Cache, Command, Counters, DeferReason, LookupOutcome, Options, Servers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, sleep, timeout};

/// The limit for opening a connection.
const TIME: Duration = Duration::from_secs(2);

/// After how long a server replies to the command of this name, and what; `None` is silence.
type Script = fn(&str) -> Option<(Duration, &'static [u8])>;

const PONG: &[u8] = b"+PONG\r\n";
const VALUE: &[u8] = b"$1\r\nv\r\n";

/// A server, and the commands that it got.
struct Server {
    path: PathBuf,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Names its socket, without listening yet.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sock"));
        let _ = fs::remove_file(&path);
        Self { path, commands: Arc::default() }
    }

    fn start(name: &str, script: Script) -> Self {
        let server = Self::new(name);
        server.listen(script);
        server
    }

    fn listen(&self, script: Script) {
        let listener = UnixListener::bind(&self.path).unwrap();
        let commands = Arc::clone(&self.commands);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, Arc::clone(&commands)));
            }
        });
    }

    fn item(&self) -> String {
        format!("({})//", self.path.display())
    }

    fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }
}

/// Replies to one command after the other; each comes whole, and alone.
async fn serve(mut stream: UnixStream, script: Script, commands: Arc<Mutex<Vec<String>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let text = String::from_utf8_lossy(buffer.get(..count).unwrap()).into_owned();
        let name = text.lines().nth(2).unwrap().to_ascii_uppercase();
        let reply = script(&name);
        commands.lock().unwrap().push(name);
        let Some((after, reply)) = reply else { continue };
        sleep(after).await;
        stream.write_all(reply).await.unwrap();
    }
}

fn client(servers: &[&Server]) -> Client {
    let items: Vec<_> = servers.iter().map(|server| server.item()).collect();
    Client::new(&Servers::parse(&items.join(" : ")).unwrap(), &Options::default(), TIME).unwrap()
}

fn command(text: &str) -> Command {
    let mut query = Query::default();
    query.push_literal(text.as_bytes());
    Command::new_with(&query, &Options::default().with_writes(true)).unwrap()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn found() -> LookupOutcome {
    LookupOutcome::Found(b"v".into())
}

fn timed_out(limit: Duration, sent: bool) -> LookupOutcome {
    LookupOutcome::Deferred(DeferReason::TimedOut { limit, sent })
}

/// The outcome of a lookup, and how long it took.
async fn look_up(client: &Client, text: &str, time: Duration) -> (LookupOutcome, Duration) {
    let from = Instant::now();
    let outcome = client.look_up(&command(text), time).await;
    (outcome, from.elapsed())
}

/// Replies at once to what opens a connection, and to others after a fifth of a second.
#[expect(clippy::unnecessary_wraps, reason = "it is one of those that may be silent")]
fn slow(name: &str) -> Option<(Duration, &'static [u8])> {
    Some(if name == "PING" { (ms(0), PONG) } else { (ms(200), VALUE) })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_costs_the_deadline_and_no_more() {
    let server = Server::start("silent", |_| None);
    let client = client(&[&server]);
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { look_up(&client, "GET k", ms(300)).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), (timed_out(ms(300), false), ms(300)));
    }
    // The limit for opening is another, which ends earlier than this deadline.
    let other = self::client(&[&server]);
    let (outcome, time) = look_up(&other, "GET k", ms(5000)).await;
    let LookupOutcome::Deferred(DeferReason::Unreachable { why, .. }) = outcome else {
        unreachable!()
    };
    assert_eq!((why.as_str(), time), ("no connection within 2s", TIME));
}

#[tokio::test(start_paused = true)]
async fn one_deadline_is_over_opening_and_reply() {
    let both = |name: &str| Some((ms(200), if name == "PING" { PONG } else { VALUE }));
    let server = Server::start("both", both);
    let (outcome, time) = look_up(&client(&[&server]), "GET k", ms(399)).await;
    assert_eq!((outcome, time), (timed_out(ms(399), true), ms(399)));
    let (outcome, time) = look_up(&client(&[&server]), "GET k", ms(401)).await;
    assert_eq!((outcome, time), (found(), ms(400)));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_caller_has_given_up_is_never_sent() {
    let late = |name: &str| Some((ms(400), if name == "PING" { PONG } else { VALUE }));
    let server = Server::start("late", late);
    let client = client(&[&server]);
    let (outcome, time) = look_up(&client, "INCR n", ms(300)).await;
    assert_eq!((outcome, time), (timed_out(ms(300), false), ms(300)));
    let increment = command("INCR n");
    timeout(ms(50), client.look_up(&increment, TIME)).await.unwrap_err();
    sleep(ms(5000)).await;
    assert_eq!(server.commands(), ["PING"]);
    // The connection that was in the making serves the next.
    let (outcome, time) = look_up(&client, "INCR n", ms(500)).await;
    assert_eq!((outcome, time), (found(), ms(400)));
    assert_eq!(server.commands(), ["PING", "INCR"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_costs_nothing_and_is_tried_when_it_is_due() {
    let server = Server::new("down");
    let client = client(&[&server]);
    let from = Instant::now();
    // Pauses of 25, 50, 100, 200 and 250 ms: the attempts are at 0, 25, 75, 175, 375, 625 and 875 ms.
    while from.elapsed() < ms(700) {
        let (outcome, time) = look_up(&client, "GET k", TIME).await;
        assert!(
            matches!(outcome, LookupOutcome::Deferred(DeferReason::Unreachable { .. })),
            "{outcome}"
        );
        assert_eq!(time, ms(0));
        sleep(ms(1)).await;
    }
    server.listen(slow);
    loop {
        let (outcome, time) = look_up(&client, "GET k", TIME).await;
        if outcome == found() {
            assert_eq!(time, ms(200));
            break;
        }
        assert_eq!(time, ms(0), "{outcome}");
        sleep(ms(1)).await;
    }
    assert_eq!(from.elapsed(), ms(875 + 200));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_leaves_the_next_in_time_and_then_costs_nothing() {
    let (silent, good) = (Server::start("first", |_| None), Server::start("second", slow));
    let client = client(&[&silent, &good]);
    assert_eq!(look_up(&client, "GET k", ms(5000)).await, (found(), TIME + ms(200)));
    // The first is tried again when it is due, and nobody waits for it.
    for _ in 0..20 {
        assert_eq!(look_up(&client, "GET k", ms(5000)).await, (found(), ms(200)));
    }
    assert_eq!(good.commands().len(), 22);
    assert_eq!(silent.commands(), ["PING"; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_does_not_come_costs_one_deadline_and_then_nothing() {
    let mute = |name: &str| (name == "PING").then_some((ms(0), PONG));
    let server = Server::start("mute", mute);
    let client = client(&[&server]);
    let (outcome, time) = look_up(&client, "INCR n", ms(250)).await;
    assert_eq!((outcome, time), (timed_out(ms(250), true), ms(250)));
    assert_eq!(server.commands(), ["PING", "INCR"], "a change is not sent again");
}

#[derive(Default)]
struct Latencies(Mutex<Vec<(String, Duration)>>);

impl Counters for Latencies {
    fn lookup(&self, outcome: Option<&LookupOutcome>, latency: Duration) {
        let outcome = outcome.map_or_else(|| "given up".to_owned(), ToString::to_string);
        self.0.lock().unwrap().push((outcome, latency));
    }
}

#[tokio::test(start_paused = true)]
async fn latencies_and_the_life_of_cached_results_are_exact() {
    let server = Server::start("counted", slow);
    let counted = Arc::new(Latencies::default());
    let client = client(&[&server]).with_counters(Arc::<Latencies>::clone(&counted));
    assert_eq!(look_up(&client, "GET k", ms(300)).await.0, found());
    assert_eq!(look_up(&client, "GET k", ms(100)).await.0, timed_out(ms(100), true));
    timeout(ms(50), client.look_up(&command("GET k"), TIME)).await.unwrap_err();
    let expected = [("found: v", 200), ("deferred: no reply within 100ms", 100), ("given up", 50)];
    let expected = expected.map(|(outcome, latency)| (outcome.to_owned(), ms(latency)));
    assert_eq!(*counted.0.lock().unwrap(), expected);

    let cached = self::client(&[&server]).with_cache(Cache::new(ms(1000)));
    assert_eq!(look_up(&cached, "GET k", TIME).await, (found(), ms(200)));
    sleep(ms(999)).await;
    assert_eq!(look_up(&cached, "GET k", TIME).await, (found(), ms(0)));
    sleep(ms(1)).await;
    assert_eq!(look_up(&cached, "GET k", TIME).await, (found(), ms(200)));
}
