//! Staples in rustls: keys that a server staples to, and a verifier for clients.
//!
//! rustls 0.23 staples to a server's own certificate only, and its clients always ask.

mod keys;
mod sessions;
mod verifier;

pub use keys::StapledKeys;
pub use sessions::Sessions;
pub use verifier::StapleVerifier;
