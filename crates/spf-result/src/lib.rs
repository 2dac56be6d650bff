//! Tells whether a client may send mail for a domain, with the cause of each result: Sender Policy
//! Framework (SPF), [RFC 7208].
//!
//! A server checks a sender with a resolver of hickory (feature `hickory` of mail-types):
//!
//! ```no_run
//! # use std::net::IpAddr;
//! use mail_types::hickory::{self, Resolver};
//! use mail_types::smtp::{Helo, Reply, ReversePath};
//! use spf_result::Check;
//!
//! # async fn refusal(resolver: &Resolver, client: IpAddr) -> Result<Option<Reply>, Box<dyn std::error::Error>> {
//! let (helo, sender) = (Helo::new("mail.example.net"), "<ann@example.com>".parse::<ReversePath>()?);
//! let check = Check::mail_from(client, &helo, &sender).with_receiver("mx.example.org");
//! let outcome = hickory::run(&mut check.session(), resolver).await;
//! let reply = outcome.reply(); // A refusal, such as `550 5.7.23 SPF validation failed`, or `None`.
//! println!("{outcome}"); // spf=fail for example.com: -all of example.com matched
//! println!("{}", check.report(outcome).received()); // Received-SPF: fail (mx.example.org: ...
//! # Ok(reply)
//! # }
//! ```
//!
//! A [`Check`] is an inquiry: it asks questions of the DNS and works with the answers, and does no
//! I/O itself. A [`Session`](mail_types::dns::Session) of mail-types runs it: over hickory, with a cache,
//! with a `Zone` (feature `zone`), or step by step. With a zone, as in a test:
//!
//! ```
//! use mail_types::dns::Zone;
//! use mail_types::smtp::{Helo, ReversePath};
//! use spf_result::{Check, SpfResult};
//!
//! let zone = Zone::parse(r#"
//! example.com       TXT "v=spf1 include:_spf.example.com -all exp=why.example.com"
//! _spf.example.com  TXT "v=spf1 ip4:192.0.2.0/24 ~all"
//! why.example.com   TXT "%{i} is not one of %{d}'s hosts"
//! "#)?;
//!
//! let (helo, sender) = (Helo::new("mail.example.net"), "<ann@example.com>".parse::<ReversePath>()?);
//! let check =
//!     Check::mail_from("203.0.113.9".parse()?, &helo, &sender).with_receiver("mx.example.org");
//! let outcome = check.session().run(|question| zone.answer(question));
//! assert_eq!(outcome.result(), SpfResult::Fail);
//! assert_eq!(outcome.explanation().text(), Some("203.0.113.9 is not one of example.com's hosts"));
//! assert_eq!(outcome.to_string(), "spf=fail for example.com: -all of example.com matched");
//!
//! // A server refuses with `outcome.reply()`, or adds a header field and accepts.
//! let report = check.report(outcome);
//! assert!(report.received().starts_with("Received-SPF: fail (mx.example.org: domain of"));
//! assert_eq!(report.authentication().to_string(), "spf=fail smtp.mailfrom=example.com");
//!
//! // If the DNS does not answer, the result is temperror; it is not an error of the program.
//! let mut session = check.session();
//! session.handle_timeout();
//! let outcome = session.run(|question| zone.answer(question));
//! assert_eq!(outcome.result(), SpfResult::TempError);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server's conditions `spf` and `spf_guess` are lists of [`SpfResult::WORDS`]; its variables are
//! [`Report::variable`]; [`SpfOutcome::reply`] is the refusal. [`Review`] lists the defects of a
//! published record.
//!
//! # What it covers
//!
//! | Part of RFC 7208                    | Here                                                    |
//! |-------------------------------------|---------------------------------------------------------|
//! | 2.3, 2.4, the identities            | [`Check::helo`], [`Check::mail_from`], [`Check::from_text`] |
//! | 3, 4.5, 12, records                 | [`Record`], [`Directive`], [`Mechanism`]                |
//! | 4, `check_host()`                   | [`Check`], [`SpfOutcome`]                                  |
//! | 4.6.4, limits                       | [`Limits`]                                              |
//! | 5, mechanisms; 6, modifiers         | all of them                                             |
//! | 6.2, explanations                   | [`Explanation`]                                         |
//! | 7, macros                           | [`MacroString`], [`DomainSpec`]                         |
//! | 8, results; RFC 7372, replies       | [`SpfResult`], [`SpfOutcome::reply`]                       |
//! | 9.1, `Received-SPF`                 | [`Report::received`]                                    |
//! | 9.2, RFC 8601                       | [`Report::authentication`]                              |
//! | RFC 8616, internationalized mail    | senders that are not ASCII match no macro; domains come as A-labels |
//! | Exim's words, variables, guess      | [`SpfResult::WORDS`], [`Report::variable`], [`Options::guess`] |
//!
//! # Choices
//!
//! Where RFC 7208 leaves a choice:
//!
//! | Case                                          | Result                                       |
//! |-----------------------------------------------|----------------------------------------------|
//! | two records, both the same                    | permerror (section 4.5)                      |
//! | a target that is not a valid name, in `a`, `mx`, `ptr`, `exists` | no match, without a DNS question |
//! | the same in `include` and `redirect`          | permerror: it cannot have a record           |
//! | an MX host or a PTR name without addresses | void lookups; [`Options::hosts_are_not_void`] |
//! | an eleventh MX host                           | permerror, before a lookup of any host       |
//! | an eleventh name of the client                | left out                                     |
//! | `%{p}` in a term                              | counts as one more DNS lookup                |
//! | the DNS questions of an explanation           | do not count                                 |
//! | a null MX (RFC 7505)                          | no host                                      |
//! | `%{i}` and `%{ir}` of IPv6                    | in upper case                                |
//! | a domain with U-labels                        | none: callers convert them first             |
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                       |
//! |---------|---------|----------------------------------------------------------------------------|
//! | `serde` | no      | `Serialize` and `Deserialize` of the crate `serde`: see [Stored values](#stored-values) |
//!
//! A feature only adds items. The drivers of a check are features of mail-types.
//!
//! # Stored values
//!
//! With the feature `serde` an [`SpfResult`] is its word, a [`Record`] and a [`MacroString`] are their texts, and
//! all three are read back. An [`SpfOutcome`] and a [`Report`] are written only, as structures with the names of
//! their fields; a [`Cause`] has its `kind`: `loopback`, `malformed`, `no_record`, `matched`, `default` or `failed`.
//! These forms are stable, and may get more fields. A [`Problem`] is a text for people, which may change.
//!
//! # Limits
//!
//! [`Limits`] lists all of them; an outcome reports their use. A record has at most
//! [`Record::MAX_OCTETS`]. The parsed record is kept with its DNS answer, so that a cache of answers is
//! a cache of parsed records. With a warm cache a check makes at most two allocations.
//!
//! # Trust
//!
//! All data from the peer or the DNS is untrusted, explanations included. [`Report`] quotes its
//! values. A result applies to one identity only: [`SpfOutcome::identity`].
//!
//! [RFC 7208]: https://www.rfc-editor.org/rfc/rfc7208

mod check;
mod client_name;
mod defect;
mod directive;
mod domain_spec;
mod evaluation;
mod expansion;
mod explanation;
mod macro_string;
mod network;
mod options;
mod outcome;
mod published;
mod record;
mod report;
mod review;
#[cfg(feature = "serde")]
mod serde;
mod spf_result;
mod word;

pub use check::{Check, SenderError};
pub use defect::Defect;
pub use directive::{Directive, Mechanism, Prefixes, Qualifier};
pub use domain_spec::DomainSpec;
pub use macro_string::{MacroError, MacroString};
pub use mail_types;
pub use options::{Limits, Options};
pub use outcome::{Cause, Explanation, Matched, Problem, SpfOutcome};
pub use record::{Record, RecordError, Term};
pub use report::Report;
pub use review::{Finding, Review, Reviewed, ReviewedRecord};
pub use spf_result::{SpfResult, SpfResultError};
