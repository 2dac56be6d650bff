//! The errors of a connection, as events tell them.

use std::io;

use mail_types::smtp::Reply;
use rustix::io::Errno;

use crate::gateway::events::delivery_attempt::{ERRNO_SMTPCLOSED, ERRNO_SMTPFORMAT, Failure};
use crate::gateway::smtp::client::Lost;

/// Returns the error of a lost session, after `stage`, if it is to be reported.
pub(super) fn failure(lost: &Lost, stage: &str) -> Option<Failure> {
    let (text, errno) = match lost {
        Lost::NotWilling(reply) => (said(reply, stage), 0),
        Lost::Closed => {
            (format!("Remote host closed connection in response to {stage}"), ERRNO_SMTPCLOSED)
        }
        Lost::Slow => (
            format!("SMTP timeout after {stage}: Connection timed out"),
            Errno::TIMEDOUT.raw_os_error(),
        ),
        Lost::Malformed | Lost::OutOfTurn => {
            (format!("a malformed reply after {stage}"), ERRNO_SMTPFORMAT)
        }
        Lost::Interrupted => return None,
    };
    Some(Failure { text, errno })
}

/// Returns the text of a negative reply.
pub(super) fn said(reply: &Reply, stage: &str) -> String {
    let reply = reply.to_string().replace('\r', "");
    format!("SMTP error from remote mail server after {stage}: {reply}")
}

/// Returns the error of a failed connection; `None` is a timeout.
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
