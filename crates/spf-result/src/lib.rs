//! Sender Policy Framework (RFC 7208): a verdict, its cause and its trace, without I/O.

mod check;
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
mod reverse;
mod review;
mod spf_result;

pub use check::Check;
pub use directive::{Directive, Mechanism, Prefixes, Qualifier};
pub use domain_spec::DomainSpec;
pub use macro_string::{MacroError, MacroString};
pub use options::{Limits, Options};
pub use outcome::{Cause, Explanation, Matched, Outcome, Problem};
pub use record::{Record, RecordError, Term};
pub use report::Report;
pub use review::{Defect, Finding, Review, Reviewed};
pub use spf_result::{SpfResult, SpfResultError};
