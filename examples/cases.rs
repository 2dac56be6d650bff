//! What the tools have in common: cases by line, answers of the DNS, and what comes out.

#[cfg(feature = "gateway")]
pub mod answers;
#[cfg(feature = "gateway")]
pub mod certificates;
#[cfg(feature = "gateway")]
pub mod dmarc_rows;
pub mod dns;
#[cfg(feature = "gateway")]
pub mod host_outcome;
pub mod lines;
pub mod mail_server;
pub mod output;
#[cfg(feature = "gateway")]
pub mod resolver;
pub mod shown;
pub mod trace;
