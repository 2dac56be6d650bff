//! Telemetry: the log, and the state of the service.

#[cfg(feature = "gateway")]
pub(crate) mod cipher;
#[cfg(feature = "gateway")]
pub mod log;
pub mod log_format;
#[cfg(feature = "gateway")]
pub(crate) mod repeats;
#[cfg(feature = "gateway")]
pub(crate) mod service;
