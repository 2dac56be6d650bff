//! The nouns of mail that two protocols or more speak of: names and mailboxes, replies, the lists of
//! a configuration, values with their trust, and what is asked of the DNS.
//!
//! A type here is checked when it is made, and its [`Display`](std::fmt::Display) gives back what it
//! was parsed from, up to what its documentation says. There is no I/O and no policy.
//!
//! ```
//! use mail_types::smtp::{Mailbox, MailboxError, ReversePath};
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
//! | [`dns::Name`]                                   | RFC 1035, presentation form and limits        |
//! | [`smtp::Domain`]                                 | RFC 5321 section 4.1.2; RFC 5890 with `idna`  |
//! | [`smtp::Mailbox`], [`smtp::MailHost`], [`smtp::ReversePath`], [`smtp::Helo`] | RFC 5321 sections 4.1.2, 4.1.3; RFC 6531 |
//! | [`smtp::Header`], [`smtp::Field`]                      | RFC 5322 section 2.2                          |
//! | [`smtp::Reply`], [`smtp::ReplyCode`], [`smtp::EnhancedCode`] | RFC 5321 section 4.2; RFC 2034; RFC 3463      |
//! | [`exim::List`], [`exim::ByteList`], [`exim::WordList`], [`exim::HostSet`], [`exim::HostPattern`] | Exim's string, word and host lists |
//! | [`exim::Value`], [`exim::Trust`], [`exim::Variable`]         | what templates and rules work with            |
//! | [`dns::Question`], [`dns::Answer`], [`dns::Texts`]        | RFC 1034, RFC 4035 section 4.3                |
//! | [`dns::Inquiry`], [`dns::Session`]                   | how a protocol asks, without I/O              |
//! | [`results::AuthenticationResults`], [`results::AuthResult`], [`results::SpfIdentity`], [`results::SpfInput`] | RFC 8601, written; RFC 9989 section 4.4.2 |
//! | [`exim::Query`], [`exim::Segment`], [`exim::LookupResult`]          | what a lookup is asked, and how it ends       |
//!
//! General address literals (RFC 5321 section 4.1.3) are refused: no tag but `IPv6` is registered.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                                 |
//! |-----------|---------|----------------------------------------------------------------------|
//! | `hickory` | no      | `hickory::run`, which drives a [`dns::Session`] with a resolver of hickory, and whom that asks |
//! | `idna`    | no      | `from_unicode` for domains, mailboxes and paths; `Domain::to_unicode` |
//! | `zone`    | no      | `Zone`: answers from a master file                                   |
//!
//! A feature adds items; none changes what the other items do.
//!
//! # Limits
//!
//! Each type has the limits of its standard as constants: [`dns::Name::MAX_OCTETS`],
//! [`smtp::Mailbox::MAX_LOCAL_PART`], [`smtp::Reply::MAX_LINE_READ`] and so on. Reaching one is an error that
//! names it.
//!
//! # Trust
//!
//! Text from a peer cannot break a line: [`smtp::Reply`] makes control characters blanks, and a [`exim::Value`]
//! is written with escapes; so are the values of [`results::AuthenticationResults`] and the lines of a trace.
//! An empty [`exim::HostSet`] holds nobody. What the DNS says is as good as its [`dns::DnssecStatus`].

#[cfg(feature = "hickory")]
pub mod hickory;

pub mod dns;
pub mod exim;
pub mod results;
pub mod smtp;
