//! Questions to the DNS.

pub mod options;
#[cfg(feature = "gateway")]
pub mod resolver;
