//! An SMTP edge server made of the crates, in layers from top to bottom: a folder uses only those below it.

pub mod config;
pub mod server;

pub mod delivery;
pub mod policy;

pub mod events;
pub mod reports;

pub mod lookups;

pub mod authentication;
pub mod store;
pub mod telemetry;

pub mod dns;
pub mod smtp;

pub mod message;

#[cfg(test)]
#[cfg(feature = "gateway")]
mod tests;
