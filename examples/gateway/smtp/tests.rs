//! Tests of the machines, which need no server.

mod framing;
pub(crate) mod session;
mod session_chunks;
mod session_faults;
mod session_greeting;
mod session_limits;
mod session_prdr;
mod session_require_tls;
mod session_texts;
mod stuffing;
