//! The choice of the server for a command, retries, and the end of an attempt.

mod attempt;
mod cluster;
mod link;

use std::time::{Duration, Instant};

use self::attempt::Over;
pub use self::attempt::{Attempt, Failure};
use self::cluster::Cluster;
pub use self::cluster::SlotRange;
use self::link::{Decision, LinkState};
pub use self::link::{Link, Part};
use crate::{Address, DeferReason, Meaning, Refusal, ServerKind, Servers};

/// The state of the servers of a list: reachable or not, the known sentinels and nodes, the owner of each slot. It is
/// a machine without clock and I/O.
///
/// For each command make an [`Attempt`] and call [`next`](Self::next) until the command has an answer or is given
/// up; report the result of each step by a `handle_` method. The servers get the command in their order; the next one
/// gets it if the command was certainly not executed, or only reads. No order of calls panics.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use redis_lookup::{Attempt, Effect, Failover, Failure, Next, DeferReason, Servers};
///
/// let servers = Servers::parse("192.0.2.1// : 192.0.2.2//")?;
/// let mut failover = Failover::new(&servers, Duration::from_secs(5));
/// let (now, mut attempt) = (Instant::now(), Attempt::new(Effect::Write, None));
///
/// // The first server is down: nothing was sent, so the second may have the command.
/// let Next::Open { link, .. } = failover.next(&mut attempt, now) else { unreachable!() };
/// failover.handle_open_failed(link, "connection refused", now);
/// let Next::Open { link, .. } = failover.next(&mut attempt, now) else { unreachable!() };
/// failover.handle_opened(link);
/// assert_eq!(failover.next(&mut attempt, now), Next::Send { link, asking: false });
///
/// // The connection closes after the command, which may have changed data: it is not sent again.
/// failover.handle_failure(&mut attempt, link, &Failure::Cut, now);
/// let cut = DeferReason::Cut { server: "192.0.2.2:6379/0".to_owned() };
/// assert_eq!(failover.next(&mut attempt, now), Next::GiveUp(cut));
/// # Ok::<(), redis_lookup::ServersError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Failover {
    servers: Vec<State>,
    time: Duration,
}

/// The next step for a command.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must do each")]
#[must_use]
pub enum Next {
    /// Send the command over this connection. Report an error reply or a missing reply to
    /// [`Failover::handle_failure`]; any other reply is the answer.
    Send {
        /// The open connection.
        link: Link,
        /// Whether to send `ASKING` before the command.
        asking: bool,
    },
    /// Open this connection, or fetch the map of slots, and report the result. No other attempt gets this step
    /// meanwhile.
    Open {
        /// The connection.
        link: Link,
        /// The time limit.
        within: Duration,
    },
    /// Open this connection as for [`Open`](Self::Open), but without waiting for it: it was down, and the next step
    /// is one of another server that is up.
    Probe {
        /// The connection.
        link: Link,
        /// The time limit.
        within: Duration,
    },
    /// Wait for the connection, which another attempt opens.
    Await(Link),
    /// Defer the lookup.
    GiveUp(DeferReason),
}

#[derive(Clone, Debug)]
struct State {
    /// The server, for messages.
    shown: String,
    /// The connection to the server or to the master of sentinels; for a cluster, its map of slots.
    link: LinkState,
    kind: Topology,
}

#[derive(Clone, Debug)]
enum Topology {
    Single(Address),
    /// Sentinels, in the order of preference.
    Sentinel(Vec<Address>),
    Cluster(Cluster),
}

impl Failover {
    /// The maximum number of known sentinels, or nodes of a cluster.
    pub const MAX_NODES: usize = 512;

    /// Starts without connections. `time` is the limit for opening one.
    #[must_use]
    pub fn new(servers: &Servers, time: Duration) -> Self {
        let state = |server: &crate::Server| State {
            shown: server.to_string(),
            link: LinkState::default(),
            kind: match &server.kind {
                ServerKind::Single(address) => Topology::Single(address.clone()),
                ServerKind::Sentinel(group) => Topology::Sentinel(group.sentinels.clone()),
                ServerKind::Cluster(nodes) => Topology::Cluster(Cluster::new(nodes)),
            },
        };
        Self { servers: servers.as_slice().iter().map(state).collect(), time }
    }

    /// Returns the next step for a command.
    pub fn next(&mut self, attempt: &mut Attempt, now: Instant) -> Next {
        if let Over::Yes(reason) = &attempt.over {
            return Next::GiveUp(reason.clone());
        }
        let time = self.time;
        loop {
            let server = attempt.server;
            let other_is_up = self.servers.iter().skip(server + 1).any(|other| other.link.is_up());
            let Some(state) = self.servers.get_mut(server) else { break };
            let (part, decision) = match &mut state.kind {
                Topology::Cluster(cluster) => cluster.decide(&mut state.link, attempt, now),
                _ => (Part::Server, state.link.decide(now)),
            };
            let link = Link { server, part };
            match decision {
                Decision::Use => {
                    let asking = std::mem::take(&mut attempt.asking);
                    attempt.redirect = None;
                    return Next::Send { link, asking };
                }
                Decision::Open { failures } => {
                    let within = link::patience(time, failures);
                    if failures == 0 || part != Part::Server || !other_is_up {
                        return Next::Open { link, within };
                    }
                    // The command need not wait for one that may still be dead.
                    let (server, why) = (state.shown.clone(), state.link.why().to_owned());
                    attempt.next_server(DeferReason::Unreachable { server, why });
                    return Next::Probe { link, within };
                }
                Decision::Await => return Next::Await(link),
                Decision::Skip(why) => {
                    let server = state.shown.clone();
                    attempt.next_server(DeferReason::Unreachable { server, why });
                }
            }
        }
        Next::GiveUp(attempt.last.clone().unwrap_or(DeferReason::NoServer))
    }

    /// Returns the addresses to try for a connection, in order: for the master of sentinels the
    /// sentinels, for [`Part::Slots`] the nodes to ask for the map.
    #[must_use]
    pub fn addresses(&self, link: Link) -> Vec<Address> {
        let Some(state) = self.servers.get(link.server) else { return Vec::new() };
        match (&state.kind, link.part) {
            (Topology::Single(address), _) => vec![address.clone()],
            (Topology::Sentinel(sentinels), _) => sentinels.clone(),
            (Topology::Cluster(cluster), Part::Node(node)) => {
                cluster.address(node).into_iter().cloned().collect()
            }
            (Topology::Cluster(cluster), _) => cluster.whom_to_ask(),
        }
    }

    /// Reports that a connection is open.
    pub fn handle_opened(&mut self, link: Link) {
        if let Some(state) = self.link(link) {
            state.open();
        }
    }

    /// Reports that a connection cannot be opened; `why` is for messages.
    pub fn handle_open_failed(&mut self, link: Link, why: impl Into<String>, now: Instant) {
        if let Some(state) = self.link(link) {
            state.fail(why.into(), now);
        }
    }

    /// Reports that a sentinel, or a node asked for the map, gave no useful answer; it becomes the last to ask.
    pub fn handle_useless(&mut self, link: Link, address: &Address) {
        match self.servers.get_mut(link.server).map(|state| &mut state.kind) {
            Some(Topology::Sentinel(sentinels)) => {
                if let Some(at) = sentinels.iter().position(|known| known == address) {
                    sentinels.get_mut(at..).unwrap_or_default().rotate_left(1);
                }
            }
            Some(Topology::Cluster(cluster)) => cluster.ask_last(address),
            _ => {}
        }
    }

    /// Reports other sentinels that a sentinel named; they are added after the known ones.
    pub fn handle_sentinels(&mut self, link: Link, others: impl IntoIterator<Item = Address>) {
        let state = self.servers.get_mut(link.server);
        if let Some(Topology::Sentinel(sentinels)) = state.map(|state| &mut state.kind) {
            for other in others {
                if !sentinels.contains(&other) && sentinels.len() < Self::MAX_NODES {
                    sentinels.push(other);
                }
            }
        }
    }

    /// Reports the map of slots from a node.
    pub fn handle_slots(&mut self, link: Link, ranges: &[SlotRange], now: Instant) {
        let Some(state) = self.servers.get_mut(link.server) else { return };
        if let Topology::Cluster(cluster) = &mut state.kind {
            cluster.learn(ranges, now);
            state.link.open();
        }
    }

    /// Reports that the command got no reply, or an error.
    pub fn handle_failure(
        &mut self,
        attempt: &mut Attempt,
        link: Link,
        failure: &Failure,
        now: Instant,
    ) {
        let Some(shown) = self.servers.get(link.server).map(|state| state.shown.clone()) else {
            return;
        };
        match failure {
            Failure::NotSent => {
                self.lose(link);
                attempt.again(DeferReason::Cut { server: shown });
            }
            Failure::Cut => {
                self.lose(link);
                attempt.again_if_read(DeferReason::Cut { server: shown });
            }
            Failure::TimedOut { silent, limit } => {
                if let (true, Some(state)) = (*silent, self.link(link)) {
                    state.hang(now);
                }
                attempt.over = Over::Yes(DeferReason::TimedOut { limit: *limit, sent: true });
            }
            Failure::Refused(refusal) => self.refused(attempt, link, refusal),
        }
    }

    fn refused(&mut self, attempt: &mut Attempt, link: Link, refusal: &Refusal) {
        let reason = DeferReason::Refused(refusal.clone());
        let kind = self.servers.get_mut(link.server).map(|state| &mut state.kind);
        match (refusal.meaning(), kind) {
            (Meaning::Moved(to), Some(Topology::Cluster(cluster))) => {
                let node = cluster.follow(link.part, &to);
                cluster.assign(to.slot, node);
                attempt.redirect(node, false, reason);
            }
            (Meaning::Ask(to), Some(Topology::Cluster(cluster))) => {
                let node = cluster.follow(link.part, &to);
                attempt.redirect(node, true, reason);
            }
            (Meaning::NotMaster, Some(Topology::Sentinel(_))) => {
                self.lose(link);
                attempt.again(reason);
            }
            (Meaning::NotMaster, Some(kind)) => {
                if let Topology::Cluster(cluster) = kind {
                    cluster.suspect();
                }
                // Its name may have another address by now.
                self.lose(link);
                attempt.next_server(reason);
            }
            (Meaning::Moved(_) | Meaning::Ask(_) | Meaning::NotNow, _) => {
                attempt.next_server(reason);
            }
            _ => attempt.over = Over::Yes(reason),
        }
    }

    /// Reports that a connection is closed; the next attempt that needs it opens it again.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use redis_lookup::{Address, Attempt, Effect, Failover, Next, Part, Servers, SlotRange, slot};
    ///
    /// let servers = Servers::parse("<; redis+cluster://192.0.2.1,192.0.2.2")?;
    /// let mut failover = Failover::new(&servers, Duration::from_secs(5));
    /// let (now, mut attempt) = (Instant::now(), Attempt::new(Effect::Read, Some(slot(b"key"))));
    ///
    /// // The first node does not know the map of slots, the second one does.
    /// let Next::Open { link, .. } = failover.next(&mut attempt, now) else { unreachable!() };
    /// assert_eq!(link.part, Part::Slots);
    /// let nodes = failover.addresses(link);
    /// failover.handle_useless(link, &nodes[0]);
    /// failover.handle_slots(link, &[SlotRange::new(0, 16_383, vec![nodes[1].clone()])], now);
    /// let Next::Open { link, .. } = failover.next(&mut attempt, now) else { unreachable!() };
    /// assert_eq!(failover.addresses(link), [Address::tcp("192.0.2.2", 6379)]);
    /// failover.handle_opened(link);
    /// failover.handle_lost(link);
    /// assert!(matches!(failover.next(&mut attempt, now), Next::Open { .. }));
    ///
    /// // A sentinel names others, which are asked after it.
    /// let servers = Servers::parse("<; redis+sentinel://192.0.2.1/master")?;
    /// let mut failover = Failover::new(&servers, Duration::from_secs(5));
    /// let mut attempt = Attempt::new(Effect::Read, None);
    /// let Next::Open { link, .. } = failover.next(&mut attempt, now) else { unreachable!() };
    /// failover.handle_sentinels(link, [Address::tcp("192.0.2.2", 26_379)]);
    /// assert_eq!(failover.addresses(link).len(), 2);
    /// # Ok::<(), redis_lookup::ServersError>(())
    /// ```
    pub fn handle_lost(&mut self, link: Link) {
        self.lose(link);
    }

    fn lose(&mut self, link: Link) {
        if let Some(state) = self.link(link) {
            state.lose();
        }
    }

    fn link(&mut self, link: Link) -> Option<&mut LinkState> {
        let state = self.servers.get_mut(link.server)?;
        match (&mut state.kind, link.part) {
            (Topology::Cluster(cluster), Part::Node(node)) => cluster.link(node),
            _ => Some(&mut state.link),
        }
    }
}
