//! The language of a configuration's texts, and the databases and files that it asks.

pub mod asking;
pub(crate) mod database_file;
pub mod engines;
pub(crate) mod files;
pub(crate) mod language;
mod linear_search;
pub(crate) mod macros;
#[cfg(feature = "pgsql")]
mod pgsql;
pub(crate) mod quantity;
mod rows;
pub mod settings;
mod sqlite;
