//! A case and its result, as text and as JSON.

use std::sync::Arc;

use dmarc_policy::{Author, Dmarc, Record, RecordError};
use examples::cases::dns::DnsEntry;
use examples::cases::published::PublishedText;
use examples::cases::shown;
use examples::cases::trace::{self, TraceLine};
use mail_types::dns::{Answer, Name, Note, Question, Texts};
use serde::{Deserialize, Serialize};

use crate::given::{Signature, Spf};

/// The message to check.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The bodies of the `From` fields.
    from: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spf: Option<Spf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dkim: Vec<Signature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dns: Option<Vec<DnsEntry>>,
}

impl Case {
    pub(crate) fn new(from: Vec<String>, spf: Option<Spf>, dkim: Vec<Signature>) -> Self {
        Self { from, spf, dkim, dns: None }
    }

    pub(crate) fn inquiry(&self) -> Dmarc {
        let author = Author::from_fields(self.from.iter().map(String::as_bytes));
        let signatures = self.dkim.iter().map(|Signature(input)| input.clone());
        let spf = self.spf.as_ref().map(|Spf(input)| input);
        Dmarc::new(author).with_spf(spf).with_dkim(&signatures.collect::<Vec<_>>())
    }
}

/// A record in the DNS.
#[derive(Debug, Serialize)]
struct Published {
    name: String,
    record: String,
    defects: Vec<String>,
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<&'static str>,
    /// The verdict in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spf_aligned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dkim_aligned: Option<bool>,
    /// The records that were found, with their defects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<Published>,
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
        verdict: &dmarc_policy::Verdict,
        answers: &[(Question, Arc<Answer>)],
        trace: &[Note],
    ) -> Self {
        let domain = |domain: &Option<Name>| domain.as_ref().map(ToString::to_string);
        Self {
            status: Some(verdict.status().as_str()),
            result: Some(verdict.result.as_str()),
            author_domain: domain(&verdict.author),
            org_domain: domain(&verdict.org_domain),
            policy_domain: domain(&verdict.policy_domain),
            policy: verdict.policy.map(dmarc_policy::Policy::as_str),
            disposition: Some(verdict.disposition.as_str()),
            cause: Some(verdict.to_string()),
            spf_aligned: Some(verdict.spf.is_aligned()),
            dkim_aligned: Some(verdict.dkim.is_aligned()),
            records: answers
                .iter()
                .flat_map(|(question, answer)| records(question, answer))
                .collect(),
            trace: trace.iter().map(TraceLine::new).collect(),
            ..Self::default()
        }
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
        let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        for (name, value) in [
            ("status", self.status.map(str::to_owned)),
            ("author domain", self.author_domain.clone()),
            ("org domain", self.org_domain.clone()),
            ("policy domain", self.policy_domain.clone()),
            ("policy", self.policy.map(str::to_owned)),
            ("disposition", self.disposition.map(str::to_owned)),
            ("cause", self.cause.clone()),
            ("spf aligned", self.spf_aligned.map(yes_or_no)),
            ("dkim aligned", self.dkim_aligned.map(yes_or_no)),
            ("at", self.at.map(|at| at.to_string())),
        ] {
            let line = value.map(|value| format!("  {name:<14} {value}\n"));
            text += &line.unwrap_or_default();
        }
        for Published { name, defects, .. } in &self.records {
            for defect in defects {
                text.extend(["  ", name, ": ", defect, "\n"]);
            }
        }
        text.into_bytes()
    }
}

/// The texts of an answer that are records, or were meant to be; of several records none counts.
fn records(question: &Question, answer: &Answer) -> Vec<Published> {
    let texts: Vec<_> = answer.texts().into_iter().flat_map(Texts::iter).collect();
    let count = texts.iter().filter(|text| Record::parse(text).is_ok()).count();
    let published = |text: &[u8]| {
        let mut defects = match Record::check(text) {
            Ok(defects) => defects.iter().map(ToString::to_string).collect(),
            Err(RecordError::Version) if !names_dmarc(text) => return None,
            Err(error) => vec![error.to_string()],
        };
        if count > 1 && Record::parse(text).is_ok() {
            defects.push(format!("one of {count} DMARC records at this name: receivers use none"));
        }
        let name = question.name.to_string();
        let record = PublishedText::new(text, []).text();
        Some(Published { name, record, defects })
    };
    texts.into_iter().filter_map(published).collect()
}

/// Tells whether a text speaks of DMARC at its start.
fn names_dmarc(text: &[u8]) -> bool {
    let start = text.get(..16).unwrap_or(text).to_ascii_lowercase();
    start.windows(5).any(|word| word == b"dmarc")
}
