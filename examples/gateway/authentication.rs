//! What SPF, DKIM and DMARC say of a message.

pub mod dkim;
pub(crate) mod dmarc;
pub(crate) mod envelope;
#[cfg(feature = "gateway")]
pub(crate) mod examination;
pub(crate) mod results;
pub(crate) mod spf;
