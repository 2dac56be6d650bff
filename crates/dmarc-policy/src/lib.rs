//! DMARC (RFC 9989): evaluates a message against the policy of the domain in its `From` field,
//! without I/O, and writes and reads DMARC reports.
//!
//! A program evaluates a message with the result of SPF (the crate `spf-result`), the results of the DKIM
//! signatures, and a resolver of hickory (feature `hickory` of mail-types). In a test, a `Zone` (feature
//! `zone`) answers the questions:
//!
//! ```
//! use dmarc_policy::{Author, DkimInput, Dmarc, Verdict};
//! use mail_types::{dns::Zone, hickory, smtp::Helo};
//! use spf_result::Check;
//!
//! async fn evaluate(
//!     message: &[u8], check: &Check<'_>, dkim: &[DkimInput], resolver: &hickory::Resolver,
//! ) -> Verdict {
//!     let spf = check.report(hickory::run(&mut check.session(), resolver).await);
//!     let dmarc = Dmarc::new(Author::from_message(message)).with_spf(spf.spf_input().as_ref());
//!     hickory::run(&mut dmarc.with_dkim(dkim).session(), resolver).await
//! }
//!
//! let zone = Zone::parse(r#"
//! example.com         TXT "v=spf1 ip4:192.0.2.0/24 -all"
//! _dmarc.example.com  TXT "v=DMARC1; p=reject"
//! "#)?;
//! let (helo, sender) = (Helo::new("mail.example.net"), "<ann@example.com>".parse()?);
//! let check = Check::mail_from("203.0.113.9".parse()?, &helo, &sender);
//! let spf = check.report(check.session().run(|question| zone.answer(question)));
//! let dmarc = Dmarc::new(Author::from_message(b"From: ann@example.com\r\n\r\nHello\r\n"));
//! let verdict = dmarc.with_spf(spf.spf_input().as_ref()).session().run(|q| zone.answer(q));
//! assert_eq!(verdict.to_string(), "dmarc=fail from example.com, policy reject of example.com, spf fail, dkim absent: reject");
//! # assert_eq!(verdict.reply().map(|reply| reply.to_string()).as_deref(), Some("550 5.7.1 rejected by the DMARC policy of example.com"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The session asks the DNS; the [`Verdict`] has the result, the request of the domain owner, and the
//! [reply](Verdict::reply) of a server that rejects the message.
//!
//! # What it covers
//!
//! | Part of RFC 9989                       | Here                                                    |
//! |----------------------------------------|---------------------------------------------------------|
//! | 4.7, 4.8, records                      | [`Record`], which is read, written and [checked](Record::check); [`Review`] lists the defects of all records that count for a domain |
//! | 4.10, organizational domains           | [`Discovery`]: the DNS tree walk, or a list of public suffixes (feature `psl`: `SuffixFile`) |
//! | 4.10.2, alignment                      | [`Alignment`], [`AlignmentMode`]                        |
//! | 5.3.1, 11.5, the author domain         | [`Author`]; see [below](#the-author-domain)             |
//! | 5.3, the verdict; 7.4, rejection       | [`Dmarc`], [`Verdict`], [`Policy`]                      |
//! | RFC 8601, `Authentication-Results`     | [`Verdict::authentication`]                             |
//! | RFC 9990, 4, destinations of reports   | [`Destinations`]                                        |
//! | RFC 9990, RFC 9991, reports            | see [Reports](#reports)                                 |
//! | Exim's words and variables             | [`Status`], [`Verdict::variable`]                       |
//!
//! SPF and DKIM are not evaluated: their results are handed in.
//!
//! # The author domain
//!
//! [`Author`] reads all `From` fields. A field that RFC 5322 does not allow is read a second time, as
//! mail programs show it, and the domains of all fields are tested together: the strictest policy of
//! those that fail counts. So neither an additional field nor an error in one hides a domain (RFC
//! 9989, "Denial of DMARC Processing Attacks").
//!
//! | `From`                                                                 | Verdict                 |
//! |------------------------------------------------------------------------|-------------------------|
//! | one or more domains, at most [`Author::MAX_DOMAINS`]                   | that of the strictest   |
//! | an `@` without a readable domain, too many domains or octets | `permerror`, unless a domain in it fails; [`Verdict::fault`] is the cause |
//! | missing, or without an `@`: `root`, `undisclosed:;`                    | `none`, [`Status::NoFrom`] |
//!
//! Treat a message with a [fault](Verdict::fault) as one that fails: its sender has chosen the fault. A
//! message of the last kind claims no domain.
//!
//! # Missing DNS answers
//!
//! The sender of a message chooses the domains of its reverse-path and signatures, and may choose one
//! whose DNS servers do not answer. [`Verdict::pending`] is the policy that applies if these tests
//! fail: if you treat a temporary error more mildly, the sender can evade the policy; if more strictly, you
//! harm valid mail. Without any record found there is no such policy.
//!
//! # Reports
//!
//! With the feature `reports`:
//!
//! | Report                               | Here                                                  |
//! |--------------------------------------|-------------------------------------------------------|
//! | aggregate, RFC 9990                  | `Feedback`, written and read; rows counted by `Tally` |
//! | aggregate, RFC 7489 and its variants | `Feedback::read`, with a list of deviations           |
//! | the mail of an aggregate report      | `ReportMail`                                          |
//! | failure, RFC 9991                    | `FailureCause`, `FailureRate`, `FailureReport`        |
//! | the check of destinations            | [`Destinations`], without the feature too             |
//! | the history file of Exim and `OpenDMARC` | `History`                                         |
//! | the forensic mail of Exim in 2014    | `EximForensic`                                        |
//!
//! Not covered: extensions of reports are skipped, the languages of texts are not kept, zip archives
//! are not opened, and nothing is stored or sent. A received report is untrusted: it is read within
//! `FeedbackLimits`, which stop a bomb of gzip or of entities, and none of its texts has a control
//! character.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                       |
//! |-----------|---------|------------------------------------------------------------|
//! | `idna`    | no      | author domains in Unicode                                  |
//! | `psl`     | no      | `SuffixFile`, which reads a list of public suffixes        |
//! | `reports` | no      | the items under [Reports](#reports)                        |
//! | `serde`   | no      | `Serialize` and `Deserialize` of the crate `serde`: see [Stored values](#stored-values) |
//!
//! A feature only adds items.
//!
//! # Stored values
//!
//! With the feature `serde` a [`Policy`], a [`Status`] and the words of reports are their words, and a [`Record`], a
//! [`ReportUri`], `FailureOptions` and a `ReportId` are their texts; `Feedback` and its parts are structures with the
//! names of their fields. All of them are read back: a record as leniently as [`Record::parse`], a report without
//! the limits of `FeedbackLimits`. A [`Verdict`] is written only, with its [`status`](Verdict::status) and
//! [`record`](Verdict::record). These forms are stable, and may get more fields, which an older version ignores.
//!
//! # Limits
//!
//! The DNS is asked at most eight questions for each author domain, one for its existence, and eight
//! for the domain of SPF and that of each of the first [`Dmarc::MAX_SIGNATURES`] signatures if it may
//! belong to the author's organization. Domains with a common ending share questions, and the session
//! never asks more than its limit, [`Dmarc::questions`]. Questions that cannot change the verdict are
//! skipped. At most [`Author::MAX_OCTETS`] of the `From` fields and [`Record::MAX_OCTETS`] of a record
//! are read.
//!
//! # Trust
//!
//! The message and the DNS are untrusted. The results of SPF and DKIM are believed: hand in those that this
//! host has found, never those of an `Authentication-Results` field that came with the message. A pass says that the author
//! domain has sent the message or let it be sent, and nothing about the author or the intent. Records
//! are as trustworthy as the DNS: whoever forges their answers chooses the policy.

mod author;
mod defect;
mod destinations;
mod discovery;
mod failure_options;
mod ground;
mod identifier;
mod inquiry;
mod owner;
mod policy;
#[cfg(feature = "psl")]
mod publicsuffix;
mod record;
#[cfg(feature = "reports")]
mod report;
mod report_uri;
mod review;
#[cfg(feature = "serde")]
mod serde;
mod status;
mod tag;
mod verdict;
mod walk;

#[cfg(feature = "psl")]
pub use self::publicsuffix::{SuffixFile, SuffixFileError};
pub use author::Author;
pub use author::fault::AuthorFault;
pub use defect::{Defect, DefectKind};
pub use destinations::{Destination, Destinations, Permission};
pub use discovery::{Discovery, SuffixList};
pub use failure_options::FailureOptions;
pub use inquiry::{DkimInput, Dmarc};
pub use mail_types;
pub use policy::{Policy, PolicyError};
pub use record::{AlignmentMode, Psd, Record, RecordError};
#[cfg(feature = "reports")]
pub use report::{
    AuthFailure, DeliveryResult, Deviation, DeviationKind, DiscoveryMethod, EximForensic,
    FailureCause, FailureEnvelope, FailureRate, FailureRateLimits, FailureReport,
    FailureReportLimits, Feedback, FeedbackError, FeedbackLimits, FeedbackReading, FeedbackRow,
    History, InvalidText, Override, OverrideKind, Pace, PublishedPolicy, ReportId, ReportIdError,
    ReportMail, ReportMailError, ReportMetadata, RowDisposition, SignatureRow, SpfRow, Tally,
    TallyFull, Withheld,
};
pub use report_uri::{ReportUri, ReportUriError};
pub use review::{Finding, Review, ReviewDefect, Reviewed, ReviewedName};
pub use status::Status;
pub use verdict::{Alignment, Verdict};
