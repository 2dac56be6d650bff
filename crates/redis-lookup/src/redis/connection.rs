//! A connection, shared by lookups.

use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo};
use ::tokio::task::JoinHandle;

use super::conversion::reply;
use super::stream::{Meter, Metered, Stream};
use crate::{Command, Link, Reply};

pub(super) struct Connection {
    redis: MultiplexedConnection,
    /// The task that reads and writes. It ends with the connection.
    driver: JoinHandle<()>,
    meter: Arc<Meter>,
}

impl Connection {
    /// Makes a connection of a fresh stream. `limit` is the maximum length of a reply on the wire.
    pub(super) async fn new(stream: Stream, limit: usize) -> Result<Self, String> {
        let meter = Arc::new(Meter::new(limit));
        let stream = Metered::new(stream, Arc::clone(&meter));
        // Login and deadlines are ours, so the crate sends nothing and waits without a limit.
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let opened = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (redis, driver) = opened.map_err(|error| error.to_string())?;
        Ok(Self { redis, driver: ::tokio::spawn(driver), meter })
    }

    /// Sends a command; an error means that the connection is closed.
    pub(super) async fn send(&self, command: &Cmd, asking: bool) -> Result<Reply, ()> {
        let mut redis = self.redis.clone();
        let _under_way = self.meter.command();
        if asking {
            let mut both = Pipeline::with_capacity(2);
            both.cmd("ASKING").add_command(command.clone());
            // Boxed, since the future is large and rare.
            let replies = Box::pin(redis.send_packed_commands(&both, 0, 2)).await;
            return replies.map_err(|_| ())?.into_iter().next_back().map(reply).ok_or(());
        }
        redis.send_packed_command(command).await.map(reply).map_err(|_| ())
    }

    /// Tells whether the connection is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.driver.is_finished()
    }

    /// Tells whether a reply beyond the limit closed it.
    pub(super) fn is_flooded(&self) -> bool {
        self.meter.is_flooded()
    }

    pub(super) fn limit(&self) -> usize {
        self.meter.limit()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The connection of a command.
pub(super) struct Way {
    pub(super) link: Link,
    pub(super) connection: Arc<Connection>,
    asking: bool,
    /// The number of octets received before the command was sent.
    came: u64,
}

impl Way {
    pub(super) fn new(link: Link, asking: bool, connection: &Arc<Connection>) -> Self {
        let came = connection.meter.total();
        Self { link, connection: Arc::clone(connection), asking, came }
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<Reply, ()> {
        self.connection.send(command, self.asking).await
    }

    /// Tells whether nothing was received since the command was sent.
    pub(super) fn is_silent(&self) -> bool {
        self.connection.meter.total() == self.came
    }
}

pub(super) fn pack(command: &Command) -> Cmd {
    let octets = command.words().iter().map(Vec::len).sum();
    let mut packed = Cmd::with_capacity(command.words().len(), octets);
    for word in command.words() {
        packed.arg(word.as_slice());
    }
    packed
}
