//! The result of an inspection, as text and as JSON.

use std::fmt::Write as _;
use std::net::SocketAddr;

use dane_tlsa::Decision;
pub(crate) use dane_tlsa::Severity;
use dane_tlsa::mail_types::dns::{Answer, Name, Question};
use examples::cases::count::counted;
use examples::cases::dmarc_review::DmarcReview;
use examples::cases::host_outcome::HostOutcome;
use examples::cases::shown::Shown;
use examples::cases::spf_review::SpfReview;
use serde::{Serialize, Serializer};

use crate::sentences::{self, Judged, Sentence};

/// The state of a domain's mail.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    pub(crate) domain: String,
    pub(crate) mail: Mail,
    pub(crate) spf: SpfReview,
    pub(crate) dmarc: DmarcReview,
    /// Each question to the DNS, with its answer, those about the mail hosts first.
    pub(crate) lookups: Vec<LookupLine>,
    /// How many are about the mail hosts.
    #[serde(skip)]
    pub(crate) of_mail: usize,
    pub(crate) defects: Vec<Defect>,
}

/// The mail hosts.
#[derive(Debug, Serialize)]
pub(crate) struct Mail {
    /// The action for a message, if no host can be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) hosts: Vec<MailHost>,
}

/// A mail host.
#[derive(Debug, Serialize)]
pub(crate) struct MailHost {
    #[serde(flatten)]
    pub(crate) policy: HostOutcome,
    pub(crate) servers: Vec<Server>,
    #[serde(skip)]
    pub(crate) defects: Vec<Defect>,
}

/// A server of a host.
#[derive(Debug, Serialize)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Why its certificates are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The number of certificates that it sends.
    pub(crate) certificates: usize,
    /// The end of its own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    /// Whether a TLSA record matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tlsa: Option<&'static str>,
    /// How far the records are in a replacement of the key: `steady` has none but the server's, `under-way` another too, `broken`
    /// none of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rollover: Option<&'static str>,
    /// The verified OCSP staple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) staple: Option<String>,
}

/// A question, and its answer.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct LookupLine {
    pub(crate) question: String,
    /// The records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) records: Vec<String>,
    /// `nxdomain` or `nodata`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<&'static str>,
    /// The failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    /// The DNSSEC status; none of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) security: Option<String>,
}

/// A defect.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Defect {
    #[serde(serialize_with = "word")]
    pub(crate) severity: Severity,
    pub(crate) about: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) section: Option<String>,
    /// The sentence of the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sentence: Option<&'static str>,
}

impl Mail {
    pub(crate) fn new(decision: &Decision) -> Self {
        let (action, reason) = match decision {
            Decision::Defer(reason) => (Some("defer"), Some(reason.to_string())),
            Decision::Bounce(reason) => (Some("bounce"), Some(reason.to_string())),
            Decision::Hosts(_) => (None, None),
        };
        Self { action, reason, hosts: Vec::new() }
    }
}

impl Server {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let (error, certificates, expires) = (None, 0, None);
        let (tlsa, rollover, staple) = (None, None, None);
        Self { address, error, certificates, expires, tlsa, rollover, staple }
    }

    /// Returns a line for people.
    pub(crate) fn line(&self) -> String {
        if let Some(error) = &self.error {
            return format!("{}: {error}", self.address);
        }
        let mut line = format!("{}: {}", self.address, counted(self.certificates, "certificate"));
        for (name, value) in [
            ("the first until", self.expires.as_deref()),
            ("TLSA", self.tlsa),
            ("rollover", self.rollover),
            ("OCSP staple", Some(self.staple.as_deref().unwrap_or("no"))),
        ] {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(line, ", {name} {value}");
            }
        }
        line
    }
}

impl LookupLine {
    pub(crate) fn new(question: &Question, answer: &Answer) -> Self {
        let line = Self {
            question: question.to_string(),
            records: Vec::new(),
            absent: None,
            failure: None,
            security: None,
        };
        match answer {
            Answer::Records { records, security, .. } => Self {
                records: records.presentation(),
                security: Some(security.to_string()),
                ..line
            },
            Answer::Absent { exists, security, .. } => Self {
                absent: Some(if *exists { "nodata" } else { "nxdomain" }),
                security: Some(security.to_string()),
                ..line
            },
            Answer::Failed(failure) => Self { failure: Some(failure.to_string()), ..line },
        }
    }

    /// Returns a line for people.
    pub(crate) fn line(&self) -> String {
        let answer = match (&self.failure, self.absent) {
            (Some(failure), _) => format!("FAILED: {failure}"),
            (None, Some(absent)) => absent.to_owned(),
            (None, None) => self.records.join(" | "),
        };
        let security = self.security.as_deref().map(|status| format!(" ({status})"));
        format!("{}: {answer}{}", self.question, security.unwrap_or_default())
    }
}

impl Defect {
    pub(crate) fn new(severity: Severity, about: String, text: String) -> Self {
        Self { severity, about, text, section: None, sentence: None }
    }

    /// Adds the sentence of the standard.
    pub(crate) fn breaking(self, Sentence { section, text }: Sentence) -> Self {
        Self { section: Some(section.to_owned()), sentence: Some(text), ..self }
    }

    pub(crate) fn of_spf(finding: &spf_result::Finding) -> Self {
        let text = match &finding.term {
            Some(term) => format!("{term}: {}", finding.defect),
            None => finding.defect.to_string(),
        };
        let section = format!("RFC 7208 section {}", finding.defect.section());
        Self::judged(sentences::of_spf(&finding.defect), &finding.domain, text, section)
    }

    pub(crate) fn of_dmarc(finding: &dmarc_policy::Finding) -> Self {
        let (defect, section) = (&finding.defect, finding.defect.section().to_owned());
        Self::judged(sentences::of_dmarc(defect), &finding.name, defect.to_string(), section)
    }

    /// A defect of a published record. Its section is that of the review, and has the sentence.
    fn judged(judged: Judged, about: &Name, text: String, section: String) -> Self {
        let (section, sentence) = (Some(section), Some(judged.sentence));
        Self { section, sentence, ..Self::new(judged.severity, about.to_string(), text) }
    }

    /// Returns its lines for people.
    pub(crate) fn lines(&self) -> String {
        let Self { severity, about, text, section, sentence } = self;
        let mut lines = format!("{}: {about}: {text}\n", severity_word(*severity));
        if let (Some(section), Some(sentence)) = (section, sentence) {
            let _ = writeln!(lines, "    {section}: \"{sentence}\"");
        }
        lines
    }
}

/// Returns the word of a severity.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn word<S: Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(severity_word(*severity))
}

impl Shown for Inspection {
    fn text(&self) -> Vec<u8> {
        let mut text = format!("{}\n", self.domain);
        if let (Some(action), Some(reason)) = (self.mail.action, &self.mail.reason) {
            let _ = writeln!(text, "  no host: {action}: {reason}");
        }
        let mut hosts = String::new();
        for host in &self.mail.hosts {
            host.policy.write(&mut hosts);
            for server in &host.servers {
                let _ = writeln!(hosts, "  server     {}", server.line());
            }
        }
        indent(&hosts, &mut text);
        text.push_str("  SPF ");
        indent_rest(&String::from_utf8_lossy(&self.spf.text()), &mut text);
        text.push_str("  DMARC ");
        indent_rest(&String::from_utf8_lossy(&self.dmarc.text()), &mut text);
        // The texts of the others are above.
        let (of_mail, others) = self.lookups.split_at_checked(self.of_mail).unwrap_or_default();
        let failed = others.iter().filter(|lookup| lookup.failure.is_some());
        for lookup in of_mail.iter().chain(failed) {
            let _ = writeln!(text, "  lookup {}", lookup.line());
        }
        for defect in &self.defects {
            let _ = write!(text, "  {}", defect.lines());
        }
        text.into_bytes()
    }
}

fn indent(lines: &str, text: &mut String) {
    lines.lines().for_each(|line| {
        let _ = writeln!(text, "  {line}");
    });
}

/// The same, but for the first line.
fn indent_rest(lines: &str, text: &mut String) {
    let (first, rest) = lines.split_once('\n').unwrap_or((lines, ""));
    let _ = writeln!(text, "{first}");
    let is_defect = |line: &&str| line.trim_start().starts_with("defect: ");
    for line in rest.lines().filter(|line| !is_defect(line)) {
        let _ = writeln!(text, "  {line}");
    }
}
