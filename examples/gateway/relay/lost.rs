//! Connections that broke, and what the client is told then.

use mail_types::{Reply, ReplyCode};

use super::super::phrases::say;

/// Why nothing more can be known from a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    Unreachable,
    Unwilling,
    Closed,
    Slow,
    Malformed,
    OutOfTurn,
    Interrupted,
}

impl Lost {
    pub(super) fn reply(self) -> Reply {
        let (enhanced, text) = match self {
            Self::Unreachable => ("4.4.1", "the next hop cannot be reached"),
            Self::Unwilling => ("4.4.1", "the next hop takes no mail now"),
            Self::Closed => ("4.4.2", "the next hop closed the connection"),
            Self::Slow => ("4.4.2", "the next hop did not answer in time"),
            Self::Malformed => ("4.5.0", "the next hop's reply makes no sense"),
            Self::OutOfTurn => ("4.5.0", "the next hop spoke out of turn"),
            Self::Interrupted => ("4.4.2", "the session with the next hop was broken off"),
        };
        say(ReplyCode::LOCAL_ERROR, enhanced, text)
    }
}
