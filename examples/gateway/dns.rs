//! Questions to the DNS.

pub mod resolve;
pub mod resolver;
