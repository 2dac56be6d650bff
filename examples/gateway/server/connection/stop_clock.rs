//! The clock of delays: it ends when the server stops.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::gateway::policy::delay::{Clock, Wait};

/// A clock that ends when the server stops.
#[derive(Debug)]
pub(crate) struct StopClock(pub(crate) watch::Receiver<Option<Instant>>);

impl Clock for StopClock {
    fn wait(&self, time: Duration) -> Wait<'_> {
        let mut stop = self.0.clone();
        Box::pin(async move {
            tokio::select! {
                biased;
                _ = stop.wait_for(Option::is_some) => false,
                () = sleep(time) => true,
            }
        })
    }
}
