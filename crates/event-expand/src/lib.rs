//! Expands the strings of Exim's configuration: `${if …}`, `${lookup …}` and all the rest, and runs
//! such a string for each event of a delivery.
//!
//! A [`Template`] is parsed once and expanded many times, over bytes. Nothing in here does I/O: a
//! lookup leaves the machine [`Expansion`] as a request, with what came from outside bound to it as
//! values, and the expansion goes on when the program hands in what was found.
//!
//! ```
//! use event_expand::{
//!     Action, Ask, Dialect, Effect, Event, EventName, OnFailure, Options, Parameter, Statement, Step,
//!     Template, Variables,
//! };
//! use mail_types::exim::{LookupResult, Trust, Variable};
//!
//! struct Program;
//! impl Variables for Program {
//!     fn variable(&self, _: &str) -> Variable<'_> {
//!         Variable::Unknown
//!     }
//! }
//!
//! // What an administrator writes, and a program parses and checks as it starts.
//! let event_action: Template = "${if eq{msg:delivery}{$event_name} {${lookup sqlite{\
//!     INSERT INTO deliveries VALUES ('${quote_sqlite:$domain}', '${quote_sqlite:$event_data}')}}}}".parse()?;
//!
//! // A delivery, as it happened: the confirmation comes from the peer.
//! let event = Event::new(EventName::MsgDelivery)
//!     .with("domain", b"example.com", Trust::Untrusted)
//!     .data(b"250 OK'); DROP TABLE deliveries; --", Trust::Untrusted);
//! let options = Options::default();
//! let mut action = Action::new(&event_action, &event, &Program, &options, OnFailure::Proceed);
//! let outcome = loop {
//!     match action.poll() {
//!         Step::Done(outcome) => break outcome,
//!         Step::Request(request) => {
//!             let Ask::Lookup { query, .. } = request.ask else { unreachable!() };
//!             let statement = Statement::new(&query, Dialect::Sqlite)?;
//!             assert_eq!(statement.sql, "INSERT INTO deliveries VALUES (?1, ?2)");
//!             assert!(matches!(&statement.parameters[1], Parameter::Text(text) if text.contains("DROP")));
//!             action.handle_found(LookupResult::Nothing); // Run it, and say what was found.
//!         }
//!     }
//! };
//! assert_eq!((outcome.effect, outcome.text.as_bytes()), (Effect::Ignored, &b""[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A rule's `condition` is a template as well: [`Template::expand`] it where it makes no lookup, and
//! ask [`truth`] what the text means. A list of domains, hosts, addresses or local parts is a
//! [`MatchList`], searched by a [`ListSearch`]. [`Template::check`] each template as the program
//! starts, so that a misspelt variable is found before mail is.
//!
//! # What it covers
//!
//! | Part of Exim's language                        | Here                                         |
//! |------------------------------------------------|----------------------------------------------|
//! | escapes, `\N…\N`, variables, headers, captures | all; names are the program's [`Variables`]   |
//! | items that compute, 16                         | all                                          |
//! | operators, 57                                  | all; digests with the feature `hash`, domains in Unicode with `idna` |
//! | conditions, 47                                 | all                                          |
//! | `lookup`, both forms, with options             | [`Ask::Lookup`]; partial keys and defaults are the program's to try |
//! | `acl`, `authresults`, `certextract`, `prvs`, `prvscheck`, `srs_encode`, `inbound_srs` | [`Ask::Call`] |
//! | `readfile`, `readsocket`, `run`, `perl`, `dlfunc`, `env`, `exists`, `stat`, `randint`, `crypteq`, `pam` and the like | [`Ask::Call`], if its [`Capability`] is on |
//! | `${run,preexpand`, digests of certificate variables | not covered                             |
//! | lists of domains, hosts, addresses and local parts | [`MatchList`]: texts, patterns, expressions, networks, `+lists`, files, lookups with a file |
//! | `match_domain` and its like                    | the same lists, from the same reader         |
//! | events of 2014, events of today                | [`EventName`], [`Profile`], [`Selection`]    |
//!
//! # Choices
//!
//! It is Exim 4.96 that texts are held to, quirks too: `lti` and its like take a text for greater
//! than another that it begins, `forall` of nothing is false, a `json` with a blank behind it cannot
//! be skipped. Where this crate does not do as Exim does:
//!
//! | What                                      | Exim                     | Here                     |
//! |-------------------------------------------|--------------------------|--------------------------|
//! | an unquoted untrusted value in a query    | logged, and sent         | refused                  |
//! | `quote_<lookup>` in a query               | escapes                  | keeps the bytes, which are bound |
//! | limits                                    | none                     | [`Limits`]               |
//! | a match that takes too long               | no match                 | an error                 |
//! | an argument that an operator does not take | ignored (4.96), refused (since) | refused           |
//! | a NUL that a value or a decoder makes     | ends the text            | is a byte                |
//! | `$value` and captures of the last text    | are still there          | are not                  |
//! | `$value` behind `match_address`, and behind a `reduce` in a `map` or `filter` | parts of the item; memory used again | as it was |
//! | a group that `addresses` has found open   | stays open               | does not                 |
//! | in a part that is skipped: a wrong expression or replacement of `sg`, expression of `match` in a list, word of `bool`, number of `substr`, `hash` and their like | an error | is not looked at |
//! | the IPv6 address of zeros, by `mask_n` and `ipv6norm` | `:`          | `::`                     |
//! | what stands behind an `ipv6norm`          | is lost                  | is there                 |
//! | what ends Exim's process: `sort` of an empty item, some long texts | its end | an error, or the text |
//! | unknown names in a part that is skipped   | an error each time       | [`Template::check`]      |
//! | the words of `run`                        | may be quoted            | end at blanks of the template, never within a value |
//! | `ibase`, `oracle`, `mysql` queries        | escaped                  | marked; bind them as your driver wants |
//!
//! Regular expressions are those of the crate `fancy-regex`, with look-around and back-references.
//! They work on bytes, as PCRE does without UTF: a byte above 127 is a character of its own, whether
//! the text is UTF-8 or not, and `\w`, `\d` and the like mean ASCII. Not taken are recursion,
//! callouts, `\C`, `\K` and control verbs. A `\11` is a byte in octal, not a group.
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                   |
//! |---------|---------|------------------------------------------------------------------------|
//! | `hash`  | no      | `md5`, `sha1`, `sha256`, `sha2_…`, `sha3_…` and `hmac`                 |
//! | `idna`  | no      | `utf8_domain_to_alabel` and `utf8_domain_from_alabel`                  |
//!
//! Without its feature an operator is [`ExpandError::Feature`]; a template that has it parses.
//!
//! # Limits
//!
//! [`Limits`] has them all. An expansion without captures, lists and lookups allocates once.
//!
//! # Trust
//!
//! A [`Value`](mail_types::exim::Value) says whether it can be trusted, and so does every result: it is
//! untrusted if any part of it is. What a lookup or a [`HostCall`] finds is untrusted. Untrusted text is
//! never expanded again, never names a file or a command, and never chooses a list's separator; it
//! enters a query by `quote_<lookup>` alone, and then as a bound value ([`Statement`] for SQL).

mod call;
mod capability;
mod evaluate;
mod event;
mod expansion;
mod limits;
mod match_list;
mod need;
mod operators;
mod parse;
mod statement;
mod stop;
mod template;
mod tree;
mod variables;

pub use call::HostCall;
pub use capability::{Capabilities, Capability};
pub use evaluate::text_condition::truth;
pub use event::action::{Action, Event, OnFailure, Outcome, Step, packed_errno};
pub use event::{Effect, EventName, EventNameError, Place, Profile, Selection, SelectionError};
pub use expansion::{Ask, Expansion, Journal, Options, Progress, Request};
pub use limits::Limits;
pub use mail_types;
pub use match_list::pattern::ItemProblem;
pub use match_list::search::{ListSearch, ListSubject, Membership, SearchStep};
pub use match_list::{MatchList, MatchListError};
pub use need::Need;
pub use statement::{Dialect, Parameter, Statement, StatementError};
pub use stop::{ExpandError, ExpandFailure};
pub use template::{Template, TemplateError};
pub use tree::lookup::{Fallback, Lookup};
pub use tree::outline::Outline;
pub use variables::{HeaderForm, ListKind, State, Variables};
