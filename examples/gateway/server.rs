//! The server: its listeners, and the connections of its clients.

#[cfg(feature = "gateway")]
pub(crate) mod connection;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
pub(crate) mod host_limit;
#[cfg(feature = "gateway")]
pub(crate) mod host_name;
#[cfg(feature = "gateway")]
mod listeners;
#[cfg(feature = "gateway")]
pub(crate) mod memory;
#[cfg(feature = "gateway")]
mod monitor;
#[cfg(feature = "gateway")]
mod proxy;
#[cfg(feature = "gateway")]
mod reload;
pub mod settings;
#[cfg(feature = "gateway")]
pub(crate) mod tls;
#[cfg(feature = "gateway")]
mod trial;
#[cfg(feature = "gateway")]
pub(crate) mod wire;

#[cfg(feature = "gateway")]
pub use self::gateway::{Gateway, StartError};
#[cfg(feature = "gateway")]
pub use self::listeners::Listeners;
#[cfg(feature = "gateway")]
pub use self::reload::Reload;
