//! Exim's Redis lookups for mail servers: no value can inject a command, every lookup has a deadline, and service
//! continues after a failover.
//!
//! The query of a lookup is a [`Query`](mail_types::exim::Query): text of the administrator, and values from anywhere. It
//! becomes a [`Command`]; the [`Reply`] becomes a [`LookupOutcome`]; a [`Failover`] selects the server. None of them does
//! I/O.
//!
//! ```
//! use mail_types::exim::{Query, Trust};
//! use redis_lookup::{Command, CommandError, Limits, Mode, LookupOutcome, Reply};
//!
//! // ${lookup redis{HGET $domain domain}}, with a domain from a hostile client.
//! let mut query = Query::default();
//! query.push_literal(b"HGET ");
//! query.push_value(b"example.com domain", Trust::Untrusted);
//! query.push_literal(b" domain");
//! let command = Command::new(&query)?;
//! assert_eq!(command.to_string(), r#"HGET "example.com domain" domain"#);
//!
//! // The outcome of the server's reply.
//! let outcome = Reply::Nil.outcome(Mode::Plain, &Limits::default());
//! assert_eq!(outcome, LookupOutcome::NotFound);
//!
//! // The most frequent error: a command that changes data, without the option for it.
//! let mut query = Query::default();
//! query.push_literal(b"SET spammer yes");
//! let error = Command::new(&query).unwrap_err();
//! assert_eq!(error.to_string(), "SET changes data, and writes are not allowed");
//! # Ok::<(), CommandError>(())
//! ```
//!
//! [`Servers`] parses the option `redis_servers`. A [`Cache`] and [`Counters`] are optional.
//!
//! # What it covers
//!
//! | Part of Exim's Redis lookup                    | Here                                              |
//! |------------------------------------------------|---------------------------------------------------|
//! | `redis_servers`, the forms of 2014 and today   | [`Servers`]                                       |
//! | `${lookup redis,servers=…{…}}`, `servers=…;…`  | [`Servers::pick`], [`Command::servers`]           |
//! | the words of a query                           | [`Command`]                                       |
//! | the text of a reply                            | [`Reply::outcome`], in both modes                 |
//! | servers in order                               | [`Failover`]                                      |
//! | beyond Exim: ACL users, TLS, clusters, sentinels | [`Servers`], [`Failover`]                       |
//! | scripts and functions                          | their arguments may be values; a value in the script, its name or the number of keys is refused |
//! | subscriptions, transactions, blocking commands | not covered, since connections are shared         |
//!
//! # Choices
//!
//! | Reply                                     | Exim                         | Here, [`Mode::Plain`]        |
//! |-------------------------------------------|------------------------------|------------------------------|
//! | nil                                       | found, empty                 | not found                    |
//! | an empty string                           | not found                    | found, empty                 |
//! | an integer                                | `true` or `false`            | the number                   |
//! | nil in an array                           | an empty line, except at the start | an empty line          |
//! | an array with only nil, an empty array    | not found                    | not found                    |
//! | an array in an array in an array          | ignored                      | its elements are lines       |
//! | a status in an array                      | ignored                      | a line                       |
//! | an element with a line break              | two lines                    | deferred                     |
//! | a NUL                                     | ends the text                | is an octet                  |
//! | types of version 3                        | ignored                      | like those of version 2      |
//!
//! In both modes:
//!
//! | Case                                      | Exim                         | Here                         |
//! |-------------------------------------------|------------------------------|------------------------------|
//! | an error of `AUTH` or `SELECT`            | ignored: another database answers | deferred: the server cannot be reached |
//! | an empty value                            | vanishes, and shifts the next words | is an empty word      |
//! | a value with blanks or backslashes        | several words unless quoted  | stays in its word            |
//! | more than 32 words                        | the rest is dropped          | sent, up to [`Limits::words`] |
//! | a backslash at the end                    | ends the process             | refused                      |
//! | double quotes                             | are ordinary                 | quote a word; ordinary in [`Mode::Exim`] |
//! | a command that changes data               | sent                         | refused unless [`Options::writes`] |
//! | other commands                            | sent                         | refused unless in [`Options::commands`] |
//! | a password with slashes                   | its first part is the database | is the password            |
//! | `MOVED`, `READONLY`, `LOADING` and similar errors | deferred; the next server for `MOVED` | the next server; deferred at the last one |
//! | an error of the command itself            | deferred                     | deferred                     |
//! | results                                   | cached for the process, even those of writes | not cached   |
//! | time                                      | no limit                     | the deadline of the caller   |
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                    |
//! |---------|---------|-------------------------------------------------------------------------|
//! | `redis` | no      | `redis::Client`: lookups by the crate `redis` on tokio, with TLS by rustls; the program installs the provider |
//!
//! A feature adds items; none changes what the other items do.
//!
//! # Limits
//!
//! [`Limits`] limits commands and replies. A list has at most [`Servers::MAX`] servers, and a [`Failover`] keeps at most
//! [`Failover::MAX_NODES`] nodes. No input makes the parsers panic.
//!
//! # Trust
//!
//! A value never leaves its word and is never in the name of a command. It can still be a pattern for a command that takes
//! one (`KEYS`, `SCAN`). A result is as trustworthy as the writers of the database. No message contains a password;
//! errors of a server are in messages, shortened and without control characters.

mod cache;
mod command;
mod command_table;
mod counters;
mod failover;
mod lookup_outcome;
mod options;
#[cfg(feature = "redis")]
pub mod redis;
mod refusal;
mod reply;
mod secret;
mod server;
mod server_url;
mod servers;
mod slot;
mod words;

pub use cache::Cache;
pub use command::{Command, CommandError, Effect};
pub use counters::Counters;
pub use failover::{Attempt, Failover, Failure, Link, Next, Part, SlotRange};
pub use lookup_outcome::{DeferReason, LookupOutcome};
pub use mail_types;
pub use options::{Limits, Mode, Options};
pub use refusal::{Meaning, Redirect, Refusal};
pub use reply::Reply;
pub use secret::Secret;
pub use server::{Address, SentinelGroup, Server, ServerKind, Tls};
pub use servers::{ServerProblem, Servers, ServersError};
pub use slot::slot;
