//! Questions to the DNS.

pub mod resolver;
