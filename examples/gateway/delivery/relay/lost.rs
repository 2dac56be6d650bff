//! Lost connections to the next hop, with their replies for the client.

use std::io;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};
use rustix::io::Errno;

use crate::gateway::events::delivery_attempt::{ERRNO_SMTPCLOSED, ERRNO_SMTPFORMAT, Failure};
use crate::gateway::smtp::replies::say;

/// The reason of a lost connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    Unreachable,
    Unwilling,
    /// Refused by an action of `smtp:connect`.
    Unwanted,
    Closed,
    Slow,
    Malformed,
    OutOfTurn,
    Interrupted,
}

impl Lost {
    pub(super) fn reply(self) -> Reply {
        let (enhanced, text) = match self {
            Self::Unreachable => (EnhancedCode::of::<4, 4, 1>(), "cannot reach the next hop"),
            Self::Unwilling | Self::Unwanted => {
                (EnhancedCode::of::<4, 4, 1>(), "the next hop accepts no mail now")
            }
            Self::Closed => (EnhancedCode::of::<4, 4, 2>(), "the next hop closed the connection"),
            Self::Slow => (EnhancedCode::of::<4, 4, 2>(), "the next hop did not answer in time"),
            Self::Malformed => (EnhancedCode::of::<4, 5, 0>(), "malformed reply from the next hop"),
            Self::OutOfTurn => {
                (EnhancedCode::of::<4, 5, 0>(), "unexpected reply from the next hop")
            }
            Self::Interrupted => {
                (EnhancedCode::of::<4, 4, 2>(), "session with the next hop interrupted")
            }
        };
        say(ReplyCode::LOCAL_ERROR, enhanced, text)
    }
    /// Returns the error for events, after `stage`, if it is to be reported.
    pub(super) fn failure(self, stage: &str, unwilling: Option<&Reply>) -> Option<Failure> {
        let (text, errno) = match self {
            Self::Unwilling => {
                let said = unwilling.map(|reply| reply.to_string().replace('\r', ""));
                let said = said.unwrap_or_default();
                (format!("SMTP error from remote mail server after {stage}: {said}"), 0)
            }
            Self::Closed => {
                let text = format!("Remote host closed connection in response to {stage}");
                (text, ERRNO_SMTPCLOSED)
            }
            Self::Slow => (
                format!("SMTP timeout after {stage}: Connection timed out"),
                Errno::TIMEDOUT.raw_os_error(),
            ),
            Self::Malformed | Self::OutOfTurn => {
                (format!("a malformed reply after {stage}"), ERRNO_SMTPFORMAT)
            }
            // These are reported elsewhere, or not at all.
            Self::Unreachable | Self::Unwanted | Self::Interrupted => return None,
        };
        Some(Failure { text, errno })
    }
}

/// The error of a failed connection; `None` is a timeout.
pub(super) fn connect_failure(error: Option<&io::Error>) -> Failure {
    let errno = error
        .map_or(Some(Errno::TIMEDOUT.raw_os_error()), io::Error::raw_os_error)
        .unwrap_or_default();
    let text = match Errno::from_raw_os_error(errno) {
        _ if errno == 0 => "no connection".to_owned(),
        known => io::Error::from(known).to_string(),
    };
    // The standard library adds the number.
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    Failure { text, errno }
}
