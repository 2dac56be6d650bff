//! Lookups over the crate `redis`, on tokio.

mod connection;
mod conversion;
mod opening;
mod stream;
mod tls;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::tokio::sync::watch;
use ::tokio::time::timeout;

use self::connection::{Connection, Way};
use self::opening::Opened;
use self::tls::Connector;
pub use self::tls::StartError;
use crate::{
    Attempt, Cache, Command, Counters, DeferReason, Failover, Failure, Limits, Link, LookupOutcome,
    Mode, Next, Options, Reply, Server, Servers,
};

/// A client for the servers of a list. Clones share its connections, one for each server, which many lookups use at
/// the same time.
///
/// [`Failover`] makes the decisions: the next server, and the next attempt at a dead one. A command that may change data
/// is never sent twice, and no command is sent after its caller has given up. A connection is opened when a lookup
/// first needs it, on that lookup's runtime.
///
/// ```no_run
/// # async fn example(command: redis_lookup::Command) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use redis_lookup::redis::Client;
/// use redis_lookup::{Options, Servers};
///
/// let servers = Servers::parse("127.0.0.1/10/")?;
/// let client = Client::new(&servers, &Options::default(), Duration::from_secs(5))?;
/// let outcome = client.look_up(&command, Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    cache: Option<Arc<Mutex<Cache>>>,
    counters: Option<Arc<dyn Counters>>,
}

struct Shared {
    servers: Vec<(Server, Connector)>,
    mode: Mode,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    failover: Failover,
    open: HashMap<Link, Arc<Connection>>,
    /// Connections in the making; a receiver ends with its attempt.
    opening: HashMap<Link, watch::Receiver<()>>,
}

impl Client {
    /// Makes a client, without a connection yet. `time` is the limit for opening one: name, connection, TLS, login and
    /// database.
    ///
    /// # Errors
    ///
    /// [`StartError`] if TLS cannot be set up for a server.
    pub fn new(servers: &Servers, options: &Options, time: Duration) -> Result<Self, StartError> {
        let with_tls = |server: &Server| Ok((server.clone(), Connector::new(server)?));
        let state = State {
            failover: Failover::new(servers, time),
            open: HashMap::new(),
            opening: HashMap::new(),
        };
        let shared = Shared {
            servers: servers.as_slice().iter().map(with_tls).collect::<Result<_, _>>()?,
            mode: options.mode,
            limits: options.limits,
            state: Mutex::new(state),
        };
        Ok(Self { shared: Arc::new(shared), cache: None, counters: None })
    }

    /// Caches the results of read-only commands.
    #[must_use]
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache: Some(Arc::new(Mutex::new(cache))), ..self }
    }

    /// Reports each lookup to these counters.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use redis_lookup::redis::Client;
    /// use redis_lookup::{Cache, Counters, LookupOutcome, Options, Servers};
    ///
    /// struct Log;
    ///
    /// impl Counters for Log {
    ///     fn lookup(&self, outcome: Option<&LookupOutcome>, latency: Duration) {
    ///         println!("{outcome:?} after {latency:?}");
    ///     }
    /// }
    ///
    /// let servers = Servers::parse("192.0.2.1// : 192.0.2.2//")?;
    /// assert!(!servers.is_empty());
    /// let client = Client::new(&servers, &Options::default(), Duration::from_secs(5))?;
    /// let client = client.with_cache(Cache::new(Duration::from_secs(30))).with_counters(Arc::new(Log));
    /// assert!(format!("{client:?}").contains("192.0.2.1:6379/0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_counters(self, counters: Arc<dyn Counters>) -> Self {
        Self { counters: Some(counters), ..self }
    }

    /// Makes a lookup. `time` is its deadline, from the name of the server to the reply.
    pub async fn look_up(&self, command: &Command, time: Duration) -> LookupOutcome {
        let mut counted = Counted { counters: self.counters.as_deref(), from: now() };
        let outcome = self.cached(command, time, counted.from).await;
        counted.end(&outcome);
        outcome
    }

    async fn cached(&self, command: &Command, time: Duration, now: Instant) -> LookupOutcome {
        let ask = || self.shared.ask(command, time);
        let Some(cache) = &self.cache else { return ask().await };
        let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().get(command, now);
        if let Some(outcome) = kept {
            return outcome;
        }
        let outcome = ask().await;
        lock().insert(command, &outcome, self::now());
        outcome
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> =
            self.shared.servers.iter().map(|(server, _)| server.to_string()).collect();
        f.debug_struct("Client").field("servers", &servers).finish_non_exhaustive()
    }
}

impl Shared {
    async fn ask(self: &Arc<Self>, command: &Command, time: Duration) -> LookupOutcome {
        if command.words().is_empty() {
            return LookupOutcome::NotFound; // As Exim has it.
        }
        let (mut attempt, mut sent) = (Attempt::of(command), None);
        match timeout(time, self.run(command, &mut attempt, &mut sent)).await {
            Ok(Ok(reply)) => reply.outcome(self.mode, &self.limits),
            Ok(Err(reason)) => LookupOutcome::Deferred(reason),
            Err(_) => {
                let is_sent = sent.is_some();
                if let Some(way) = sent {
                    self.timed_out(&mut attempt, &way, time);
                }
                LookupOutcome::Deferred(DeferReason::TimedOut { limit: time, sent: is_sent })
            }
        }
    }

    /// Sends a command until it has an answer; an unanswered one stays in `sent`.
    async fn run(
        self: &Arc<Self>,
        command: &Command,
        attempt: &mut Attempt,
        sent: &mut Option<Way>,
    ) -> Result<Reply, DeferReason> {
        let packed = connection::pack(command);
        loop {
            let way = match self.step(attempt) {
                CommandStep::Send(way) => way,
                CommandStep::Wait(mut done) => {
                    // An error is the signal: the sender is dropped, and never sends.
                    let _ = done.changed().await;
                    continue;
                }
                CommandStep::GiveUp(reason) => return Err(reason),
            };
            let way = sent.insert(way);
            let failure = if way.connection.is_closed() {
                Failure::NotSent
            } else {
                match way.send(&packed).await {
                    Ok(Reply::Error(refusal)) => Failure::Refused(refusal),
                    Ok(reply) => return Ok(reply),
                    Err(()) if way.connection.is_flooded() => return Err(self.flooded(way)),
                    Err(()) => Failure::Cut,
                }
            };
            self.failed(attempt, way, &failure);
            *sent = None;
        }
    }

    /// Gets the next step from the machine, and starts it.
    fn step(self: &Arc<Self>, attempt: &mut Attempt) -> CommandStep {
        let mut state = self.state();
        loop {
            match state.failover.next(attempt, now()) {
                Next::Send { link, asking } => match state.open.get(&link) {
                    Some(connection) => {
                        return CommandStep::Send(Way::new(link, asking, connection));
                    }
                    None => state.failover.handle_lost(link),
                },
                Next::Open { link, within } => {
                    return CommandStep::Wait(self.begin_opening(&mut state, link, within));
                }
                Next::Probe { link, within } => drop(self.begin_opening(&mut state, link, within)),
                Next::Await(link) => match state.opening.get(&link) {
                    Some(waiting) => return CommandStep::Wait(waiting.clone()),
                    None => state.failover.handle_lost(link),
                },
                Next::GiveUp(reason) => return CommandStep::GiveUp(reason),
            }
        }
    }

    /// Opens a connection in a task of its own; the receiver ends with it.
    fn begin_opening(
        self: &Arc<Self>,
        state: &mut State,
        link: Link,
        within: Duration,
    ) -> watch::Receiver<()> {
        let (done, waiting) = watch::channel(());
        state.opening.insert(link, waiting.clone());
        let shared = Arc::clone(self);
        ::tokio::spawn(async move {
            let mut opening = Opening { shared, link, result: None, _done: done };
            opening.result = Some(opening.shared.open(link, within).await);
        });
        waiting
    }

    fn failed(&self, attempt: &mut Attempt, way: &Way, failure: &Failure) {
        let (mut state, link) = (self.state(), way.link);
        let is_current = state.is_current(way);
        state.failover.handle_failure(attempt, link, failure, now());
        let gone = match failure {
            Failure::NotSent | Failure::Cut => true,
            Failure::Refused(refusal) => refusal.meaning() == crate::Meaning::NotMaster,
            Failure::TimedOut { .. } => false,
        };
        if gone && is_current {
            state.open.remove(&link);
        } else if gone && state.open.contains_key(&link) {
            // Another lookup has opened the next one already.
            state.failover.handle_opened(link);
        }
    }

    /// A silent connection gets no more commands; lookups that wait on it keep their deadlines.
    fn timed_out(&self, attempt: &mut Attempt, way: &Way, limit: Duration) {
        let mut state = self.state();
        let silent = way.is_silent() && state.is_current(way);
        if silent {
            state.open.remove(&way.link);
        }
        let failure = Failure::TimedOut { silent, limit };
        state.failover.handle_failure(attempt, way.link, &failure, now());
    }

    fn flooded(&self, way: &Way) -> DeferReason {
        let mut state = self.state();
        if state.is_current(way) {
            state.open.remove(&way.link);
            state.failover.handle_lost(way.link);
        }
        DeferReason::Flood { limit: way.connection.limit() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_current(&self, way: &Way) -> bool {
        self.open.get(&way.link).is_some_and(|open| Arc::ptr_eq(open, &way.connection))
    }
}

/// The time by the clock of the runtime, so that a test can stop it.
fn now() -> Instant {
    ::tokio::time::Instant::now().into_std()
}

/// A step for a command.
enum CommandStep {
    Send(Way),
    Wait(watch::Receiver<()>),
    GiveUp(DeferReason),
}

/// A connection in the making. Its end, whatever the cause, wakes the lookups that wait.
struct Opening {
    shared: Arc<Shared>,
    link: Link,
    result: Option<Result<Opened, String>>,
    _done: watch::Sender<()>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let (link, now) = (self.link, now());
        let mut state = self.shared.state();
        state.opening.remove(&link);
        match self.result.take() {
            Some(Ok(Opened::Connection(connection))) => {
                state.open.insert(link, Arc::new(connection));
                state.failover.handle_opened(link);
            }
            Some(Ok(Opened::Slots(ranges))) => state.failover.handle_slots(link, &ranges, now),
            Some(Err(why)) => state.failover.handle_open_failed(link, why, now),
            None => state.failover.handle_open_failed(link, "the attempt was cancelled", now),
        }
    }
}

/// A lookup, counted at its end or when its caller drops it.
struct Counted<'a> {
    counters: Option<&'a dyn Counters>,
    from: Instant,
}

impl Counted<'_> {
    fn latency(&self) -> Duration {
        now().saturating_duration_since(self.from)
    }

    fn end(&mut self, outcome: &LookupOutcome) {
        if let Some(counters) = self.counters.take() {
            counters.lookup(Some(outcome), self.latency());
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(counters) = self.counters.take() {
            counters.lookup(None, self.latency());
        }
    }
}
