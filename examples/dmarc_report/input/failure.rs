//! Failure reports: RFC 9991 in the format of RFC 5965 and RFC 6591, and Exim's text of 2014.

use std::net::IpAddr;

use dmarc_policy::InvalidText;
use mail_types::smtp::Header;
use serde::Serialize;

use super::limits::OpenError;

/// A message that failed, as its receiver tells it.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields of RFC 6591")]
pub(crate) struct Failure {
    /// `Feedback-Type`; `dmarc-forensic` for Exim's text.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) reporter: Option<String>,
    /// The domain whose mail failed.
    pub(crate) domain: Option<String>,
    pub(crate) source: Option<IpAddr>,
    /// In seconds since 1970.
    #[serde(skip)]
    pub(crate) arrival: Option<u64>,
    pub(crate) incidents: u64,
    pub(crate) auth_failure: Option<String>,
    /// The methods without an aligned pass.
    pub(crate) identity_alignment: Option<String>,
    pub(crate) delivery_result: Option<String>,
    pub(crate) envelope_from: Option<String>,
    pub(crate) dkim_domain: Option<String>,
    pub(crate) dkim_selector: Option<String>,
    pub(crate) spf_dns: Option<String>,
    pub(crate) header_from: Option<String>,
    pub(crate) subject: Option<String>,
    /// Fields that are missing or invalid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) deviations: Vec<String>,
}

/// The type of the part that a program reads.
pub(super) const TYPE: &str = "message/feedback-report";
/// The fields that RFC 5965, RFC 6591 and RFC 9991 require in a report of failed authentication.
const REQUIRED: [&str; 5] =
    ["User-Agent", "Version", "Auth-Failure", "Identity-Alignment", "Reported-Domain"];
/// The most characters of a field's text.
const MAX_TEXT: usize = 500;

impl Failure {
    /// Reads the fields of a report, and the header of the message.
    pub(super) fn of_fields(fields: &[u8], original: &[u8]) -> Result<Self, OpenError> {
        let (fields, original) = (Header::of(fields), Header::of(original));
        let field = |name: &str| text(fields, name);
        let kind = field("Feedback-Type").ok_or(OpenError::NoType)?;
        let mut failure = Self {
            reporter: field("Reporting-MTA").or_else(|| authenticator(fields)),
            domain: field("Reported-Domain").map(|domain| domain.to_ascii_lowercase()),
            arrival: field("Arrival-Date").or_else(|| field("Received-Date")).and_then(second),
            auth_failure: field("Auth-Failure"),
            identity_alignment: field("Identity-Alignment"),
            delivery_result: field("Delivery-Result"),
            envelope_from: field("Original-Mail-From"),
            dkim_domain: field("DKIM-Domain"),
            dkim_selector: field("DKIM-Selector"),
            spf_dns: field("SPF-DNS"),
            header_from: text(original, "From"),
            subject: text(original, "Subject"),
            ..Self::default()
        };
        let required = if kind == "auth-failure" { &REQUIRED[..] } else { &REQUIRED[..2] };
        let missing = required.iter().filter(|name| field(name).is_none());
        failure.deviations.extend(missing.map(|name| format!("missing field {name}")));
        let mut wrong = |name: &str| {
            let value = InvalidText::from(field(name).unwrap_or_default().as_str());
            failure.deviations.push(format!("invalid value {value} in field {name}"));
        };
        let source = field("Source-IP");
        failure.source = source.as_ref().and_then(|source| source.parse().ok());
        if source.is_some() && failure.source.is_none() {
            wrong("Source-IP");
        }
        let incidents = field("Incidents").map(|count| count.parse::<u64>());
        if incidents.as_ref().is_some_and(Result::is_err) {
            wrong("Incidents");
        }
        failure.incidents = incidents.and_then(Result::ok).unwrap_or(1);
        failure.kind = kind;
        Ok(failure)
    }

    /// Reads the text that Exim sent in 2014; `None` for another text.
    pub(super) fn of_text(text: &[u8]) -> Option<Self> {
        let start = text.get(..4096).unwrap_or(text);
        memchr::memmem::find(start, b"A message claiming to be from you has failed")?;
        let (top, header) = match memchr::memmem::find(text, b"------ This is a copy") {
            Some(at) => text.split_at_checked(at)?,
            None => (text, &b""[..]),
        };
        let blank = memchr::memmem::find(header, b"\n\r\n").map(|at| at + 3);
        let blank = blank.or_else(|| memchr::memmem::find(header, b"\n\n").map(|at| at + 2));
        let original = Header::of(blank.and_then(|at| header.get(at..)).unwrap_or_default());
        let top = String::from_utf8_lossy(top);
        let value = |name: &str| {
            let lines = top.lines().filter_map(|line| line.trim_start().split_once(": "));
            let found = lines.into_iter().find(|(found, _)| *found == name);
            found.map(|(_, value)| clean(value)).filter(|value| !value.is_empty())
        };
        let failed = |name: &str, word: &'static str| {
            value(name).filter(|value| value == "no").map(|_| word)
        };
        let unaligned = [failed("DKIM Alignment", "dkim"), failed("SPF Alignment", "spf")];
        let unaligned: Vec<_> = unaligned.into_iter().flatten().collect();
        Some(Self {
            kind: "dmarc-forensic".to_owned(),
            domain: value("Sender Domain").map(|domain| domain.to_ascii_lowercase()),
            source: value("Sender IP Address").and_then(|source| source.parse().ok()),
            arrival: value("Received Date").and_then(second),
            incidents: 1,
            auth_failure: value("DMARC Results"),
            identity_alignment: Some(unaligned.join(", ")).filter(|text| !text.is_empty()),
            header_from: self::text(original, "From"),
            subject: self::text(original, "Subject"),
            ..Self::default()
        })
    }
}

/// The text of the first field with this name.
fn text(header: Header<'_>, name: &str) -> Option<String> {
    let body = header.bodies(name).next()?;
    Some(clean(&String::from_utf8_lossy(body))).filter(|text| !text.is_empty())
}

/// The host in `Authentication-Results`.
fn authenticator(fields: Header<'_>) -> Option<String> {
    let results = text(fields, "Authentication-Results")?;
    results.split([';', ' ']).next().map(str::to_owned).filter(|host| !host.is_empty())
}

/// A text in one line, without control characters.
fn clean(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

fn second(text: impl AsRef<str>) -> Option<u64> {
    mailparse::dateparse(text.as_ref()).ok().and_then(|second| second.try_into().ok())
}
