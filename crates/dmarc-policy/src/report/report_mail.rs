//! The mail of an aggregate report: section 3.5.2 of RFC 9990.

use std::fmt::Write;

use mail_types::smtp::{Domain, DomainError, Mailbox};
use thiserror::Error;

use crate::report::mail_date::MailDate;
use crate::{Feedback, ReportId, ReportIdError};

/// The mail of an aggregate report, without the report itself.
///
/// Send it with the null reverse-path, so that it causes no bounce. A signature of the domain in
/// `from` then gives it the aligned pass that a report needs.
///
/// ```
/// use dmarc_policy::{Discovery, Feedback, FeedbackRow, Policy, PublishedPolicy, Record, ReportMail, ReportMetadata};
///
/// let metadata = ReportMetadata::new("Example", "dmarc@example.net", "1@example.net", 0..86_400);
/// let record = Record::new(Policy::Reject);
/// let policy = PublishedPolicy::new(&"example.com".parse()?, &record, &Discovery::TreeWalk);
/// let rows = vec![FeedbackRow::new("192.0.2.1".parse()?, "example.com")];
/// let report = Feedback::new(metadata, policy, rows);
/// let to = vec!["rua@example.com".parse()?];
/// let mail = ReportMail::new("example.net".parse()?, "dmarc@example.net".parse()?, to, "1@example.net".parse()?, 86_400);
/// let mail = mail.with_unique_id("7");
/// assert_eq!(mail.file_name(&report)?, "example.net!example.com!0!86399!7.xml.gz");
/// assert!(mail.write(&report)?.contains("Subject: Report Domain: example.com"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ReportMail {
    /// The reporting domain, in the subject and in the file name.
    pub submitter: Domain,
    /// The author of the mail.
    pub from: Mailbox,
    /// The destinations.
    pub to: Vec<Mailbox>,
    /// The mail's identifier, without angle brackets. It may be the report's.
    pub message_id: ReportId,
    /// The time of writing, in seconds since 1970-01-01 00:00:00 UTC.
    pub date: u64,
    /// A part of the file name that separates files of the same domain and period: letters and
    /// digits.
    pub unique_id: Option<String>,
}

impl ReportMail {
    /// Starts with the required fields.
    #[must_use]
    pub fn new(
        submitter: Domain,
        from: Mailbox,
        to: Vec<Mailbox>,
        message_id: ReportId,
        date: u64,
    ) -> Self {
        Self { submitter, from, to, message_id, date, unique_id: None }
    }

    /// Sets the part of the file name that separates files of the same domain and period.
    #[must_use]
    pub fn with_unique_id(self, unique_id: &str) -> Self {
        Self { unique_id: Some(unique_id.to_owned()), ..self }
    }

    /// Returns the name of the compressed file (section 3.5.2); it is the same for every copy of
    /// the report.
    ///
    /// # Errors
    ///
    /// [`ReportMailError::Domain`] if the report has no valid domain, [`ReportMailError::UniqueId`]
    /// if the unique identifier is not letters and digits.
    pub fn file_name(&self, report: &Feedback) -> Result<String, ReportMailError> {
        let domain: Domain = report.policy.domain.parse()?;
        let (begin, end) = (report.metadata.begin, report.metadata.end);
        let mut name = format!("{}!{domain}!{begin}!{end}", self.submitter);
        if let Some(unique_id) = &self.unique_id {
            if unique_id.is_empty() || !unique_id.bytes().all(|c| c.is_ascii_alphanumeric()) {
                return Err(ReportMailError::UniqueId);
            }
            name.extend(["!", unique_id]);
        }
        name.push_str(".xml.gz");
        Ok(name)
    }

    /// Writes the mail with CR LF as line ends, and the compressed report in it.
    ///
    /// # Errors
    ///
    /// [`ReportMailError`] if the report has an invalid identifier or domain or no rows, or the
    /// mail has no destination.
    pub fn write(&self, report: &Feedback) -> Result<String, ReportMailError> {
        let name = self.file_name(report)?;
        let report_id: ReportId = report.metadata.report_id.parse()?;
        if report.rows.is_empty() {
            return Err(ReportMailError::NoRows);
        }
        if self.to.is_empty() {
            return Err(ReportMailError::NoDestination);
        }
        let to: Vec<_> = self.to.iter().map(|mailbox| format!("<{mailbox}>")).collect();
        let (domain, submitter) = (&report.policy.domain, &self.submitter);
        let mut mail = String::new();
        for (field, body) in [
            ("From", format!("<{}>", self.from)),
            ("To", to.join(",\r\n ")),
            ("Date", MailDate(self.date).to_string()),
            (
                "Subject",
                format!(
                    "Report Domain: {domain}\r\n Submitter: {submitter}\r\n Report-ID: <{report_id}>"
                ),
            ),
            ("Message-ID", format!("<{}>", self.message_id)),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", format!("multipart/mixed; boundary=\"{BOUNDARY}\"")),
        ] {
            let _ = write!(mail, "{field}: {body}\r\n");
        }
        let (all, passed) = report.messages();
        let (begin, end) = (MailDate(report.metadata.begin), MailDate(report.metadata.end));
        let _ = write!(
            mail,
            "\r\n--{BOUNDARY}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             This is a DMARC aggregate report (RFC 9990)\r\nof {domain}\r\nby {submitter}\r\n\
             from {begin}\r\nto {end}:\r\n{all} messages, of which {passed} passed.\r\n\
             \r\n--{BOUNDARY}\r\nContent-Type: application/gzip\r\n\
             Content-Disposition: attachment;\r\n filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        );
        base64(&report.to_gzip(), &mut mail);
        let _ = write!(mail, "--{BOUNDARY}--\r\n");
        Ok(mail)
    }
}

/// The reason why the mail cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReportMailError {
    /// The report's domain is invalid.
    #[error("invalid domain in the report")]
    Domain(#[from] DomainError),
    /// The report's identifier is invalid.
    #[error("invalid identifier of the report")]
    ReportId(#[from] ReportIdError),
    /// The unique identifier is not made of letters and digits.
    #[error("unique identifier of the file name has characters other than letters and digits")]
    UniqueId,
    /// The report has no row.
    #[error("report without rows")]
    NoRows,
    /// The mail has no destination.
    #[error("report mail without a destination")]
    NoDestination,
}

/// No other line of the mail begins with it: base64 and the text have no underscore.
const BOUNDARY: &str = "=_dmarc_report";

/// Writes octets in the base64 of RFC 2045 section 6.8, in lines of 76 characters.
fn base64(octets: &[u8], text: &mut String) {
    for line in octets.chunks(57) {
        for three in line.chunks(3) {
            let octet = |at| u32::from(three.get(at).copied().unwrap_or(0));
            let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
            for at in 0..4 {
                let digit = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
                let digit = DIGITS.get(digit).copied().unwrap_or(b'A');
                text.push(if at <= three.len() { char::from(digit) } else { '=' });
            }
        }
        text.push_str("\r\n");
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
