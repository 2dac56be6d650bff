//! The reasons of a lost session.

use mail_types::smtp::Reply;
use thiserror::Error;

/// The reason why a session cannot continue. It is about the server or the connection, never about a
/// message or a recipient: what was not replied to is to be tried again.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Lost {
    /// The server does not accept mail, by its greeting, its reply to `HELO`, or 421.
    #[error("the server accepts no mail: {0}")]
    NotWilling(Reply),
    /// The connection was closed.
    #[error("the server closed the connection")]
    Closed,
    /// The server did not reply, or did not read, in time.
    #[error("the server did not answer in time")]
    Slow,
    /// The octets are not a reply, or the reply makes no sense after this command.
    #[error("malformed reply from the server")]
    Malformed,
    /// Octets arrived before the next command was sent, as after the reply to `STARTTLS`.
    #[error("unexpected reply from the server")]
    OutOfTurn,
    /// The last command was given up, so that the state of the session is unknown.
    #[error("the session was interrupted")]
    Interrupted,
}
