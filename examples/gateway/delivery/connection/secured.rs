//! TLS on a connection, after the handshake.

use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::TlsClient;
use crate::gateway::delivery::outcome::{TlsOutcome, Verified};
use crate::gateway::delivery::server_check::ServerCheck;
use crate::gateway::events::outgoing_tls::{OutgoingSession, OutgoingTls};
use crate::gateway::lookups::certificate::field;
use crate::gateway::telemetry::cipher::cipher;

/// The facts of TLS on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Secured {
    pub(crate) outcome: TlsOutcome,
    /// The verifier, with its results.
    pub(crate) check: Arc<ServerCheck>,
}

impl Secured {
    pub(super) fn new(tls: &TlsClient, session: &ClientConnection) -> Self {
        let authentication = tls.check.authentication();
        let verified = if authentication.is_dane() {
            Verified::Dane
        } else if authentication.is_verified() {
            Verified::Yes
        } else {
            Verified::No
        };
        let sni = match &tls.server_name {
            ServerName::DnsName(name) if tls.config.enable_sni => Some(name.as_ref().to_owned()),
            _ => None,
        };
        let outcome = TlsOutcome {
            cipher: cipher(session).unwrap_or_default(),
            verified,
            sni,
            tlsa_usage: authentication.usage_bits(),
            ocsp: tls.check.tls_out_ocsp(),
            verdict: authentication.explanation(),
        };
        Self { outcome, check: Arc::clone(&tls.check) }
    }

    /// The variables after the handshake, by those before it.
    pub(super) fn variables(&self, before: &OutgoingTls) -> OutgoingTls {
        let peer = self.check.authentication().sent().first();
        let session = OutgoingSession {
            cipher: self.outcome.cipher.clone(),
            sni: self.outcome.sni.clone(),
            certificate_verified: self.outcome.verified != Verified::No,
            peercert: peer.map(|certificate| certificate.to_vec()),
            peerdn: peer.and_then(|certificate| field(certificate, b"subject").ok().flatten()),
        };
        OutgoingTls {
            dane: self.outcome.verified == Verified::Dane,
            ocsp: self.outcome.ocsp,
            session: Some(session),
            ..before.clone()
        }
    }
}
