//! DMARC (RFC 9989): evaluates a message against the policy of the domain in its `From` field,
//! without I/O, and writes and reads DMARC reports.
//!
//! A program has the message, the results of SPF and of the DKIM signatures, and a resolver of
//! hickory (feature `hickory` of mail-types):
//!
//! ```no_run
//! use dmarc_policy::{Author, DkimInput, Dmarc, Verdict};
//! use mail_types::results::SpfInput;
//! use mail_types::hickory::{self, Resolver};
//!
//! # async fn evaluate(resolver: &Resolver, message: &[u8], spf: &SpfInput, dkim: &[DkimInput]) -> Verdict {
//! // `spf` comes from spf-result: `Report::spf_input`.
//! let dmarc = Dmarc::new(Author::from_message(message)).with_spf(spf).with_dkim(dkim);
//! let verdict = hickory::run(&mut dmarc.session(), resolver).await;
//! if let Some(reply) = verdict.reply() {
//!     println!("{reply}"); // 550 5.7.1 rejected by the DMARC policy of example.com
//! }
//! # verdict
//! # }
//! ```
//!
//! [`Dmarc`] is an [`Inquiry`](mail_types::dns::Inquiry), and its result is a [`Verdict`]. A `Zone`
//! (feature `zone` of mail-types) answers its questions without a network, as in a test:
//!
//! ```
//! use dmarc_policy::{Author, Dmarc, Policy};
//! use mail_types::dns::Zone;
//! use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
//!
//! let zone = Zone::parse(r#"_dmarc.example.com TXT "v=DMARC1; p=reject; aspf=s""#)?;
//!
//! let author = Author::from_fields([&b"Some One <someone@example.com>"[..]]);
//! let spf = SpfInput {
//!     result: AuthResult::Pass,
//!     identity: SpfIdentity::MailFrom,
//!     domain: "bounces.example.com".parse()?,
//! };
//! let dmarc = Dmarc::new(author).with_spf(&spf);
//! let verdict = dmarc.session().run(|question| zone.answer(question));
//! assert_eq!((verdict.result, verdict.disposition), (AuthResult::Fail, Policy::Reject));
//! assert_eq!(verdict.to_string(), "dmarc=fail from example.com, policy reject of example.com, spf different, dkim absent: reject");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Record`] reads, writes and [checks](Record::check) a published record.
//! - [`Discovery`] is the method of finding organizational domains: the DNS tree walk, or a list of
//!   public suffixes (feature `psl`: `SuffixFile`).
//! - [`Destinations`] checks that the destinations of a record accept reports.
//! - [`Status`] and [`Verdict::variable`] are the words and variables of Exim's rules.
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
//! whose DNS servers do not answer. [`Verdict::pending`] is the policy for the case that these tests
//! had failed: a milder treatment of a temporary error lets the sender evade the policy, a stricter
//! one harms valid mail. Without any record found there is no such policy.
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
    History, Override, OverrideKind, Pace, PublishedPolicy, ReportId, ReportIdError, ReportMail,
    ReportMailError, ReportMetadata, RowDisposition, SignatureRow, SpfRow, Tally, TallyFull,
    Withheld,
};
pub use report_uri::{ReportUri, ReportUriError};
pub use status::Status;
pub use verdict::{Alignment, Verdict};
