//! DANE for SMTP, [RFC 7672](https://www.rfc-editor.org/rfc/rfc7672).

mod anchor;
mod certificate;
mod check;
mod der;
mod leaf;
mod limits;
mod matching_type;
mod numbers;
mod path;
mod path_fault;
mod record;
mod record_set;
mod review;
mod rollover;
#[cfg(feature = "rustls")]
pub mod rustls;
mod selected;
mod selector;
mod server_names;
mod time;
mod usable;
mod usage;
mod uses;
mod verdict;

pub use certificate::Certificate;
pub use check::Check;
pub use der::DerError;
pub use limits::Limits;
pub use mail_types;
pub use matching_type::MatchingType;
pub use path::Algorithms;
pub use path_fault::PathFault;
pub use record::{KeyRecordError, NotAssigned, RecordError, TlsaRecord};
pub use record_set::{RecordSet, Standing, TooManyRecords};
pub use review::{Finding, FindingKind, Review, Severity};
pub use rollover::{Rollover, RolloverAction, RolloverError, RolloverStep};
pub use rustls_pki_types;
pub use selector::Selector;
pub use usable::Unusable;
pub use usage::Usage;
pub use verdict::{Match, Mismatch, Mismatches, Reason, Verdict};
