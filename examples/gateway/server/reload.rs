//! Reload: a new configuration for new connections, without a restart.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use super::gateway::Gateway;
use super::settings::ServerSettings;
use crate::gateway::policy::stage::Stage;
use crate::gateway::telemetry::metrics::words::ReloadResult;
use crate::gateway::telemetry::{log, service};

/// Reads the configuration again on request.
pub struct Reload {
    wanted: mpsc::Receiver<()>,
    configure: Arc<Configure>,
}

type Failure = Box<dyn Error + Send + Sync>;
type Configure = dyn Fn() -> Result<ServerSettings, Failure> + Send + Sync;

impl Reload {
    /// Calls `configure` for each message of `wanted`.
    pub fn new(
        wanted: mpsc::Receiver<()>,
        configure: impl Fn() -> Result<ServerSettings, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { wanted, configure: Arc::new(configure) }
    }

    /// Applies each new configuration to new connections. After an error the previous one stays.
    pub(super) async fn run(mut self, gateway: &Arc<Gateway>) {
        while let Some(()) = self.wanted.recv().await {
            service::reloading();
            let (shared, configure) = (Arc::clone(gateway), Arc::clone(&self.configure));
            let reloaded = spawn_blocking(move || shared.reload(&*configure)).await;
            let reloaded = reloaded.map_err(Into::into).flatten();
            let result =
                if reloaded.is_ok() { ReloadResult::Applied } else { ReloadResult::Refused };
            gateway.metrics.reloads.count(result);
            match reloaded {
                Ok(()) => info!("configuration reloaded; new connections use it"),
                Err(error) => {
                    let cause = log::chain(&*error);
                    error!("configuration not reloaded, the previous one stays: {cause}");
                }
            }
            service::ready();
        }
        std::future::pending::<()>().await;
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Gateway {
    fn reload(&self, configure: &Configure) -> Result<(), Failure> {
        let ServerSettings { startup, live } = configure()?;
        let lists = Arc::clone(live.rules.named());
        let live = self.live().again(live, &self.startup, &self.limiter)?;
        if lists.texts_of(Stage::Event) != self.event_lists.named().texts_of(Stage::Event) {
            warn!(
                "a list of rules that event_action calls: a change takes effect at the next start only"
            );
        }
        for option in self.startup.written.changed(&startup.written) {
            let of = if option == "primary_hostname" { " in reports and events" } else { "" };
            warn!("{option}: a change takes effect{of} at the next start only");
        }
        if startup.store.message_bytes() > self.startup.store.message_bytes() {
            warn!(
                "message_size_limit: larger messages than before are stored after the next start only"
            );
        }
        self.set_live(Arc::new(live));
        Ok(())
    }
}
