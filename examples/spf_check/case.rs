//! A case and its result, as text and as JSON.

use std::net::IpAddr;

use examples::cases::dns::DnsEntry;
use examples::cases::shown;
use examples::cases::trace::{self, TraceLine};
use mail_types::dns::Note;
use mail_types::smtp::Helo;
use serde::{Deserialize, Serialize};
use spf_result::{Cause, Check, Options, SenderError, SpfOutcome};

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
        &'a self,
        helo: &'a Helo,
        options: &Options,
    ) -> Result<Check<'a>, SenderError> {
        let check = match &self.mail_from {
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
        helo.map(Helo::new)
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
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<TraceLine>,
}

impl Verdict {
    pub(crate) fn new(outcome: &SpfOutcome, trace: &[Note]) -> Self {
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
            trace: trace.iter().map(TraceLine::new).collect(),
            ..Self::default()
        }
    }

    /// Tells whether the case could be read.
    pub(crate) fn is_read(&self) -> bool {
        self.error.is_none()
    }

    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }
}

impl shown::Shown for Verdict {
    fn text(&self) -> Vec<u8> {
        let mut text = trace::text(&self.trace);
        text += self.result.unwrap_or("malformed");
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
        text.into_bytes()
    }
}
