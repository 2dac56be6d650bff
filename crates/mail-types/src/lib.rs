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
//! | [`dns::Name`]                                   | RFC 1035, presentation form and limits        |
//! | [`smtp::Domain`]                                 | RFC 5321 section 4.1.2; RFC 5890 with `idna`  |
//! | [`smtp::Mailbox`], [`smtp::MailHost`], [`smtp::ReversePath`], [`smtp::Helo`] | RFC 5321 sections 4.1.2, 4.1.3; RFC 6531 |
//! | [`smtp::Header`], [`smtp::Field`]                      | RFC 5322 section 2.2                          |
//! | [`smtp::Reply`], [`smtp::ReplyCode`], [`smtp::EnhancedCode`] | RFC 5321 section 4.2; RFC 2034; RFC 3463      |
//! | [`exim::List`], [`exim::ByteList`], [`exim::WordList`], [`exim::HostSet`], [`exim::HostPattern`] | Exim's string, word and host lists |
//! | [`exim::Value`], [`exim::Trust`], [`exim::Variable`]         | values of templates and rules                 |
//! | [`dns::Question`], [`dns::Answer`], [`dns::Texts`]        | RFC 1034, RFC 4035 section 4.3                |
//! | [`dns::Inquiry`], [`dns::Session`]                   | DNS questions of a protocol, without I/O      |
//! | [`results::AuthenticationResults`], [`results::AuthResult`], [`results::SpfIdentity`], [`results::SpfInput`] | RFC 8601, written; RFC 9989 section 4.4.2 |
//! | [`exim::Query`], [`exim::Segment`], [`exim::LookupResult`]          | the text and the result of a lookup           |
//!
//! General address literals (RFC 5321 section 4.1.3) are refused: `IPv6` is the only
//! registered tag.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                                 |
//! |-----------|---------|----------------------------------------------------------------------|
//! | `hickory` | no      | `hickory::run`, which runs a [`dns::Session`] over a resolver of hickory, the settings of that resolver, and `hickory::Walk`, which reads its messages |
//! | `idna`    | no      | `from_unicode` for domains, mailboxes and paths; `Domain::to_unicode` |
//! | `serde`   | no      | names, domains, mailboxes, paths, replies, codes and words are stored by the crate `serde` as the text that `Display` writes and `FromStr` reads; `serde_as_text!` does the same for other types |
//! | `zone`    | no      | `Zone`: answers from a master file                                   |
//!
//! A feature only adds items.
//!
//! # Limits
//!
//! Each type has the limits of its standard as constants: [`dns::Name::MAX_OCTETS`],
//! [`smtp::Mailbox::MAX_LOCAL_PART`], [`smtp::Reply::MAX_LINE_READ`] and so on. An error at a limit
//! names it.
//!
//! # Trust
//!
//! Text from a peer cannot break a line: [`smtp::Reply`] replaces control characters by spaces; an
//! [`exim::Value`], the values of [`results::AuthenticationResults`] and the lines of a trace are
//! written with escapes. An empty [`exim::HostSet`] matches no host. An answer of the DNS is as
//! trustworthy as its [`dns::DnssecStatus`].

#[cfg(feature = "hickory")]
pub mod hickory;

pub mod dns;
pub mod exim;
pub mod results;
#[cfg(feature = "serde")]
pub mod serde;
pub mod smtp;
