//! Reports: aggregate (RFC 9990), failure (RFC 9991), and the files of Exim and `OpenDMARC`.

mod exim_forensic;
mod failure_cause;
mod failure_rate;
mod failure_report;
mod feedback;
mod feedback_reading;
mod feedback_row;
mod feedback_xml;
mod flate2;
mod header_excerpt;
mod history;
mod invalid_text;
mod mail_date;
mod node;
mod quick_xml;
mod reading;
mod report_id;
mod report_mail;
mod tally;
mod xml;

pub use exim_forensic::EximForensic;
pub use failure_cause::{AuthFailure, FailureCause, Withheld};
pub use failure_rate::{FailureRate, FailureRateLimits, Pace};
pub use failure_report::{DeliveryResult, FailureEnvelope, FailureReport, FailureReportLimits};
pub use feedback::{DiscoveryMethod, Feedback, PublishedPolicy, ReportMetadata};
pub use feedback_reading::{
    Deviation, DeviationKind, FeedbackError, FeedbackLimits, FeedbackReading,
};
pub use feedback_row::{FeedbackRow, Override, OverrideKind, RowDisposition, SignatureRow, SpfRow};
pub use history::History;
pub use invalid_text::InvalidText;
pub use report_id::{ReportId, ReportIdError};
pub use report_mail::{ReportMail, ReportMailError};
pub use tally::{Tally, TallyFull};
