//! What the program tells of its work.

pub mod log;
pub(crate) mod repeats;
