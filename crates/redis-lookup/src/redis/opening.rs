//! Opens connections, asks sentinels for the master and nodes for the map of slots.

use std::time::Duration;

use ::redis::Cmd;
use ::tokio::time::timeout;

use super::Shared;
use super::connection::Connection;
use super::tls::Connector;
use crate::{
    Address, Failover, Link, Part, Refusal, Reply, Secret, SentinelGroup, Server, ServerKind,
    SlotRange,
};

/// The result of opening.
pub(super) enum Opened {
    Connection(Connection),
    Slots(Vec<SlotRange>),
}

impl Shared {
    /// Opens the connection, or fetches the map, of a link.
    pub(super) async fn open(&self, link: Link, within: Duration) -> Result<Opened, String> {
        let Some((server, connector)) = self.servers.get(link.server) else {
            return Err("no such server".to_owned());
        };
        let addresses = self.state().failover.addresses(link);
        let dial = Dial { server, connector, limit: self.wire_limit() };
        let opening = async {
            match (&server.kind, link.part) {
                (ServerKind::Sentinel(group), _) => self
                    .master(link, &dial, group, &addresses, within)
                    .await
                    .map(Opened::Connection),
                (ServerKind::Cluster(_), Part::Slots) => {
                    self.slots(link, &dial, &addresses, within).await.map(Opened::Slots)
                }
                _ => match addresses.first() {
                    Some(address) => dial.log_in(address, within).await.map(Opened::Connection),
                    None => Err("no such node".to_owned()),
                },
            }
        };
        match timeout(within, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(format!("no connection within {within:?}")),
        }
    }

    /// The maximum length of a reply on the wire.
    fn wire_limit(&self) -> usize {
        let each_element = self.limits.elements.saturating_mul(32);
        self.limits.reply.saturating_add(each_element).saturating_mul(2)
    }

    /// Asks one sentinel after the other, and logs in at the master.
    async fn master(
        &self,
        link: Link,
        dial: &Dial<'_>,
        group: &SentinelGroup,
        sentinels: &[Address],
        within: Duration,
    ) -> Result<Connection, String> {
        let (mut why, time) = ("no sentinel is known".to_owned(), part(within, sentinels));
        for sentinel in sentinels {
            let asked = timeout(time, dial.ask_sentinel(sentinel, group, time)).await;
            let said = asked.unwrap_or_else(|_| Err(format!("no reply within {time:?}")));
            let (master, others) = match said {
                Ok(said) => said,
                Err(problem) => {
                    why = format!("sentinel {sentinel}: {problem}");
                    self.state().failover.handle_useless(link, sentinel);
                    continue;
                }
            };
            self.state().failover.handle_sentinels(link, others);
            match dial.log_in_as_master(&master, within).await {
                Ok(connection) => return Ok(connection),
                // Another sentinel may know the successor.
                Err(problem) => {
                    why = format!("master {master}, says sentinel {sentinel}: {problem}");
                    self.state().failover.handle_useless(link, sentinel);
                }
            }
        }
        Err(why)
    }

    /// Asks one node after the other for the map of slots.
    async fn slots(
        &self,
        link: Link,
        dial: &Dial<'_>,
        nodes: &[Address],
        within: Duration,
    ) -> Result<Vec<SlotRange>, String> {
        let (mut why, time) = ("no node is known".to_owned(), part(within, nodes));
        for node in nodes {
            match timeout(time, dial.ask_slots(node, time)).await {
                Ok(Ok(ranges)) => return Ok(ranges),
                Ok(Err(problem)) => why = format!("{node}: {problem}"),
                Err(_) => why = format!("{node}: no reply within {time:?}"),
            }
            self.state().failover.handle_useless(link, node);
        }
        Err(why)
    }
}

/// The share of each of several addresses in a time limit.
fn part(within: Duration, addresses: &[Address]) -> Duration {
    within / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1)
}

/// The parameters of connections to a server, its nodes and its sentinels.
struct Dial<'a> {
    server: &'a Server,
    connector: &'a Connector,
    limit: usize,
}

impl Dial<'_> {
    async fn connect(&self, address: &Address, time: Duration) -> Result<Connection, String> {
        let stream = self.connector.connect(address, time).await?;
        Connection::new(stream, self.limit).await
    }

    /// Connects, logs in, and selects the database. A server that says nothing, or that has nothing to say
    /// yet, is not open.
    async fn log_in(&self, address: &Address, time: Duration) -> Result<Connection, String> {
        let connection = self.connect(address, time).await?;
        let (user, password) = (self.server.user.as_deref(), self.server.password.as_ref());
        if self.server.resp3 {
            let mut hello = command(&["HELLO", "3"]);
            if let Some(password) = password {
                hello.arg("AUTH").arg(user.unwrap_or("default")).arg(password.expose());
            }
            required(&connection, "HELLO 3", &hello, password).await?;
        } else if let Some(password) = password {
            authenticate(&connection, user, password).await?;
        }
        if self.server.database != 0 {
            let database = self.server.database.to_string();
            let select = command(&["SELECT", &database]);
            required(&connection, &format!("SELECT {database}"), &select, None).await?;
        }
        match ask(&connection, &command(&["PING"])).await? {
            // A user without permission for PING may have one to read.
            Reply::Error(refusal) if refusal.code() != b"NOPERM" => Err(refusal.to_string()),
            _ => Ok(connection),
        }
    }

    async fn log_in_as_master(
        &self,
        address: &Address,
        time: Duration,
    ) -> Result<Connection, String> {
        let connection = self.log_in(address, time).await?;
        match ask(&connection, &command(&["ROLE"])).await? {
            Reply::List(role) => match role.first() {
                Some(Reply::Text(word)) if word == b"master" => Ok(connection),
                _ => Err("the server is not a master".to_owned()),
            },
            // A user without permission for ROLE relies on the sentinel.
            _ => Ok(connection),
        }
    }

    /// Asks a sentinel for the master, and for the other sentinels.
    async fn ask_sentinel(
        &self,
        sentinel: &Address,
        group: &SentinelGroup,
        time: Duration,
    ) -> Result<(Address, Vec<Address>), String> {
        let connection = self.connect(sentinel, time).await?;
        if let Some(password) = &group.password {
            authenticate(&connection, group.user.as_deref(), password).await?;
        }
        let name = group.master.as_str();
        let named = command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
        let master = match ask(&connection, &named).await? {
            Reply::Error(refusal) => return Err(refusal.to_string()),
            Reply::List(parts) => address(parts.first(), parts.get(1)),
            _ => None,
        };
        let master = master.ok_or_else(|| format!("no master has the name {name}"))?;
        let others = match ask(&connection, &command(&["SENTINEL", "SENTINELS", name])).await? {
            Reply::List(others) => others.iter().filter_map(other_sentinel).collect(),
            _ => Vec::new(),
        };
        Ok((master, others))
    }

    async fn ask_slots(&self, node: &Address, time: Duration) -> Result<Vec<SlotRange>, String> {
        let connection = self.log_in(node, time).await?;
        match ask(&connection, &command(&["CLUSTER", "SLOTS"])).await? {
            Reply::Error(refusal) => Err(refusal.to_string()),
            Reply::List(ranges) => {
                let ranges: Option<Vec<_>> =
                    ranges.iter().map(|range| slot_range(range, node)).collect();
                ranges.ok_or_else(|| "the reply to CLUSTER SLOTS is malformed".to_owned())
            }
            _ => Err("the reply to CLUSTER SLOTS is not an array".to_owned()),
        }
    }
}

fn command(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word);
    }
    command
}

async fn ask(connection: &Connection, command: &Cmd) -> Result<Reply, String> {
    connection
        .send(command, false)
        .await
        .map_err(|()| "the server closed the connection".to_owned())
}

async fn authenticate(
    connection: &Connection,
    user: Option<&str>,
    password: &Secret,
) -> Result<(), String> {
    let mut auth = command(&["AUTH"]);
    if let Some(user) = user {
        auth.arg(user);
    }
    auth.arg(password.expose());
    required(connection, "AUTH", &auth, Some(password)).await
}

/// Sends a command that must succeed. An error of `AUTH` may contain its arguments.
async fn required(
    connection: &Connection,
    name: &str,
    command: &Cmd,
    password: Option<&Secret>,
) -> Result<(), String> {
    match ask(connection, command).await? {
        Reply::Error(refusal) => Err(format!("{name}: {}", without(&refusal, password))),
        _ => Ok(()),
    }
}

/// The text of an error, without the password or a part of it.
fn without(refusal: &Refusal, password: Option<&Secret>) -> String {
    let shown = refusal.to_string();
    match (password, shown.find(", with args beginning with")) {
        (Some(_), Some(at)) => shown.get(..at).unwrap_or_default().to_owned(),
        (Some(password), None) => shown.replace(password.expose(), "…"),
        (None, _) => shown,
    }
}

/// Reads an element of `CLUSTER SLOTS`: the first slot, the last, and nodes as host and port.
fn slot_range(range: &Reply, asked: &Address) -> Option<SlotRange> {
    let Reply::List(parts) = range else { return None };
    let slot = |part: Option<&Reply>| match part {
        Some(Reply::Integer(slot)) => u16::try_from(*slot).ok(),
        _ => None,
    };
    let (first, last) = (slot(parts.first())?, slot(parts.get(1))?);
    let nodes = parts.iter().skip(2).take(Failover::MAX_NODES).filter_map(|node| {
        let Reply::List(node) = node else { return None };
        match (node.first(), asked) {
            // A node without a known address of its own has the address that was asked.
            (Some(Reply::Nil), Address::Tcp { host, .. }) => {
                address(Some(&Reply::Text(host.clone().into_bytes())), node.get(1))
            }
            (Some(Reply::Text(text)), Address::Tcp { host, .. }) if text.is_empty() => {
                address(Some(&Reply::Text(host.clone().into_bytes())), node.get(1))
            }
            (host, _) => address(host, node.get(1)),
        }
    });
    Some(SlotRange::new(first, last, nodes.collect()))
}

/// Reads an element of `SENTINEL SENTINELS`: names and values, as a map or a flat array.
fn other_sentinel(sentinel: &Reply) -> Option<Address> {
    let named = |name: &[u8]| match sentinel {
        Reply::Map(pairs) => {
            pairs.iter().find(|(key, _)| is_text(key, name)).map(|(_, value)| value)
        }
        Reply::List(words) => {
            words.iter().position(|word| is_text(word, name)).and_then(|at| words.get(at + 1))
        }
        _ => None,
    };
    address(named(b"ip"), named(b"port"))
}

fn is_text(reply: &Reply, text: &[u8]) -> bool {
    matches!(reply, Reply::Text(found) if found == text)
}

fn address(host: Option<&Reply>, port: Option<&Reply>) -> Option<Address> {
    let (Some(Reply::Text(host)), Some(port)) = (host, port) else { return None };
    let host = str::from_utf8(host).ok().filter(|host| !host.is_empty())?;
    let port = match port {
        Reply::Integer(port) => u16::try_from(*port).ok(),
        Reply::Text(digits) => str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    };
    Some(Address::tcp(host, port.filter(|port| *port != 0)?))
}
