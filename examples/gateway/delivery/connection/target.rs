//! An address, and the TLS to use with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::gateway::delivery::server_check::ServerCheck;
use crate::gateway::smtp::client::Needs;

/// An address of a host, and what is tried there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Whether `PRDR` is requested where it is offered.
    pub(crate) try_prdr: bool,
    /// Whether messages are sent by `BDAT` where `CHUNKING` is offered.
    pub(crate) try_chunking: bool,
    /// The needs of the message, where another server may have what this one lacks.
    pub(crate) needs: Option<Needs>,
    /// The PROXY header before the session.
    pub(crate) proxy: Option<Vec<u8>>,
    /// The end of the opening, so that time is left for another address.
    pub(crate) open_by: Option<Instant>,
    /// The end of the whole session.
    pub(crate) until: Option<Instant>,
}

/// Whether to use TLS.
#[derive(Clone, Debug)]
pub(crate) enum TlsPlan {
    /// `STARTTLS` is not sent.
    Clear,
    /// `STARTTLS` is sent where it is offered; after a refusal the session goes on in clear, but a temporary one
    /// is an error where `may_clear` is off. A failed handshake is an error, after which the caller may open a new
    /// connection in clear.
    IfOffered(TlsClient),
    /// Without TLS no `MAIL` is sent.
    Required(TlsClient),
}

impl TlsPlan {
    /// Returns the side of TLS that this host takes, if any.
    pub(crate) fn client(&self) -> Option<&TlsClient> {
        match self {
            Self::Clear => None,
            Self::IfOffered(client) | Self::Required(client) => Some(client),
        }
    }

    /// Tells whether clear text may follow a failed handshake.
    pub(crate) fn may_clear(&self) -> bool {
        self.client().is_some_and(|client| client.may_clear)
    }

    pub(super) fn is_required(&self) -> bool {
        matches!(self, Self::Required(_))
    }
}

/// The settings of a handshake.
#[derive(Clone, Debug)]
pub(crate) struct TlsClient {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) server_name: ServerName<'static>,
    /// The verifier of `config`, with its results.
    pub(crate) check: Arc<ServerCheck>,
    /// Whether clear text may follow a temporary refusal of `STARTTLS`, and a failed handshake on a new connection.
    pub(crate) may_clear: bool,
}
