//! SPF, DKIM and DMARC of a message: from an envelope and a message to their results.

pub mod dkim;
pub(crate) mod dmarc;
pub(crate) mod envelope;
#[cfg(feature = "gateway")]
pub(crate) mod examination;
pub(crate) mod results;
pub(crate) mod spf;
