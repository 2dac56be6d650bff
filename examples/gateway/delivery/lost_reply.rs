//! The replies for the client when no reply of the next hop can be passed back.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use crate::gateway::delivery::connection::OpenError;
use crate::gateway::smtp::client::Lost;
use crate::gateway::smtp::replies::say;

/// Returns the reply for a lost session.
pub(super) fn lost_reply(lost: &Lost) -> Reply {
    let (enhanced, text) = match lost {
        Lost::NotWilling(_) => (EnhancedCode::of::<4, 4, 1>(), "the next hop accepts no mail now"),
        Lost::Closed => (EnhancedCode::of::<4, 4, 2>(), "the next hop closed the connection"),
        Lost::Slow => (EnhancedCode::of::<4, 4, 2>(), "the next hop did not answer in time"),
        Lost::Malformed => (EnhancedCode::of::<4, 5, 0>(), "malformed reply from the next hop"),
        Lost::OutOfTurn => (EnhancedCode::of::<4, 5, 0>(), "unexpected reply from the next hop"),
        Lost::Interrupted => {
            (EnhancedCode::of::<4, 4, 2>(), "session with the next hop interrupted")
        }
    };
    say(ReplyCode::LOCAL_ERROR, enhanced, text)
}

/// Returns the reply for a connection that could not be opened: even a permanent refusal of the connection is
/// not about the recipient.
pub(super) fn open_reply(error: &OpenError) -> Reply {
    let (enhanced, text) = match error {
        OpenError::Lost { reason, .. } => return lost_reply(reason),
        OpenError::ConnectRefused | OpenError::Unreachable(_) => return unreachable(),
        OpenError::CannotTake(reason) => return reason.reply(),
        OpenError::GreetingRefused => {
            (EnhancedCode::of::<4, 4, 1>(), "the next hop accepts no mail now")
        }
        OpenError::TlsNotOffered | OpenError::TlsRefused(_) => {
            (EnhancedCode::of::<4, 7, 4>(), "TLS is required, and the next hop does not start it")
        }
        OpenError::CertificateRefused(_) => {
            (EnhancedCode::of::<4, 7, 5>(), "the certificate of the next hop is refused")
        }
        OpenError::Handshake(_) => {
            (EnhancedCode::of::<4, 7, 5>(), "the TLS handshake with the next hop failed")
        }
    };
    say(ReplyCode::LOCAL_ERROR, enhanced, text)
}

/// Returns the reply for a next hop without an address that accepts a connection.
pub(super) fn unreachable() -> Reply {
    say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 4, 1>(), "cannot reach the next hop")
}
