//! Per-recipient replies to the data of a message: the SMTP extension PRDR of
//! [draft-hall-prdr-00](https://datatracker.ietf.org/doc/html/draft-hall-prdr-00), for servers and
//! for clients.
//!
//! Without it a server accepts or refuses a message for all recipients together, although one
//! filters content and another does not. With it the server answers the end of the data with 353, a
//! reply for each recipient, and a final reply. The machines do no I/O and have no clock. Both
//! sides of one transaction:
//!
//! ```
//! use std::time::Instant;
//!
//! use mail_types::smtp::{Reply, ReplyCode};
//! use prdr::{Client, DataPhase, RecipientOutcome, DataStep};
//!
//! let now = Instant::now();
//! let mut server = DataPhase::new([ReplyCode::OK, ReplyCode::OK], true)?;
//! let mut client = Client::new(2, now);
//! loop {
//!     match server.poll() {
//!         DataStep::Send(reply) => client.handle_reply(reply, 0, now),
//!         DataStep::Recipient(0) => server.handle_verdict(Reply::new(ReplyCode::OK, "wanted")),
//!         DataStep::Recipient(_) => server.handle_verdict("550 5.7.1 not wanted".parse()?),
//!         DataStep::Message => server.handle_verdict("250 2.6.0 queued".parse()?),
//!         DataStep::Done => break,
//!     }
//! }
//! let outcomes = client.outcomes().unwrap_or_default();
//! assert!(matches!(&outcomes[..], [RecipientOutcome::Delivered(_), RecipientOutcome::Permanent(_)]));
//!
//! // A connection that is lost before the final reply leaves every recipient in doubt.
//! let mut client = Client::new(2, now);
//! client.handle_reply("353 wait".parse()?, 0, now);
//! client.handle_reply("250 2.1.5 wanted".parse()?, 0, now);
//! client.handle_end();
//! assert_eq!(client.outcomes(), Some(vec![RecipientOutcome::InDoubt; 2]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it covers
//!
//! | Part of the draft                    | Here                                        |
//! |--------------------------------------|---------------------------------------------|
//! | 4.1, the keyword                     | [`KEYWORD`], [`is_offered`]                 |
//! | 4.2, the parameter                   | [`is_requested`], [`pays`]                  |
//! | 4.4, one reply for all               | [`DataPhase`], [`Client`]                   |
//! | 4.5, the block                       | [`DataPhase`], [`Client`]                   |
//! | 4.6, after the transfer              | [`RecipientOutcome`]; queues are the caller's task   |
//!
//! It does not serve LMTP, which has a reply for each recipient and no final one (RFC 2033).
//!
//! # Choices
//!
//! Where the draft is silent: the verdict on a single recipient is the final reply, requested or not;
//! for several recipients without a request only the final reply is sent; a verdict of 3yz defers; if
//! no recipient accepts the message and at least one defers it, the final reply is 450.
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                            |
//! |---------|---------|---------------------------------------------------------------------------------|
//! | `serde` | no      | `Serialize` and `Deserialize` of the crate `serde` for [`RecipientOutcome`]: `delivered`, `permanent` or `temporary` with the text of the reply, or `in_doubt`. This form is stable |
//!
//! # Limits
//!
//! Each recipient has one reply, and a server limits its recipients. A client waits for each reply
//! for [`LEAST_PATIENCE`] or longer, and accepts at most two replies more than it has recipients.
//!
//! # Trust
//!
//! A client trusts a server only after its final reply. The server's text is kept for notifications as
//! a [`Reply`](mail_types::smtp::Reply), which cannot break a line.

mod client;
mod extension;
mod server;

pub use client::{Client, LEAST_PATIENCE, RecipientOutcome};
pub use extension::{COMPANIONS, KEYWORD, ParameterError, is_offered, is_requested, pays};
pub use mail_types;
pub use server::{DataPhase, DataStep, NoRecipients};
