//! The addresses of the next hop, in turn.

use mail_types::dns::{Name, Resolve};
use mail_types::smtp::Reply;

use super::Relay;
use super::addresses::addresses;
use super::replies::{open_reply, unreachable};
use crate::gateway::delivery::connection::{Connection, OpenError, Target, TlsPlan};
use crate::gateway::delivery::settings::RelaySettings;
use crate::gateway::events::delivery_attempt::{DeliveryAttempt, no_address};
use crate::gateway::events::origin::Origin;

impl Relay {
    /// Connects to the first address of the next hop that accepts the connection.
    ///
    /// # Errors
    ///
    /// The temporary failure for the client.
    pub(crate) async fn connect(
        settings: &RelaySettings,
        resolver: &dyn Resolve,
        origin: &Origin,
    ) -> Result<Self, Reply> {
        let host = host(&settings.route);
        let addresses = addresses(&settings.route, resolver, settings.limits.connect).await;
        let addresses = addresses.map_err(|error| {
            no_address(origin, host, &error.to_string());
            unreachable()
        })?;
        let (count, name) = (addresses.len(), host.parse::<Name>().ok());
        for (number, address) in addresses.into_iter().enumerate() {
            let attempt = DeliveryAttempt::new(origin, host, address, number + 1 == count);
            let target = Target {
                address,
                try_prdr: settings.hosts_try_prdr.contains(address.ip(), name.as_ref()),
                try_chunking: false,
                until: None,
            };
            match Connection::open(&target, &TlsPlan::Clear, settings, attempt).await {
                Ok(connection) => return Ok(Self { connection }),
                Err(OpenError::ConnectRefused | OpenError::Unreachable(_)) => {}
                Err(error) => return Err(open_reply(&error)),
            }
        }
        Err(unreachable())
    }
}

/// The host of `host:port`.
fn host(route: &str) -> &str {
    route.rsplit_once(':').map_or(route, |(host, _)| host)
}
