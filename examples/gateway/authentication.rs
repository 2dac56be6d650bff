//! What SPF, DKIM and DMARC say of a message.

pub mod dkim;
pub(crate) mod examination;
pub(crate) mod results;
