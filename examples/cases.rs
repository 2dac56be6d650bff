//! What the tools have in common: cases by line, answers of the DNS, and what comes out.

#[cfg(feature = "gateway")]
pub mod answers;
#[cfg(feature = "gateway")]
pub mod certificates;
pub mod count;
#[cfg(feature = "gateway")]
pub mod dmarc_review;
#[cfg(feature = "gateway")]
pub mod dmarc_rows;
pub mod dns;
pub mod escaped;
#[cfg(feature = "gateway")]
pub mod host_outcome;
pub mod lines;
pub mod mail_server;
pub mod output;
#[cfg(feature = "gateway")]
pub mod published;
#[cfg(feature = "gateway")]
pub mod resolver;
#[cfg(feature = "gateway")]
pub mod server_chain;
pub mod shown;
#[cfg(feature = "gateway")]
pub mod spf_review;
pub mod trace;
