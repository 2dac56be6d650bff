//! A case and its result, as text and as JSON.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use examples::cases::dns::DnsEntry;
use examples::cases::published::PublishedText;
use examples::cases::shown;
use examples::cases::trace::{self, TraceLine};
use examples::cases::typed_name::in_ascii;
use mail_types::dns::{Answer, Note, Question, RecordType, Texts};
use mail_types::smtp::Helo;
use serde::{Deserialize, Serialize, Serializer};
use spf_result::{Cause, Check, Options, Problem, Record, SenderError, SpfOutcome};

/// The client and identity of a check.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    ip: IpAddr,
    /// The HELO name; a check of a reverse-path with a domain needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    helo: Option<String>,
    /// The reverse-path, empty for the null path; if absent, the HELO name is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mail_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dns: Option<Vec<DnsEntry>>,
}

impl Case {
    pub(crate) fn new(ip: IpAddr, helo: Option<String>, mail_from: Option<String>) -> Self {
        Self { ip, helo, mail_from, dns: None }
    }

    /// Returns the check of the sender, or of the HELO name.
    pub(crate) fn check<'a>(
        &self,
        helo: &'a Helo,
        mail_from: Option<&'a str>,
        options: &Options,
    ) -> Result<Check<'a>, SenderError> {
        let check = match mail_from {
            Some(mail_from) => Check::from_text(self.ip, helo, mail_from)?,
            None => Check::helo(self.ip, helo),
        };
        Ok(check.with_options(options.clone()))
    }

    /// Returns the HELO name, of which a macro makes `unknown` if it is not given; `None` if it is the
    /// identity to check.
    pub(crate) fn helo(&self) -> Option<Helo> {
        let needs_none = self.mail_from.as_ref().is_some_and(|path| path.contains('@'));
        let helo = self.helo.as_deref().or(needs_none.then_some("unknown"));
        helo.map(|helo| Helo::new(&ascii(helo)))
    }

    /// Returns the reverse-path, with A-labels in its domain.
    pub(crate) fn mail_from(&self) -> Option<String> {
        self.mail_from.as_deref().map(ascii)
    }
}

/// The result of a case.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// The reason for the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mechanism: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lookups: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    void_lookups: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// The published texts of a record that does not count.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "plain")]
    published: Vec<PublishedText>,
    /// The position of its fault, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// The line of the case, if it came from standard input and could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<TraceLine>,
}

impl Verdict {
    pub(crate) fn new(
        outcome: &SpfOutcome,
        answers: &[(Question, Arc<Answer>)],
        trace: &[Note],
    ) -> Self {
        let cause = outcome.cause();
        let mechanism = match cause {
            Cause::Default { .. } => Some("default".to_owned()),
            _ => cause.directive().map(ToString::to_string),
        };
        Self {
            result: Some(outcome.result().as_str()),
            identity: Some(outcome.identity().as_str()),
            explanation: outcome.explanation().text().map(str::to_owned),
            cause: Some(cause.to_string()),
            mechanism,
            domain: cause.domain().map(ToString::to_string),
            lookups: Some(outcome.lookups()),
            void_lookups: Some(outcome.void_lookups()),
            problem: cause.problem().map(ToString::to_string),
            published: published(cause, answers),
            published_at: fault_at(cause),
            trace: trace.iter().map(TraceLine::new).collect(),
            ..Self::default()
        }
    }

    /// Returns the reason why the case could not be read.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }

    /// Adds the line of a case that could not be read.
    pub(crate) fn on_line(self, line: usize) -> Self {
        Self { line: self.error.is_some().then_some(line), ..self }
    }
}

impl shown::Shown for Verdict {
    fn is_sound(&self) -> bool {
        self.error.is_none()
    }

    fn text(&self) -> Vec<u8> {
        let mut text = trace::text(&self.trace);
        text += self.result.unwrap_or("malformed");
        text += &self.line.map(|line| format!(": line {line}")).unwrap_or_default();
        text += &self.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        text.push('\n');
        for (name, value) in [
            ("identity", self.identity.map(str::to_owned)),
            ("cause", self.cause.clone()),
            ("domain", self.domain.clone()),
            ("mechanism", self.mechanism.clone()),
            ("problem", self.problem.clone()),
            ("explanation", self.explanation.clone()),
            ("lookups", self.lookups.map(|count| count.to_string())),
            ("void lookups", self.void_lookups.map(|count| count.to_string())),
            ("at", self.at.map(|at| at.to_string())),
        ] {
            let line = value.map(|value| format!("  {name:<13} {value}\n"));
            text += &line.unwrap_or_default();
        }
        for published in &self.published {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {:<13} {}", "published", published.text());
            if let Some(marks) = published.marks() {
                let _ = writeln!(text, "  {:<13} {marks}", "");
            }
        }
        text.into_bytes()
    }
}

/// Puts A-labels in place of U-labels; a domain that is not valid stays as a client gives it.
fn ascii(text: &str) -> String {
    in_ascii(text).unwrap_or_else(|_| text.to_owned())
}

/// Returns the texts whose fault, or number, is the reason of the result.
fn published(cause: &Cause, answers: &[(Question, Arc<Answer>)]) -> Vec<PublishedText> {
    let Some(Problem::Syntax(_) | Problem::SeveralRecords) = cause.problem() else {
        return Vec::new();
    };
    let is_of = |question: &Question| {
        question.kind == RecordType::Txt && Some(&question.name) == cause.domain()
    };
    let answer = answers.iter().find(|(question, _)| is_of(question));
    let texts = answer.and_then(|(_, answer)| answer.texts());
    let records = texts.into_iter().flat_map(Texts::iter).filter(|text| Record::is_one(text));
    records.map(|text| PublishedText::new(text, fault_at(cause))).collect()
}

fn fault_at(cause: &Cause) -> Option<usize> {
    match cause.problem() {
        Some(Problem::Syntax(error)) => error.at(),
        _ => None,
    }
}

fn plain<S: Serializer>(texts: &[PublishedText], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(texts.iter().map(PublishedText::text))
}
