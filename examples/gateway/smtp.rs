//! Both sides of SMTP, without I/O.

pub mod client;
pub(crate) mod command;
pub(crate) mod command_error;
pub mod framing;
pub mod peer;
pub(crate) mod replies;
pub mod session;
pub mod stuffing;
pub mod transaction;

#[cfg(test)]
pub(crate) mod tests;
