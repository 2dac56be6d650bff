//! Why no host takes a message.

use std::net::SocketAddr;

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode};

use super::connection::OpenError;
use super::lost_reply::open_reply;
use super::outcome::{DeliveryResult, RecipientOutcome};
use crate::gateway::smtp::replies::say;

/// Why a host, or an address of it, does not take the message.
#[derive(Clone, Debug)]
pub(crate) struct OpenFailure {
    /// For the waiting client of a relay.
    pub(crate) reply: Reply,
    /// For the log.
    pub(crate) reason: String,
    pub(crate) host: Option<String>,
    pub(crate) address: Option<SocketAddr>,
    rank: Rank,
}

/// Which of several failures decides: the last one of the greatest rank.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    /// A host without an address is no host.
    NoAddress,
    /// REQUIRETLS cannot be met.
    Demand,
    /// A later attempt may succeed.
    Temporary,
}

impl OpenFailure {
    /// A host that is not used.
    pub(super) fn unused(host: String, reason: String, has_no_address: bool) -> Self {
        let text = "no host of the next hop can be used now";
        Self {
            reply: say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 4, 0>(), text),
            reason,
            host: Some(host),
            address: None,
            rank: if has_no_address { Rank::NoAddress } else { Rank::Temporary },
        }
    }

    pub(super) fn of(host: &str, address: SocketAddr, error: &OpenError) -> Self {
        Self {
            reply: open_reply(error),
            reason: error.to_string(),
            host: Some(host.to_owned()),
            address: Some(address),
            rank: Rank::Temporary,
        }
    }

    /// The server is not authenticated as one of the next hop, and the message demands that.
    pub(super) fn encryption_needed(host: &str, address: SocketAddr) -> Self {
        let text = "REQUIRETLS: no authenticated TLS session with a confirmed host";
        Self::demand(host, address, EnhancedCode::of::<5, 7, 10>(), text)
    }

    /// The server does not offer REQUIRETLS.
    pub(super) fn require_tls_needed(host: &str, address: SocketAddr) -> Self {
        let text = "REQUIRETLS: not supported by the server";
        Self::demand(host, address, EnhancedCode::of::<5, 7, 30>(), text)
    }

    fn demand(host: &str, address: SocketAddr, enhanced: EnhancedCode, text: &str) -> Self {
        Self {
            reply: say(ReplyCode::MAILBOX_UNAVAILABLE, enhanced, text),
            reason: text.to_owned(),
            host: Some(host.to_owned()),
            address: Some(address),
            rank: Rank::Demand,
        }
    }

    /// Returns the failure that decides.
    pub(super) fn worst(failures: Vec<Self>) -> Self {
        let none = || Self::unused(String::new(), "no host is left".to_owned(), false);
        failures.into_iter().max_by_key(|failure| failure.rank).unwrap_or_else(none)
    }

    /// The outcome of a recipient.
    pub(super) fn outcome(&self, recipient: &Mailbox) -> RecipientOutcome {
        let is_demand = self.rank == Rank::Demand;
        let result = if is_demand { DeliveryResult::Failed } else { DeliveryResult::Deferred };
        let (host, address) = (self.host.clone(), self.address);
        let outcome =
            RecipientOutcome { host, address, ..RecipientOutcome::new(recipient, result) };
        outcome.because(&self.reason)
    }
}
