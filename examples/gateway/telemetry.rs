//! Telemetry: the log.

#[cfg(feature = "gateway")]
pub(crate) mod cipher;
#[cfg(feature = "gateway")]
pub mod log;
pub mod log_format;
#[cfg(feature = "gateway")]
pub(crate) mod repeats;
