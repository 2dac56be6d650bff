//! Names, records, questions and their answers, and the inquiries that ask them: RFC 1034, RFC 1035.

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
