//! Reports about messages: rows for aggregate reports, the history file of `OpenDMARC`, failure reports.
//!
//! A separate thread writes them from a bounded queue. If the disk fails or the queue is full, reports
//! are lost, and the loss is logged. Mail never waits for them.

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
