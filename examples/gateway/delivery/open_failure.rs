//! Why no host takes a message.

use std::net::SocketAddr;

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode};

use super::connection::OpenError;
use super::hosts::NoHosts;
use super::lost_reply::{lost_reply, open_reply, unreachable};
use super::outcome::{DeliveryResult, RecipientOutcome};
use crate::gateway::smtp::client::Lost;
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
    /// Whether only a policy for TLS stands in the way.
    is_policy: bool,
}

/// Which of several failures decides: the last one of the greatest rank.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    /// A host without an address is no host.
    NoAddress,
    /// No later attempt will succeed.
    Permanent,
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
            is_policy: false,
        }
    }

    /// A host that a policy for TLS keeps the message from.
    pub(super) fn by_policy(self) -> Self {
        Self { is_policy: true, ..self }
    }

    /// Tells whether only a policy for TLS stands in the way.
    pub(super) fn is_policy(&self) -> bool {
        self.is_policy
    }

    /// A next hop without hosts.
    pub(super) fn no_hosts(error: &NoHosts, is_permanent: bool) -> Self {
        let reason = error.to_string();
        let reply = if is_permanent {
            say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::of::<5, 1, 2>(), &reason)
        } else {
            unreachable()
        };
        let rank = if is_permanent { Rank::Permanent } else { Rank::Temporary };
        Self { reply, reason, host: None, address: None, rank, is_policy: false }
    }

    pub(super) fn of(host: &str, address: SocketAddr, error: &OpenError) -> Self {
        Self {
            reply: open_reply(error),
            reason: error.to_string(),
            host: Some(host.to_owned()),
            address: Some(address),
            rank: match error {
                OpenError::CannotTake(_) => Rank::Permanent,
                _ => Rank::Temporary,
            },
            is_policy: matches!(
                error,
                OpenError::TlsNotOffered | OpenError::TlsRefused(_) | OpenError::Handshake(_)
            ),
        }
    }

    /// The connection was lost before the message, and the recipients are left.
    pub(super) fn lost(host: &str, address: SocketAddr, lost: &Lost) -> Self {
        Self {
            reply: lost_reply(lost),
            reason: lost.to_string(),
            host: Some(host.to_owned()),
            address: Some(address),
            rank: Rank::Temporary,
            is_policy: false,
        }
    }

    /// Tells whether a later attempt may succeed.
    pub(super) fn is_temporary(&self) -> bool {
        self.rank == Rank::Temporary
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
            rank: Rank::Permanent,
            is_policy: false,
        }
    }

    /// Returns the failure that decides.
    pub(super) fn worst(failures: Vec<Self>) -> Self {
        let none = || Self::unused(String::new(), "no host is left".to_owned(), false);
        let is_policy = failures.iter().any(|failure| failure.is_policy);
        let worst = failures.into_iter().max_by_key(|failure| failure.rank).unwrap_or_else(none);
        Self { is_policy, ..worst }
    }

    /// The outcome of a recipient.
    pub(super) fn outcome(&self, recipient: &Mailbox) -> RecipientOutcome {
        let is_permanent = self.rank == Rank::Permanent;
        let result = if is_permanent { DeliveryResult::Failed } else { DeliveryResult::Deferred };
        let (host, address) = (self.host.clone(), self.address);
        let outcome =
            RecipientOutcome { host, address, ..RecipientOutcome::new(recipient, result) };
        outcome.because(&self.reason)
    }
}
