//! Questions to the DNS.

pub mod resolve;
#[cfg(feature = "gateway")]
pub mod resolver;
