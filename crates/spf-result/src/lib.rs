//! Tells whether a client may send mail for a domain: Sender Policy Framework, [RFC 7208], to the
//! letter, with the cause of each verdict.
//!
//! A [`Check`] is an inquiry: it asks questions of the DNS and works with the answers, and does no
//! I/O itself. A [`Session`](mail_types::dns::Session) of mail-types runs it: with hickory's resolver (feature
//! `hickory` of mail-types), with a cache, with a `Zone` (feature `zone`), or by hand.
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
//! // In a server: `mail_types::hickory::run(&mut check.session(), &resolver).await`.
//! let outcome = check.session().run(|question| zone.answer(question));
//! assert_eq!(outcome.result(), SpfResult::Fail);
//! assert_eq!(outcome.explanation().text(), Some("203.0.113.9 is not one of example.com's hosts"));
//! assert_eq!(outcome.to_string(), "spf=fail for example.com: -all of example.com matched");
//!
//! // A server refuses with `outcome.reply()`, or adds a header field and goes on.
//! let report = check.report(outcome);
//! assert!(report.received().starts_with("Received-SPF: fail (mx.example.org: domain of"));
//! assert_eq!(report.authentication().to_string(), "spf=fail smtp.mailfrom=example.com");
//!
//! // The commonest failure: the DNS does not answer. That is a temperror, and no error here.
//! let mut session = check.session();
//! session.handle_timeout();
//! let outcome = session.run(|question| zone.answer(question));
//! assert_eq!(outcome.result(), SpfResult::TempError);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The `spf` and `spf_guess` conditions of a server's rules are lists of [`SpfResult::WORDS`]; its
//! variables are [`Report::variable`]; [`Outcome::reply`] is what refuses. [`Review`] lists the
//! defects of what a domain publishes.
//!
//! # What it covers
//!
//! | Part of RFC 7208                    | Here                                                    |
//! |-------------------------------------|---------------------------------------------------------|
//! | 2.3, 2.4, the identities            | [`Check::helo`], [`Check::mail_from`], [`Check::from_text`] |
//! | 3, 4.5, 12, records                 | [`Record`], [`Directive`], [`Mechanism`]                |
//! | 4, `check_host()`                   | [`Check`], [`Outcome`]                                  |
//! | 4.6.4, limits                       | [`Limits`]                                              |
//! | 5, mechanisms; 6, modifiers         | all of them                                             |
//! | 6.2, explanations                   | [`Explanation`]                                         |
//! | 7, macros                           | [`MacroString`], [`DomainSpec`]                         |
//! | 8, results; RFC 7372, replies       | [`SpfResult`], [`Outcome::reply`]                       |
//! | 9.1, `Received-SPF`                 | [`Report::received`]                                    |
//! | 9.2, RFC 8601                       | [`Report::authentication`]                              |
//! | RFC 8616, internationalized mail    | senders that are not ASCII match no macro; domains come as A-labels |
//! | Exim's words, variables, guess      | [`SpfResult::WORDS`], [`Report::variable`], [`Options::guess`] |
//!
//! # Choices
//!
//! Where the text leaves a choice:
//!
//! | What comes                                    | Is                                           |
//! |-----------------------------------------------|----------------------------------------------|
//! | two records, both the same                    | permerror (section 4.5)                      |
//! | a target that is no name, in `a`, `mx`, `ptr`, `exists` | no match, and nothing is asked     |
//! | the same in `include` and `redirect`          | permerror: no record can be there            |
//! | the addresses of an MX host or a PTR name that are not there | void lookups; [`Options::hosts_are_not_void`] |
//! | an eleventh MX host                           | permerror, before any is looked at           |
//! | an eleventh name of the client                | left out                                     |
//! | `%{p}` in a term                              | one more term that asks the DNS              |
//! | what an explanation asks for                  | does not count                               |
//! | a null MX (RFC 7505)                          | no host                                      |
//! | `%{i}` and `%{ir}` of IPv6                    | in upper case                                |
//! | a domain with U-labels                        | none: callers convert them first             |
//!
//! # Features
//!
//! None: what drives a check is in mail-types.
//!
//! # Limits
//!
//! [`Limits`] has them all; an outcome has what was used of them. A record has at most
//! [`Record::MAX_OCTETS`]; what is made of it is kept with the answer that it was in, so that a cache
//! of answers is one of parsed records. With a warm cache a check makes at most two allocations.
//!
//! # Trust
//!
//! All that comes from the peer or the DNS is untrusted, an explanation too. [`Report`] quotes what
//! it writes. A result is for the identity that it was made for, and [`Outcome::identity`] says
//! which.
//!
//! [RFC 7208]: https://www.rfc-editor.org/rfc/rfc7208

mod check;
mod client_name;
mod directive;
mod domain_spec;
mod evaluation;
mod expansion;
mod explanation;
mod macro_string;
mod options;
mod outcome;
mod published;
mod record;
mod report;
mod review;
mod spf_result;

pub use check::{Check, SenderError};
pub use directive::{Directive, Mechanism, Prefixes, Qualifier};
pub use domain_spec::DomainSpec;
pub use macro_string::{MacroError, MacroString};
pub use mail_types;
pub use options::{Limits, Options};
pub use outcome::{Cause, Explanation, Matched, Outcome, Problem};
pub use record::{Record, RecordError, Term};
pub use report::Report;
pub use review::{Defect, Finding, Review, Reviewed};
pub use spf_result::{SpfResult, SpfResultError};
