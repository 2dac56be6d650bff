//! Types that two or more mail protocols share: names and mailboxes, replies, the lists of a
//! configuration, values with their trust, and DNS questions.
//!
//! A type here is checked when it is made, and its [`Display`](std::fmt::Display) is the inverse of
//! its parser, with the exceptions in its documentation. It does no I/O and has no policy.
//!
//! ```
//! use mail_types::smtp::{Mailbox, MailboxError, ReversePath};
//!
//! let sender: ReversePath = "<ann@Example.com>".parse()?;
//! let domain = sender.mailbox().and_then(Mailbox::domain);
//! assert_eq!(domain.map(|d| d.as_str()), Some("example.com"));
//! assert_eq!("<>".parse(), Ok(ReversePath::Null));
//!
//! // An error names the fault and its position.
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
//! | [`Value`], [`Trust`], [`Variable`]         | values of templates and rules                 |
//! | [`Question`], [`Answer`], [`Texts`]        | RFC 1034, RFC 4035 section 4.3                |
//! | [`Inquiry`], [`Session`]                   | DNS questions of a protocol, without I/O      |
//! | [`AuthenticationResults`], [`AuthResult`], [`SpfIdentity`], [`SpfInput`] | RFC 8601, written; RFC 9989 section 4.4.2 |
//! | [`Query`], [`Segment`], [`LookupResult`]          | the text and the result of a lookup           |
//!
//! General address literals (RFC 5321 section 4.1.3) are refused: `IPv6` is the only registered
//! tag.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                                 |
//! |-----------|---------|----------------------------------------------------------------------|
//! | `hickory` | no      | `hickory::run`, which runs a [`Session`] over a resolver of hickory, and the settings of that resolver |
//! | `idna`    | no      | `from_unicode` for domains, mailboxes and paths; `Domain::to_unicode` |
//! | `zone`    | no      | `Zone`: answers from a master file                                   |
//!
//! A feature only adds items; it changes nothing else.
//!
//! # Limits
//!
//! Each type has the limits of its standard as constants: [`Name::MAX_OCTETS`],
//! [`Mailbox::MAX_LOCAL_PART`], [`Reply::MAX_LINE_READ`] and so on. An error at a limit names it.
//!
//! # Trust
//!
//! Text from a peer cannot break a line: [`Reply`] replaces control characters by spaces; a
//! [`Value`], the values of [`AuthenticationResults`] and the lines of a trace are written with
//! escapes. An empty [`HostSet`] matches no host. An answer of the DNS is as trustworthy as its
//! [`DnssecStatus`].

#[cfg(feature = "hickory")]
pub mod hickory;

pub mod dns;
pub mod exim;
pub mod results;
pub mod smtp;
