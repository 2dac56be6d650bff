//! The gateway and the mail programs of others: they deliver to it, stand before it, and receive
//! from it. `scripts/peers install` fetches them; where they are missing, the tests are skipped and
//! say so, unless `CI` is `true`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

mod block;
mod checks;
mod delivery;
mod dialogue;
mod dmarc;
mod dmarc_reports;
mod events;
mod gateway;
mod limits;
#[cfg(feature = "pgsql")]
mod lookups;
mod peers;
mod prdr;
mod prdr_cut;
mod proxied;
mod refusal;
mod relay;
mod rules;
mod spf;
mod verdicts;
