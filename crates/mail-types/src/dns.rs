//! Names, records, questions and their answers, and the inquiries that ask them: RFC 1034, RFC 1035.
//!
//! ```
//! use std::time::Duration;
//!
//! use mail_types::dns::{Answer, DnssecStatus, Inquiry, Known, Mx, Name, Question, RecordType, Records, Session, Unanswered};
//!
//! let name = Name::from_labels([&b"mx"[..], b"example", b"com"])?;
//! assert_eq!(name, Name::from_dotted(b"MX.example.com")?);
//! assert_eq!(name, Name::from_label_and_dotted(b"mx", b"example.com")?);
//! assert_eq!((name.labels().count(), name.octets()), (3, 16));
//! assert_eq!(name.write_dotted(&mut [0; Name::MAX_OCTETS]), b"mx.example.com");
//! let parent = name.parent().unwrap();
//! assert!(name.is_within(&parent) && parent.is_within(&Name::root()) && Name::root().is_root());
//!
//! /// The number of exchangers, as a protocol that needs the DNS.
//! struct Exchangers(Name);
//!
//! impl Inquiry for Exchangers {
//!     type Verdict = usize;
//!
//!     fn evaluate(&mut self, known: &mut Known<'_>) -> Result<usize, Unanswered> {
//!         let answer = known.within(|known| known.ask(&self.0, RecordType::Mx))?;
//!         let Answer::Records { records, .. } = &*answer else { return Ok(0) };
//!         known.note(|| format!("found {}", records.presentation().join(" and ")));
//!         assert!(known.is_traced() && records.kind() == RecordType::Mx);
//!         Ok(records.presentation().len())
//!     }
//! }
//!
//! let answer = |question: &Question| {
//!     let records = Records::Mx(vec![Mx { preference: 10, exchange: name.clone() }]);
//!     let (canonical, security) = (question.name.clone(), DnssecStatus::Insecure);
//!     Answer::Records { records, canonical, security, ttl: 60 }
//! };
//! // Each question may use a half of the time that is left.
//! let mut session = Session::new(Exchangers(parent), Vec::new(), 10).traced().with_share(2);
//! assert_eq!(session.time_of_question(Duration::from_secs(20)), Duration::from_secs(10));
//! assert_eq!(session.run(answer), 1);
//! let trace: Vec<_> = session.trace().iter().map(ToString::to_string).collect();
//! assert_eq!(trace, ["  example.com MX -> 10 mx.example.com", "found 10 mx.example.com"]);
//!
//! // The answers replay the session, without a question.
//! let mut replay = Session::new(Exchangers("example.com".parse()?), session.answers().to_vec(), 0).traced();
//! assert_eq!(replay.run(|_| -> Answer { unreachable!() }), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod inquiry;
#[cfg(feature = "zone")]
mod master_file;
mod name;
mod question;
mod resolve;
mod texts;
mod wire;
#[cfg(feature = "zone")]
mod zone;

pub use answer::{Answer, DnsFailure, DnsWordError, DnssecStatus, Mx, Records};
pub use inquiry::{Inquiry, InquiryStep, Known, Note, Noted, Session, Unanswered};
pub use name::{Labels, Name, NameError};
pub use question::{Question, RecordType, RecordTypeError};
pub use resolve::{DEADLINE, Resolve, Resolving, run, run_cached};
pub use texts::Texts;
#[cfg(feature = "zone")]
pub use zone::{MasterFileError, Zone, ZoneError};
