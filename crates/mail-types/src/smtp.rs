//! Domains, mailboxes and paths, replies and codes, header fields: RFC 5321, RFC 5322, RFC 3463.
//!
//! ```
//! use mail_types::smtp::Mailbox;
//!
//! let mailbox: Mailbox = "\"ann smith\"@example.com".parse()?;
//! assert_eq!((mailbox.local_part(), &*mailbox.written_local_part()), ("ann smith", "\"ann smith\""));
//! assert!(!mailbox.needs_utf8() && "\u{e4}nn@example.com".parse::<Mailbox>()?.needs_utf8());
//! # Ok::<(), mail_types::smtp::MailboxError>(())
//! ```

mod code;
mod domain;
mod header;
mod helo;
#[cfg(feature = "idna")]
mod idna;
mod mailbox;
mod reply;

pub use code::{CodeError, EnhancedCode, ReplyCode, Severity};
pub use domain::{Domain, DomainError};
pub use header::{Field, Header};
pub use helo::Helo;
pub use mailbox::{MailHost, MailHostError, Mailbox, MailboxError, ReversePath};
pub use reply::{Reply, ReplyError};
