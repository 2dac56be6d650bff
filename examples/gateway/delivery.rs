//! The delivery of mail: into the store, or to the next hop.

#[cfg(feature = "gateway")]
pub(crate) mod authorities;
#[cfg(feature = "gateway")]
pub(crate) mod destination;
#[cfg(feature = "gateway")]
pub(crate) mod hosts;
#[cfg(feature = "gateway")]
pub(crate) mod message_outcome;
#[cfg(feature = "gateway")]
pub(crate) mod mta_sts;
#[cfg(feature = "gateway")]
pub(crate) mod next_hop;
#[cfg(feature = "gateway")]
pub mod outcome;
#[cfg(feature = "gateway")]
pub(crate) mod relay;
pub(crate) mod routing;
#[cfg(feature = "gateway")]
pub(crate) mod security;
#[cfg(feature = "gateway")]
pub(crate) mod server_check;
pub(crate) mod settings;
#[cfg(feature = "gateway")]
pub(crate) mod tls_report;
