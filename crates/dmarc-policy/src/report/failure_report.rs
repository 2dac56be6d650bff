//! A failure report: RFC 9991, a mail in the format of RFC 5965 and RFC 6591.

use std::fmt::Write;
use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, AuthenticationResults, SpfInput};
use mail_types::smtp::{Domain, Mailbox, ReversePath};

use crate::report::header_excerpt::header_excerpt;
use crate::report::mail_date::MailDate;
use crate::{AuthFailure, DkimInput, ReportId, Verdict};

/// A failure report, written after [`FailureCause`](crate::FailureCause) has requested it and
/// [`FailureRate`](crate::FailureRate) has permitted it.
///
/// Send it with the null reverse-path, so that it causes no bounce. A signature of the domain in
/// `from` then gives it an aligned pass, without which it could itself cause reports (RFC 9991
/// section 5.1). It contains the header of the message, not its body.
///
/// ```
/// use dmarc_policy::{AuthFailure, Author, DeliveryResult, Dmarc, FailureEnvelope, FailureReport, FailureReportLimits};
/// use mail_types::{dns::Zone, smtp::ReversePath};
///
/// let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=reject; ruf=mailto:ruf@example.com\"")?;
/// let message = b"From: ann@example.com\r\nSubject: hello\r\n\r\nnot in the report";
/// let dmarc = Dmarc::new(Author::from_message(message));
/// let verdict = dmarc.session().run(|question| zone.answer(question));
/// let envelope = FailureEnvelope {
///     reporter: "mx.example.net".parse()?,
///     from: "dmarc@example.net".parse()?,
///     to: "ruf@example.com".parse()?,
///     message_id: "1@mx.example.net".parse()?,
///     date: 1_796_083_200,
/// };
/// let path: ReversePath = "<bounce@example.com>".parse()?;
/// let report = FailureReport::new(envelope, AuthFailure::Dmarc, &verdict)
///     .with_incidents(3)
///     .with_source("192.0.2.1".parse()?, Some(25_000))
///     .with_mail_from(&path)
///     .with_arrival(1_796_083_100)
///     .with_delivery(DeliveryResult::Policy)
///     .with_header(message, FailureReportLimits::default());
/// let text = String::from_utf8(report.write())?;
/// assert!(text.contains("Auth-Failure: dmarc") && text.contains("Incidents: 3"), "{text}");
/// assert!(text.contains("Subject: hello") && !text.contains("not in the report"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FailureReport<'a> {
    envelope: FailureEnvelope,
    failure: AuthFailure,
    verdict: &'a Verdict,
    spf: Option<(&'a SpfInput, &'a str)>,
    dkim: &'a [DkimInput],
    incidents: u32,
    source: Option<(IpAddr, Option<u16>)>,
    mail_from: Option<&'a ReversePath>,
    arrival: Option<u64>,
    delivery: Option<DeliveryResult>,
    header: &'a [u8],
    limits: FailureReportLimits,
}

/// The envelope data and header fields of a failure report.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a mail needs just these")]
pub struct FailureEnvelope {
    /// The reporting host, as in `Authentication-Results`.
    pub reporter: Domain,
    /// The author of the report.
    pub from: Mailbox,
    /// The destination.
    pub to: Mailbox,
    /// The mail's identifier, without angle brackets.
    pub message_id: ReportId,
    /// The time of writing, in seconds since 1970-01-01 00:00:00 UTC.
    pub date: u64,
}

impl<'a> FailureReport<'a> {
    /// Starts a report on a verdict.
    #[must_use]
    pub fn new(envelope: FailureEnvelope, failure: AuthFailure, verdict: &'a Verdict) -> Self {
        Self {
            envelope,
            failure,
            verdict,
            spf: None,
            dkim: &[],
            incidents: 1,
            source: None,
            mail_from: None,
            arrival: None,
            delivery: None,
            header: &[],
            limits: FailureReportLimits::default(),
        }
    }

    /// Sets the result of SPF, and the text of the record, empty if unknown.
    #[must_use]
    pub fn with_spf(self, spf: &'a SpfInput, record: &'a str) -> Self {
        Self { spf: Some((spf, record)), ..self }
    }

    /// Sets the results of the signatures.
    #[must_use]
    pub fn with_dkim(self, dkim: &'a [DkimInput]) -> Self {
        Self { dkim, ..self }
    }

    /// Sets the number of incidents that the report covers.
    #[must_use]
    pub fn with_incidents(self, incidents: u32) -> Self {
        Self { incidents, ..self }
    }

    /// Sets the source address and port of the message.
    #[must_use]
    pub fn with_source(self, address: IpAddr, port: Option<u16>) -> Self {
        Self { source: Some((address, port)), ..self }
    }

    /// Sets the reverse-path of the message.
    #[must_use]
    pub fn with_mail_from(self, path: &'a ReversePath) -> Self {
        Self { mail_from: Some(path), ..self }
    }

    /// Sets the arrival time, in seconds since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn with_arrival(self, second: u64) -> Self {
        Self { arrival: Some(second), ..self }
    }

    /// Sets the delivery result.
    #[must_use]
    pub fn with_delivery(self, delivery: DeliveryResult) -> Self {
        Self { delivery: Some(delivery), ..self }
    }

    /// Sets the header of the message; as many fields as the limits allow are quoted.
    #[must_use]
    pub fn with_header(self, header: &'a [u8], limits: FailureReportLimits) -> Self {
        Self { header, limits, ..self }
    }

    /// Writes the mail with CR LF as line ends. It needs `8BITMIME` if the header does.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let header = header_excerpt(self.header, self.limits.header);
        let FailureEnvelope { from, to, message_id, date, .. } = &self.envelope;
        let domain = self.domain();
        let encoding = if header.is_ascii() { "7bit" } else { "8bit" };
        let mut mail = format!(
            "From: <{from}>\r\nTo: <{to}>\r\nDate: {}\r\n\
             Subject: DMARC failure report for {domain}\r\nMessage-ID: <{message_id}>\r\n\
             Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report;\r\n\
             \x20boundary=\"{BOUNDARY}\"\r\nContent-Transfer-Encoding: {encoding}\r\n\
             \r\n--{BOUNDARY}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
            MailDate(*date),
        );
        let _ = write!(mail, "A message that says it is from {domain} has failed authentication");
        if let Some((address, _)) = self.source {
            let _ = write!(mail, ".\r\nIt came from {address}");
        }
        mail.push_str(".\r\n");
        let _ = write!(
            mail,
            "\r\n--{BOUNDARY}\r\nContent-Type: message/feedback-report\r\n\r\n{}\
             \r\n--{BOUNDARY}\r\nContent-Type: text/rfc822-headers\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n",
            self.fields(),
        );
        let mut mail = mail.into_bytes();
        mail.extend(header);
        mail.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        mail
    }

    fn domain(&self) -> String {
        self.verdict.author.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string)
    }

    /// The machine-readable part: RFC 6591 section 3, RFC 9991 section 4.
    fn fields(&self) -> String {
        let mut results = AuthenticationResults::new(self.envelope.reporter.as_str());
        results.push(self.verdict.authentication());
        let mut fields = Fields(String::new());
        fields.add("Feedback-Type", "auth-failure");
        fields.add("User-Agent", concat!("dmarc-policy/", env!("CARGO_PKG_VERSION")));
        fields.add("Version", "1");
        fields.add("Auth-Failure", self.failure.as_str());
        fields.add("Authentication-Results", &results.to_string());
        let (spf, dkim) = (self.verdict.spf.is_aligned(), self.verdict.dkim.is_aligned());
        fields.add(
            "Identity-Alignment",
            match (dkim, spf) {
                (true, true) => "none",
                (true, false) => "spf",
                (false, true) => "dkim",
                (false, false) => "dkim, spf",
            },
        );
        fields.add("Reported-Domain", &self.domain());
        if let Some(path) = self.mail_from {
            fields.add("Original-Mail-From", &path.to_string());
        }
        if let Some(second) = self.arrival {
            fields.add("Arrival-Date", &MailDate(second).to_string());
        }
        if let Some((address, port)) = self.source {
            fields.add("Source-IP", &address.to_string());
            if let Some(port) = port {
                fields.add("Source-Port", &port.to_string());
            }
        }
        if let Some(delivery) = self.delivery {
            fields.add("Delivery-Result", delivery.as_str());
        }
        if self.incidents > 1 {
            fields.add("Incidents", &self.incidents.to_string());
        }
        self.failed_signature(&mut fields);
        self.failed_spf(&mut fields);
        fields.0
    }

    /// The first failed signature, preferably one of the author's organization.
    fn failed_signature(&self, fields: &mut Fields) {
        let failed = |signature: &&DkimInput| {
            matches!(signature.result, AuthResult::Fail | AuthResult::PermError)
        };
        let mut all = self.dkim.iter().filter(failed);
        let mut aligned = self.dkim.iter().filter(failed);
        let aligned = aligned.find(|signature| self.is_ours(&signature.domain));
        let any = all.next().filter(|_| self.failure == AuthFailure::Signature);
        let Some(signature) = aligned.or(any) else { return };
        fields.add("DKIM-Domain", &signature.domain.to_string());
        // The default identity of a signature without `i=` (RFC 6376 section 3.5).
        fields.add("DKIM-Identity", &format!("@{}", signature.domain));
        fields.add("DKIM-Selector", &signature.selector);
    }

    fn failed_spf(&self, fields: &mut Fields) {
        let Some((spf, record)) = self.spf else { return };
        let wanted = self.failure == AuthFailure::Spf || self.is_ours(&spf.domain);
        if spf.result == AuthResult::Pass || !wanted {
            return;
        }
        let mut quoted = String::new();
        for c in record.chars() {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        fields.add("SPF-DNS", &format!("txt : {} : \"{quoted}\"", spf.domain));
    }

    fn is_ours(&self, domain: &Name) -> bool {
        self.verdict.org_domain.as_ref().is_some_and(|org| domain.is_within(org))
    }
}

/// Limits on the content of a failure report.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FailureReportLimits {
    /// The octets of the message's header; the first fields that fit are quoted. Default: 65 536.
    pub header: usize,
}

impl FailureReportLimits {
    /// Sets [`Self::header`].
    #[must_use]
    pub fn with_header(self, header: usize) -> Self {
        Self { header, ..self }
    }
}

impl Default for FailureReportLimits {
    fn default() -> Self {
        Self { header: 65_536 }
    }
}

/// The delivery result of a message, in the words of RFC 6591 section 3.2.2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6591 has just these")]
pub enum DeliveryResult {
    /// It was delivered.
    Delivered,
    /// It was delivered as spam.
    Spam,
    /// It was handled as the domain's policy requests.
    Policy,
    /// It was refused.
    Reject,
    /// Another result.
    Other,
}

impl DeliveryResult {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Spam => "spam",
            Self::Policy => "policy",
            Self::Reject => "reject",
            Self::Other => "other",
        }
    }
}

/// Header fields; no value can start a second field.
struct Fields(String);

impl Fields {
    fn add(&mut self, name: &str, body: &str) {
        self.0.extend([name, ": "]);
        self.0.extend(body.chars().map(|c| if c.is_control() { '?' } else { c }).take(LINE));
        self.0.push_str("\r\n");
    }
}

/// The most octets of a value on a line, whatever the characters: RFC 5322 section 2.1.1.
const LINE: usize = 240;

/// No line of a header excerpt begins with two hyphens and this text.
const BOUNDARY: &str = "=_dmarc_failure";
