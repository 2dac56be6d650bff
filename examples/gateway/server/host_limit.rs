//! How many connections one host may have at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::gateway::smtp::peer::network;

/// The hosts that have connections now. There are no more of them than connections.
#[derive(Debug)]
pub(crate) struct HostLimit {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl HostLimit {
    /// Lets each host have `most` connections; 0 lets it have any number.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: Mutex::default() }
    }

    /// Counts a connection of a host for as long as what is returned lives; `None` if it has too
    /// many. With IPv6 a host has as many addresses as it likes: those of a network /64 are one.
    pub(crate) fn enter(self: &Arc<Self>, host: IpAddr) -> Option<Visit> {
        let limit = Arc::clone(self);
        let host = network(host);
        if self.most > 0 {
            // Nothing in there can be half done.
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

/// A connection that counts.
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
