//! Expands the strings of Exim's configuration, with `${if …}`, `${lookup …}` and the rest of the
//! language, and runs such a string for each event of a delivery.
//!
//! A [`Template`] is parsed once and expanded many times:
//!
//! ```
//! use event_expand::{Template, Variables};
//! use mail_types::exim::{Trust, Value, Variable};
//!
//! struct Sender(&'static str);
//! impl Variables for Sender {
//!     fn variable(&self, name: &str) -> Variable<'_> {
//!         match name {
//!             "sender_address" => Value::new(self.0.as_bytes(), Trust::Untrusted).into(),
//!             _ => Variable::Unknown,
//!         }
//!     }
//! }
//!
//! let template: Template = "${if eq{$sender_address}{}{bounce}{${domain:$sender_address}}}".parse()?;
//! template.check(&Sender(""))?; // When the program starts: all variables are known.
//! assert_eq!(template.expand(&Sender("ann@example.com"))?.as_bytes(), b"example.com");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate does no I/O. An [`Expansion`] returns each lookup as a request, with the values from
//! outside bound to it, and continues when the program hands in the result. An asynchronous lookup,
//! in a task of tokio:
//!
//! ```
//! use event_expand::{Ask, Expansion, Options, Progress, Template, Variables};
//! use mail_types::exim::{LookupResult, Query, Trust, Value, Variable};
//!
//! struct User(String);
//! impl Variables for User {
//!     fn variable(&self, name: &str) -> Variable<'_> {
//!         match name {
//!             "local_part" => Value::new(self.0.as_bytes(), Trust::Untrusted).into(),
//!             _ => Variable::Unknown,
//!         }
//!     }
//! }
//!
//! async fn lookup(_query: &Query) -> LookupResult {
//!     tokio::task::yield_now().await; // A database answers here.
//!     LookupResult::Value(b"/home/ann".to_vec())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let template: Template =
//!     "${lookup sqlite{SELECT home FROM users WHERE name='${quote_sqlite:$local_part}'}}".parse()?;
//! let task = tokio::spawn(async move {
//!     let (user, options) = (User("ann".to_owned()), Options::default());
//!     let mut expansion = Expansion::new(&template, &user, &options);
//!     loop {
//!         match expansion.poll() {
//!             Progress::Request(request) => match &request.ask {
//!                 Ask::Lookup { query, .. } => expansion.handle_found(lookup(query).await),
//!                 _ => expansion.handle_found(LookupResult::Deferred),
//!             },
//!             Progress::Done(value) => break Ok(value),
//!             Progress::Stopped(stop) => break Err(stop),
//!         }
//!     }
//! });
//! assert_eq!(task.await??.as_bytes(), b"/home/ann");
//! # Ok(())
//! # }
//! ```
//!
//! An action for an event, with an SQL statement whose values are bound:
//!
//! ```
//! use event_expand::{
//!     Action, Ask, Dialect, Effect, Event, EventName, OnFailure, Options, Parameter, Statement, ActionStep,
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
//! // An administrator writes this; the program parses and checks it when it starts.
//! let event_action: Template = "${if eq{msg:delivery}{$event_name} {${lookup sqlite{\
//!     INSERT INTO deliveries VALUES ('${quote_sqlite:$domain}', '${quote_sqlite:$event_data}')}}}}".parse()?;
//!
//! // A delivery has happened; the confirmation is the peer's text.
//! let event = Event::new(EventName::MsgDelivery)
//!     .with("domain", b"example.com", Trust::Untrusted)
//!     .data(b"250 OK'); DROP TABLE deliveries; --", Trust::Untrusted);
//! let options = Options::default();
//! let mut action = Action::new(&event_action, &event, &Program, &options, OnFailure::Proceed);
//! let outcome = loop {
//!     match action.poll() {
//!         ActionStep::Done(outcome) => break outcome,
//!         ActionStep::Request(request) => {
//!             let Ask::Lookup { query, .. } = request.ask else { unreachable!() };
//!             let statement = Statement::new(&query, Dialect::Sqlite)?;
//!             assert_eq!(statement.sql, "INSERT INTO deliveries VALUES (?1, ?2)");
//!             assert!(matches!(&statement.parameters[1], Parameter::Text(text) if text.contains("DROP")));
//!             action.handle_found(LookupResult::Nothing); // Run it, and hand in the result.
//!         }
//!     }
//! };
//! assert_eq!((outcome.effect, outcome.text.as_bytes()), (Effect::Ignored, &b""[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A rule's `condition` is a template too: [`Template::expand`] it if it makes no lookup, and pass the
//! text to [`truth`]. A list of domains, hosts, addresses or local parts is a [`MatchList`], searched
//! by a [`ListSearch`]. [`Template::check`] each template when the program starts, to find a misspelt
//! variable before any mail does.
//!
//! # What it covers
//!
//! | Part of Exim's language                        | Here                                         |
//! |------------------------------------------------|----------------------------------------------|
//! | escapes, `\N…\N`, variables, headers, captures | all; the program provides the [`Variables`]  |
//! | items that need no request, 16                 | all                                          |
//! | operators, 57                                  | all; digests with the feature `hash`, domains in Unicode with `idna` |
//! | conditions, 47                                 | all                                          |
//! | `lookup`, both forms, with options             | [`Ask::Lookup`]; the program tries partial keys and defaults |
//! | `acl`, `authresults`, `certextract`, `prvs`, `prvscheck`, `srs_encode`, `inbound_srs` | [`Ask::Call`] |
//! | `readfile`, `readsocket`, `run`, `perl`, `dlfunc`, `env`, `exists`, `stat`, `randint`, `crypteq`, `pam` and similar | [`Ask::Call`], if its [`Capability`] is on |
//! | `md5`, `sha1`, `sha256`, `base64` of a certificate | [`Variables::certificate`], as a variable alone |
//! | `${run,preexpand`                              | not covered                                  |
//! | lists of domains, hosts, addresses and local parts | [`MatchList`]: texts, patterns, expressions, networks, `+lists`, files, lookups with a file |
//! | `match_domain` and similar conditions          | the same lists, with the same reader         |
//! | events of 2014, events of today                | [`EventName`], [`Profile`], [`Selection`]    |
//!
//! # Choices
//!
//! The reference is Exim 4.96, its peculiarities included: `lti` and similar conditions order a text
//! after a longer one that begins with it, `forall` of an empty list is false, a `json` with a blank
//! after it cannot be skipped. The deviations from Exim:
//!
//! | Case                                      | Exim                     | Here                     |
//! |-------------------------------------------|--------------------------|--------------------------|
//! | an unquoted untrusted value in a query    | logged and sent          | refused                  |
//! | the same in a query of `redis`            | logged and sent          | stays in its word; refused in the command's name, quoted too |
//! | `quote_<lookup>` in a query               | escapes                  | keeps the bytes, which are bound |
//! | limits                                    | none                     | [`Limits`]               |
//! | a match beyond a limit                    | no match                 | an error                 |
//! | an argument to an operator without one    | ignored (4.96), refused (since) | refused           |
//! | a NUL from a value or a decoder           | ends the text            | is a byte                |
//! | `$value` and captures of the previous text | remain                  | are unset                |
//! | `$value` after `match_address`, and after a `reduce` in a `map` or `filter` | parts of the item; reused memory | its earlier value |
//! | a group left open by `addresses`          | stays open               | is closed                |
//! | in a skipped part: an invalid expression or replacement of `sg`, expression of `match` in a list, word of `bool`, number of `substr`, `hash` and similar operators | an error | is ignored |
//! | the IPv6 address of zeros, by `mask_n` and `ipv6norm` | `:`          | `::`                     |
//! | the text after an `ipv6norm`              | is lost                  | is kept                  |
//! | a crash of Exim: `sort` of an empty item, some long texts | ends the process | an error, or the text |
//! | `utf8clean` of a character of three or four octets that has a shorter form | kept | `?`           |
//! | `rfc2047d` of an unknown charset          | an error                 | the octets as they are   |
//! | the number of a field or item beyond 2³¹  | modulo 2³²               | a field that is not there |
//! | unknown names in a skipped part           | an error each time       | [`Template::check`]      |
//! | the words of `run`                        | may be quoted            | end at blanks of the template, never inside a value |
//! | `ibase`, `oracle`, `mysql` queries        | escaped                  | marked; bind them as the driver requires |
//!
//! Regular expressions have the syntax and the meaning of PCRE2, as Exim calls it, without UTF. They
//! work on bytes: a byte above 127 is a character of its own, whether the text is UTF-8 or not; `\w`,
//! `\d` and similar classes mean ASCII, and `\p{Lu}` a letter of Latin-1. A `$` also matches before a
//! line end at the end. [`Template::check_patterns`] finds invalid ones when the program starts. All
//! work of a search counts as steps. A search remembers what has failed, so that it takes time in
//! proportion to its subject, with these exceptions. With an atomic or possessive part, a look-around, or a
//! lazy repetition of a part that can be empty, as in `(?>a*)b`, `(?=.*x)y` or `(?:a*?)*?b`, the time can grow with the
//! square of the subject. With a back-reference, a condition on a group, `\K` or `\G`, or if both expression and subject are
//! large, only [`Limits::regex_backtracks`] and [`Limits::steps`] bound it. Refused, with the position and the reason, although PCRE2
//! takes them:
//!
//! | Construct                                    | Example                                     |
//! |----------------------------------------------|---------------------------------------------|
//! | recursion and calls of groups                | `(?R)`, `(?1)`, `\g<name>`, `(?(R)…)`       |
//! | control verbs, except `(*FAIL)`; settings of the whole expression | `(*COMMIT)`, `(*UTF)`  |
//! | callouts, conditions on the version          | `(?C1)`, `(?(VERSION>=10)…)`                |
//! | look-around that is not atomic               | `(?*…)`, `(*napla:…)`                       |
//! | a back-reference or `(*FAIL)` in a look-behind | `(?<=(a)\1)`                                |
//! | text that versions of PCRE2 read differently | `a{,3}`, `a{ 3 }`, `\x` without digits, `(?i)\p{Lu}` |
//! | more than 100 parentheses in each other      |                                             |
//! | properties other than categories, `Any`, `L&`, `Latin`, `Common` and those with an `X` | `\p{Greek}`, `\p{Alphabetic}` |
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                   |
//! |---------|---------|------------------------------------------------------------------------|
//! | `hash`  | no      | `md5`, `sha1`, `sha256`, `sha2_…`, `sha3_…` and `hmac`                 |
//! | `idna`  | no      | `utf8_domain_to_alabel` and `utf8_domain_from_alabel`                  |
//!
//! Without its feature an operator fails with [`ExpandError::Feature`]; its template still parses.
//!
//! # Limits
//!
//! [`Limits`] lists all of them. An expansion without captures, lists and lookups allocates once.
//!
//! # Trust
//!
//! Every [`Value`](mail_types::exim::Value) is trusted or untrusted; a result is untrusted if any part of it
//! is. The results of lookups and of a [`HostCall`] are untrusted. An untrusted text is never expanded
//! again, never names a command or a file to read, and never sets a list's separator. As in Exim, `exists` and
//! `stat` take any name; the argument of their [`HostCall`] carries its trust. Untrusted text enters a query only
//! through `quote_<lookup>`, as a bound value ([`Statement`] for SQL); in a query of `redis` it is a part of its
//! word, quoted or not.

mod answered;
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
mod trust;
mod variables;

pub use answered::{AclVerdict, Answered};
pub use call::HostCall;
pub use capability::{Capabilities, Capability};
pub use evaluate::text_condition::truth;
pub use event::action::{
    Action, ActionOutcome, ActionStep, Event, EventVariables, OnFailure, packed_errno,
};
pub use event::{Effect, EventName, EventNameError, Profile, Section, Selection, SelectionError};
pub use expansion::{Ask, Expansion, Journal, Options, Progress, Request};
pub use limits::Limits;
pub use mail_types;
pub use match_list::pattern::ItemProblem;
pub use match_list::search::{ListSearch, ListSubject, Membership, SearchStep};
pub use match_list::{MatchList, MatchListError};
pub use need::Need;
pub use statement::{Dialect, Parameter, Statement, StatementCache, StatementError};
pub use stop::{ExpandError, ExpandFailure};
pub use template::{Template, TemplateError};
pub use tree::lookup::{Fallback, Lookup};
pub use tree::outline::Outline;
pub use variables::{HeaderForm, ListKind, ProgramState, Variables};
