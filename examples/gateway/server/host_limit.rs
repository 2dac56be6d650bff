//! The limit of connections of one host at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::gateway::smtp::peer::network;

/// The connected hosts, at most one for each connection.
#[derive(Debug)]
pub(crate) struct HostLimit {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl HostLimit {
    /// Limits each host to `most` connections; 0 is no limit.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: Mutex::default() }
    }

    /// Counts a connection of a host until the drop of the result; `None` at the limit. An IPv6 host can
    /// use many addresses: those of a /64 network count as one.
    pub(crate) fn enter(self: &Arc<Self>, host: IpAddr) -> Option<Visit> {
        let limit = Arc::clone(self);
        let host = network(host);
        if self.most > 0 {
            // A panic cannot leave inconsistent data here.
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(host).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Visit { limit, host })
    }
}

/// A counted connection.
#[derive(Debug)]
pub(crate) struct Visit {
    limit: Arc<HostLimit>,
    host: IpAddr,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.limit.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.host);
            }
        }
    }
}
