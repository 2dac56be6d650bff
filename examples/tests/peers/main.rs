//! The gateway and the mail programs of others: they deliver to it, stand before it, and receive
//! from it. `scripts/peers install` fetches them; where they are missing, the tests are skipped and
//! say so, unless `CI` is `true`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

mod authors;
mod block;
mod checks;
mod delivery;
mod dialogue;
#[path = "../../gateway/dkim.rs"]
#[expect(dead_code, reason = "the gateway uses what these tests do not")]
mod dkim;
mod dkim_messages;
mod dkim_peer;
#[path = "../../gateway/tests/dkim_signing.rs"]
mod dkim_signing;
mod dmarc;
mod dmarc_reports;
mod events;
mod examined;
mod gateway;
#[path = "../../gateway/header.rs"]
#[expect(dead_code, reason = "the gateway uses what these tests do not")]
mod header;
mod limits;
#[cfg(feature = "pgsql")]
mod lookups;
mod name_server;
mod next_hop;
mod peers;
mod prdr;
mod prdr_cut;
mod proxied;
mod refusal;
mod relay;
mod rules;
mod spf;
mod starting;
mod unanswered;
mod verdicts;
