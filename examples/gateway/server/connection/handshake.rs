//! The TLS handshake: the certificate is selected by the client hello, and that of the client is judged.

use std::io;

use rustls::pki_types::CertificateDer;

use super::Connection;
use crate::gateway::lookups::certificate::subject;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::tls;
use crate::gateway::server::tls::clients::Demand;
use crate::gateway::smtp::peer::{ClientCertificate, StapleState, TlsClient};
use crate::gateway::smtp::session::stray_header::begins_header;
use crate::gateway::telemetry::log;

impl Connection {
    pub(super) async fn handshake(&mut self) -> io::Result<()> {
        if !self.session.has_begun() {
            let first = self.wire.first(|octets| begins_header(octets).is_some()).await?;
            if self.session.look_for_header(&first) {
                self.tell_faults();
                let why = "a PROXY header in place of the client hello";
                return Err(io::Error::new(io::ErrorKind::Unsupported, why));
            }
        }
        let hello = self.wire.client_hello().await?;
        let sni = hello.client_hello().server_name().map(str::to_owned);
        self.client.tls = Some(TlsClient { sni, ..TlsClient::default() });
        let demand = self.demand().await;
        let (live, mut context) = self.context(Stage::Tls, None);
        let served = live.tls.served(&mut context).await;
        let lines = self.state.take_log();
        let Self { gateway, live, session, client, wire, .. } = self;
        for line in lines {
            log::rule(&gateway.limiter, session, client, None, &format!("STARTTLS: {line}"));
        }
        let config = served.and_then(|served| {
            Ok((served.shown(hello.client_hello()), live.tls.config(&served, demand)?))
        });
        let (shown, config) = match config {
            Ok(config) => config,
            Err(error) => {
                log::rule(&gateway.limiter, session, client, None, &format!("STARTTLS: {error}"));
                let refusal = tls::refusal().map_err(io::Error::other)?;
                // It fails, with an alert for the client.
                let _ = wire.start_tls(hello, refusal).await;
                return Err(io::Error::other(error));
            }
        };
        wire.start_tls(hello, config).await?;
        if let Some(tls) = &mut client.tls {
            tls.cipher = wire.cipher();
            let shown = shown.filter(|_| !wire.is_resumed());
            tls.staple = match &shown {
                None => StapleState::NotAsked,
                Some(key) if key.ocsp.is_some() => StapleState::Sent,
                Some(_) => StapleState::NotSent,
            };
            let own = shown.as_ref().and_then(|key| key.cert.first());
            tls.own_certificate = own.map(|own| own.as_ref().into());
        }
        self.look_at_certificates(demand).await
    }

    /// Tells whether the client is asked for a certificate. Where it is not known whether a valid one is
    /// needed, it is.
    async fn demand(&self) -> Demand {
        let Self { gateway, live, client, .. } = self;
        let (lists, limiter) = (&live.settings.clients, &gateway.limiter);
        if live.is_in(&lists.tls_verify_hosts, client, limiter).await {
            Demand::Verify
        } else if live.is_in(&lists.tls_try_verify_hosts, client, limiter).await {
            Demand::Try
        } else {
            Demand::Nothing
        }
    }

    /// Verifies the certificates of the client, and has the actions of `tls:cert` judge each.
    async fn look_at_certificates(&mut self, demand: Demand) -> io::Result<()> {
        let chain = self.wire.peer_certificates();
        if let Some(tls) = &mut self.client.tls
            && let Some(own) = chain.first()
        {
            let verified = demand == Demand::Verify || self.live.tls.accepts(&chain);
            let subject = subject(own).unwrap_or_default();
            tls.certificate =
                Some(ClientCertificate { der: own.as_ref().into(), subject, verified });
        }
        if self.is_refused(&chain).await {
            return Err(io::Error::other("certificate refused by an action of tls:cert"));
        }
        Ok(())
    }

    /// Raises the event of each certificate, the highest first.
    async fn is_refused(&self, chain: &[CertificateDer<'_>]) -> bool {
        let origin = self.origin();
        for (depth, certificate) in chain.iter().enumerate().rev() {
            if origin.refuses(depth, certificate).await {
                let Self { gateway, session, client, .. } = self;
                let subject = subject(certificate).unwrap_or_default();
                let line = format!(
                    "STARTTLS: the certificate at depth {depth} ({subject}) is refused by an action of tls:cert"
                );
                log::rule(&gateway.limiter, session, client, None, &line);
                return true;
            }
        }
        false
    }
}
