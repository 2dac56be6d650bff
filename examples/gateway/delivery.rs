//! The delivery of mail: into the store, or to the next hop.

#[cfg(feature = "gateway")]
pub(crate) mod connection;
#[cfg(feature = "gateway")]
pub(crate) mod destination;
#[cfg(feature = "gateway")]
pub(crate) mod message_outcome;
#[cfg(feature = "gateway")]
pub(crate) mod relay;
pub(crate) mod routing;
pub(crate) mod settings;
