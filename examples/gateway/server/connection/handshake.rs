//! The TLS handshake: the certificate is selected by the client hello.

use std::io;

use super::Connection;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::tls;
use crate::gateway::smtp::peer::{StapleState, TlsClient};
use crate::gateway::telemetry::log;

impl Connection {
    pub(super) async fn handshake(&mut self) -> io::Result<()> {
        let hello = self.wire.client_hello().await?;
        let sni = hello.client_hello().server_name().map(str::to_owned);
        self.client.tls = Some(TlsClient { sni, staple: StapleState::NotSent });
        let (live, mut context) = self.context(Stage::Tls, None);
        let served = live.tls.served(&mut context).await;
        let lines = self.state.take_log();
        let Self { gateway, session, client, wire, .. } = self;
        for line in lines {
            log::rule(&gateway.limiter, session, client, &format!("STARTTLS: {line}"));
        }
        let served = match served {
            Ok(served) => served,
            Err(error) => {
                log::rule(&gateway.limiter, session, client, &format!("STARTTLS: {error}"));
                let refusal = tls::refusal().map_err(io::Error::other)?;
                // It fails, with an alert for the client.
                let _ = wire.start_tls(hello, refusal).await;
                return Err(io::Error::other(error));
            }
        };
        let staples = served.staples(hello.client_hello());
        wire.start_tls(hello, served.config()).await?;
        if let Some(tls) = &mut client.tls {
            tls.staple = match (wire.is_resumed(), staples) {
                (true, _) => StapleState::NotAsked,
                (false, true) => StapleState::Sent,
                (false, false) => StapleState::NotSent,
            };
        }
        Ok(())
    }
}
