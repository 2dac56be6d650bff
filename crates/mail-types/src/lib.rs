//! The nouns of mail that two protocols or more speak of: names and mailboxes, replies, the lists of
//! a configuration, values with their trust, and what is asked of the DNS.
//!
//! A type here is checked when it is made, and its [`Display`](std::fmt::Display) gives back what it
//! was parsed from, up to what its documentation says. There is no I/O and no policy.
//!
//! ```
//! use mail_types::{Mailbox, MailboxError, ReversePath};
//!
//! let sender: ReversePath = "<ann@Example.com>".parse()?;
//! let domain = sender.mailbox().and_then(Mailbox::domain);
//! assert_eq!(domain.map(|d| d.as_str()), Some("example.com"));
//! assert_eq!("<>".parse(), Ok(ReversePath::Null));
//!
//! // What is wrong, and where.
//! let error = "ann lee@example.com".parse::<Mailbox>().unwrap_err();
//! assert_eq!(error, MailboxError::Character { at: 3 });
//! # Ok::<(), MailboxError>(())
//! ```
//!
//! # What it covers
//!
//! | Noun                                       | Source                                        |
//! |--------------------------------------------|-----------------------------------------------|
//! | [`Name`]                                   | RFC 1035, presentation form and limits        |
//! | [`Domain`]                                 | RFC 5321 section 4.1.2; RFC 5890 with `idna`  |
//! | [`Mailbox`], [`MailHost`], [`ReversePath`], [`Helo`] | RFC 5321 sections 4.1.2, 4.1.3; RFC 6531 |
//! | [`Header`], [`Field`]                      | RFC 5322 section 2.2                          |
//! | [`Reply`], [`ReplyCode`], [`EnhancedCode`] | RFC 5321 section 4.2; RFC 2034; RFC 3463      |
//! | [`List`], [`ByteList`], [`WordList`], [`HostSet`], [`HostPattern`] | Exim's string, word and host lists |
//! | [`Value`], [`Trust`], [`Variable`]         | what templates and rules work with            |
//! | [`Question`], [`Answer`], [`Texts`]        | RFC 1034, RFC 4035 section 4.3                |
//! | [`Inquiry`], [`Session`]                   | how a protocol asks, without I/O              |
//! | [`AuthenticationResults`], [`AuthResult`], [`SpfIdentity`], [`SpfInput`] | RFC 8601, written; RFC 9989 section 4.4.2 |
//! | [`Query`], [`Segment`], [`Found`]          | what a lookup is asked, and how it ends       |
//!
//! General address literals (RFC 5321 section 4.1.3) are refused: no tag but `IPv6` is registered.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                                 |
//! |-----------|---------|----------------------------------------------------------------------|
//! | `hickory` | no      | `hickory::run`, which drives a [`Session`] with a resolver of hickory, and whom that asks |
//! | `idna`    | no      | `from_unicode` for domains, mailboxes and paths; `Domain::to_unicode` |
//! | `zone`    | no      | `Zone`: answers from a master file                                   |
//!
//! A feature adds items; none changes what the other items do.
//!
//! # Limits
//!
//! Each type has the limits of its standard as constants: [`Name::MAX_OCTETS`],
//! [`Mailbox::MAX_LOCAL_PART`], [`Reply::MAX_LINE_READ`] and so on. Reaching one is an error that
//! names it.
//!
//! # Trust
//!
//! Text from a peer cannot break a line: [`Reply`] makes control characters blanks, and a [`Value`]
//! is written with escapes; so are the values of [`AuthenticationResults`] and the lines of a trace.
//! An empty [`HostSet`] holds nobody. What the DNS says is as good as its [`Security`].

mod answer;
mod authentication;
mod byte_list;
mod code;
mod domain;
mod header;
mod helo;
#[cfg(feature = "hickory")]
pub mod hickory;
mod host_pattern;
mod host_set;
#[cfg(feature = "idna")]
mod idna;
mod inquiry;
mod list;
mod mailbox;
#[cfg(feature = "zone")]
mod master_file;
mod name;
mod query;
mod question;
mod reply;
mod spf_input;
mod texts;
mod value;
mod wire;
mod words;
#[cfg(feature = "zone")]
mod zone;

pub use answer::{Answer, DnsFailure, DnsWordError, Mx, Records, Security};
pub use authentication::{
    AuthResult, AuthResultError, AuthenticationResults, MethodResult, SpfIdentity,
};
pub use byte_list::ByteList;
pub use code::{CodeError, EnhancedCode, ReplyCode, Severity};
pub use domain::{Domain, DomainError};
pub use header::{Field, Header};
pub use helo::Helo;
pub use host_pattern::{HostPattern, HostPatternError};
pub use host_set::{HostSet, HostSetError};
pub use inquiry::{Inquiry, Known, Note, Noted, Session, Step, Unanswered};
pub use list::List;
pub use mailbox::{MailHost, MailHostError, Mailbox, MailboxError, ReversePath};
pub use name::{Labels, Name, NameError};
pub use query::{Found, Query, QueryError, Segment};
pub use question::{Kind, KindError, Question};
pub use reply::{Reply, ReplyError};
pub use spf_input::SpfInput;
pub use texts::Texts;
pub use value::{Trust, Value, Variable};
pub use words::{Semantics, Word, WordList, WordListError};
#[cfg(feature = "zone")]
pub use zone::{MasterFileError, Zone, ZoneError};
