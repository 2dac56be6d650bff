//! `send` as a program, with servers that misbehave.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

mod cut;
mod dry_run;
mod events;
mod extensions;
mod fallback;
mod gateway;
#[path = "../load/program.rs"]
mod gateway_program;
#[expect(dead_code, reason = "the program reads messages; its tests are run here")]
#[path = "../../send/message.rs"]
mod message;
mod program;
mod require_tls;
mod server;
mod status;
mod tls_reports;
mod trust_ad;
