//! DMARC (RFC 9989): what the owner of the domain in a message's `From` field wants done with it,
//! and whether the message is theirs; without I/O.
//!
//! A program brings the `From` field, the outcome of SPF and of the signatures, and a way to ask
//! the DNS; [`Dmarc`] is an [`Inquiry`](mail_types::dns::Inquiry) over these and ends in a [`Verdict`].
//!
//! ```
//! use dmarc_policy::{Author, Dmarc, Policy};
//! use mail_types::dns::Zone;
//! use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
//!
//! let zone = Zone::parse(r#"_dmarc.example.com TXT "v=DMARC1; p=reject; aspf=s""#)?;
//!
//! let author = Author::from_fields([&b"Some One <someone@example.com>"[..]]);
//! // A server has this of SPF: `Report::spf_input` of spf-result.
//! let spf = SpfInput {
//!     result: AuthResult::Pass,
//!     identity: SpfIdentity::MailFrom,
//!     domain: "bounces.example.com".parse()?,
//! };
//! let dmarc = Dmarc::new(author).with_spf(&spf);
//! // In a server: `mail_types::hickory::run(&mut dmarc.session(), &resolver).await`.
//! let verdict = dmarc.session().run(|question| zone.answer(question));
//! assert_eq!((verdict.result, verdict.disposition), (AuthResult::Fail, Policy::Reject));
//! assert_eq!(verdict.to_string(), "dmarc=fail from example.com, policy reject of example.com, spf different, dkim absent: reject");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Record`] reads, writes and [checks](Record::check) what a domain publishes.
//! - [`Discovery`] says how organizational domains are found: by the walk up the tree, or by a list
//!   of public suffixes (feature `psl`: `SuffixFile`).
//! - [`Destinations`] is the inquiry whether reports may go where a record wants them.
//! - [`Status`] and [`Verdict::variable`] are what Exim's rules know of it.
//!
//! # Whose message it is
//!
//! [`Author`] reads all `From` fields. What RFC 5322 does not allow is read once more, as mail programs
//! show it, and the domains of all fields are tested together: the strictest policy of those that fail
//! counts. So neither a field too many nor a slip in one hides a domain (RFC 9989, "Denial of DMARC
//! Processing Attacks").
//!
//! | `From`                                                                 | verdict                 |
//! |------------------------------------------------------------------------|-------------------------|
//! | one or more domains, at most [`Author::MAX_DOMAINS`]                   | that of the strictest   |
//! | an `@` without a domain that could be read, too many domains or octets | `permerror`, unless a domain in it fails; [`Verdict::fault`] says why |
//! | missing, or without an `@`: `root`, `undisclosed:;`                    | `none`, [`Status::NoFrom`] |
//!
//! A program should treat a message with a [fault](Verdict::fault) as one that fails, since its sender
//! chose to make it so. The last kind claims no domain, and so is nobody's.
//!
//! # Where the DNS does not answer
//!
//! Whoever sends a message chooses the domains of its path and signatures, and may choose one for which
//! the DNS does not answer. [`Verdict::pending`] is what the owner of the author domain would ask if
//! that had failed: a program that accepts more than this for a temporary error can be fooled, and one
//! that accepts less harms mail that is sound. Where no record was found there is nothing to go by.
//!
//! # What a message may cost
//!
//! At most eight questions to the DNS for each author domain and one for whether it exists, and eight for
//! SPF's domain and that of each of the first [`Dmarc::MAX_SIGNATURES`] signatures if they may be within
//! the author's organization; those with the same ending share theirs, and there are never more than the
//! session allows, which [`Dmarc::questions`] says. What cannot change the verdict is not asked. Of a `From`
//! field no more than [`Author::MAX_OCTETS`] are read, of a record no more than [`Record::MAX_OCTETS`].
//!
//! # Reports
//!
//! With the feature `reports`:
//!
//! | Report                               | Here                                                  |
//! |--------------------------------------|-------------------------------------------------------|
//! | aggregate, RFC 9990                  | `Feedback`, written and read; rows gathered by `Tally` |
//! | aggregate, RFC 7489 and what is sent | `Feedback::read`, which tells what is odd             |
//! | the mail with one                    | `ReportMail`                                          |
//! | failure, RFC 9991                    | `FailureCause`, `FailureRate`, `FailureReport`        |
//! | where they may go                    | [`Destinations`], without the feature too             |
//! | Exim's and `OpenDMARC`'s history     | `History`                                             |
//! | Exim's forensic mail of 2014         | `EximForensic`                                        |
//!
//! Not covered: extensions of reports are passed over, the languages of texts are not kept, zip
//! archives are not opened, and nothing is stored or sent. A report that comes in can say anything:
//! it is read within `FeedbackLimits`, a bomb of gzip or of entities ends there, and no text of it
//! holds a control character.
//!
//! # Features
//!
//! | Feature   | Default | Adds                                                       |
//! |-----------|---------|------------------------------------------------------------|
//! | `idna`    | no      | author domains in Unicode                                  |
//! | `psl`     | no      | `SuffixFile`, which reads a list of public suffixes        |
//! | `reports` | no      | what is under [Reports](#reports)                          |

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
