//! The store of accepted messages.
//!
//! A message is durable when no crash of the program or of the machine can lose it; only then does the
//! client get its 250. A sync for each message would cost more than all other work on it, so messages
//! share syncs through a journal. A sync of the journal writes only the appended bytes, into blocks that
//! the file already has. The alternatives, a sync of each file and its directory or one `syncfs` for
//! many files, are slower: a `syncfs` writes the data of every program and commits metadata.
//!
//! - [`journal`] collects the messages that arrive during its last sync and shortly after it, appends
//!   them to the current [`segment`] as one [`batch`], with one write and one `fdatasync`, and answers
//!   their senders.
//! - [`delivery`] then writes them into the Maildir, without a sync, and marks its [`progress`].
//! - [`checkpoint`] calls `syncfs` in the background for each segment that is full or some seconds
//!   old, and only then lets it be used again.
//! - [`replay`] delivers, at the start, the messages that the last process left in the journal.
//! - [`folder`] delivers into Maildirs of single recipients and of quarantine, without the journal.
//!
//! # Guarantees
//!
//! A message for which [`Store::keep`] returned success is delivered, whole. After a crash of the
//! program it is delivered once, even if a reader removed it before the next start. After a power
//! loss, a message that a reader removed since the last checkpoint may be delivered again. A message
//! that was refused or never answered may be delivered nevertheless, which SMTP allows.

pub mod batch;
#[cfg(feature = "gateway")]
mod checkpoint;
#[cfg(feature = "gateway")]
pub(crate) mod company;
#[cfg(feature = "gateway")]
mod delivery;
#[cfg(feature = "gateway")]
mod directory;
#[cfg(feature = "gateway")]
pub(crate) mod folder;
#[cfg(feature = "gateway")]
mod journal;
#[cfg(feature = "gateway")]
mod level;
#[cfg(feature = "gateway")]
pub(crate) mod maildir;
mod message;
#[cfg(feature = "gateway")]
pub(crate) mod progress;
#[cfg(feature = "gateway")]
mod queue;
#[cfg(feature = "gateway")]
pub(crate) mod replay;
pub(crate) mod segment;
pub(crate) mod settings;
pub(crate) mod store_error;
#[cfg(feature = "gateway")]
mod trouble;
#[cfg(feature = "gateway")]
pub(crate) mod writers;

pub use self::message::Message;
#[cfg(feature = "gateway")]
pub(crate) use self::queue::Store;
