//! What is told of messages afterwards: rows for aggregate reports, the history file of `OpenDMARC`,
//! failure reports.
//!
//! A thread of its own writes it down, from a queue with an end: where the disk is slow or broken, or
//! the queue full, it is lost, and that is logged. No mail waits for it.

#[cfg(feature = "gateway")]
mod account;
#[cfg(feature = "gateway")]
mod failure;
#[cfg(feature = "gateway")]
pub(crate) mod reporter;
#[cfg(feature = "gateway")]
pub mod rows;
pub(crate) mod settings;
#[cfg(feature = "gateway")]
mod writer;

#[cfg(feature = "gateway")]
pub(crate) use self::account::Account;
#[cfg(feature = "gateway")]
pub(crate) use self::failure::{Failures, Incident};
#[cfg(feature = "gateway")]
pub(crate) use self::reporter::Reporter;
