//! Lookups: the language of configured texts, and the databases and files of its lookups.

pub mod asking;
#[cfg(feature = "gateway")]
pub(crate) mod certificate;
#[cfg(feature = "gateway")]
pub(crate) mod database_file;
#[cfg(feature = "gateway")]
pub mod engines;
#[cfg(feature = "gateway")]
pub(crate) mod files;
pub(crate) mod language;
pub(crate) mod language_error;
#[cfg(feature = "gateway")]
mod linear_search;
pub(crate) mod macros;
#[cfg(feature = "pgsql")]
pub(crate) mod pgsql;
pub(crate) mod quantity;
pub mod random;
pub mod redis;
#[cfg(feature = "gateway")]
mod rows;
pub mod settings;
#[cfg(feature = "gateway")]
mod sqlite;
#[cfg(feature = "gateway")]
mod unquoted;
