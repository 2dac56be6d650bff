//! The server side of SMTP, without I/O.

pub(crate) mod command;
pub mod framing;
pub mod peer;
pub(crate) mod replies;
pub mod session;
pub mod stuffing;
pub mod transaction;
