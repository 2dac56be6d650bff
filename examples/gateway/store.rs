//! Where accepted messages are kept.
//!
//! A message is kept when a crash, of the program or of the machine, can no longer lose it: only
//! then may the client be told so. A sync of its own for each message costs more than all else that
//! the gateway does with it, so messages share syncs. Three ways were weighed: to sync each file and
//! its directory, to write many files and call `syncfs`, and a journal. The last won. Its sync
//! writes only the bytes just appended, into blocks that the file has already, while a `syncfs`
//! writes all that any program has left unwritten, and makes the file system commit its metadata.
//!
//! - [`journal`] appends all messages that have come while its last sync ran, and a moment after it,
//!   to the current [`segment`], as one [`batch`] with one write and one `fdatasync`, and answers
//!   their senders.
//! - [`delivery`] then writes them into the Maildir, without a sync, and marks its [`progress`].
//! - [`checkpoint`] calls `syncfs` in the background for each segment that is full or some seconds
//!   old, and only then lets it be used again.
//! - [`replay`], at the start, delivers what the last process left in the journal.
//!
//! # What is promised
//!
//! A message for which [`Store::keep`] returned success is delivered, whole. After a crash of the
//! program it is delivered once, even if a reader took it away before the next start. After a power
//! loss, what a reader had taken away since the last checkpoint may come a second time. A message
//! that was refused, or never answered, may be delivered nevertheless: SMTP knows no better.

pub mod batch;
#[cfg(feature = "gateway")]
mod checkpoint;
#[cfg(feature = "gateway")]
mod delivery;
#[cfg(feature = "gateway")]
mod directory;
#[cfg(feature = "gateway")]
mod journal;
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

pub use self::message::Message;
#[cfg(feature = "gateway")]
pub(crate) use self::queue::Store;
