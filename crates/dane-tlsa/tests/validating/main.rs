//! Validation on this host, of records with the proofs that hickory gives.

#![cfg(feature = "dnssec-ring")]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

mod denial;
mod dname;
mod proven_records;
mod wildcard;
