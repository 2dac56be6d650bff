//! Questions to the DNS.

#[cfg(feature = "gateway")]
pub mod resolver;
