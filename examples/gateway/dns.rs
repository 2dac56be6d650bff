//! Questions to the DNS.

pub(crate) mod numeric_name;
pub mod options;
#[cfg(feature = "gateway")]
pub mod resolver;
