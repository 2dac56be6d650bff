//! A message: its identifier, its header section, and the fields that are added or removed.

pub(crate) mod forged;
pub(crate) mod header_edits;
pub mod id;
#[cfg(feature = "gateway")]
pub(crate) mod tls_required;
pub(crate) mod trace_fields;
