//! Telemetry: the log, metrics, and the state of the service.

#[cfg(feature = "gateway")]
pub(crate) mod arrival;
#[cfg(feature = "gateway")]
pub(crate) mod cipher;
pub(crate) mod line_limit;
#[cfg(feature = "gateway")]
pub(crate) mod local_delivery;
#[cfg(feature = "gateway")]
pub mod log;
pub mod log_format;
pub(crate) mod log_selector;
pub(crate) mod metrics;
#[cfg(feature = "gateway")]
pub(crate) mod repeats;
#[cfg(feature = "gateway")]
pub(crate) mod service;
