//! A case and its result.

use std::error::Error;

use examples::cases::certificates::{read_given, time, written};
use examples::cases::shown::Shown;
use ocsp_staple::{Certificate, CertificateStatus, Check, Issuer, Proof};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::UnixTime;
use serde::{Deserialize, Serialize};

use crate::files;

/// The response to check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) response: String,
    pub(crate) cert: String,
    pub(crate) issuer: String,
    pub(crate) time: Option<String>,
}

impl Case {
    pub(crate) fn verdict(&self) -> Verdict {
        self.check().unwrap_or_else(|error| Verdict::wrong(&error.to_string(), 0))
    }

    /// Verifies the response.
    ///
    /// # Errors
    ///
    /// The field that cannot be read.
    pub(crate) fn check(&self) -> Result<Verdict, Box<dyn Error>> {
        let response = of("response", files::response(&self.response))?;
        let leaf = of("cert", files::certificate(&self.cert))?;
        let issuer = of("issuer", files::certificate(&self.issuer))?;
        let now = match &self.time {
            Some(text) => time(text).map_err(|error| format!("time: {error}"))?,
            None => UnixTime::now(),
        };
        let leaf = of("cert", read_given(&self.cert, Certificate::parse(&leaf)))?;
        let issuer = of("issuer", read_given(&self.issuer, Certificate::parse(&issuer)))?;
        let algorithms = default_provider().signature_verification_algorithms.all;
        let proof = match Check::new(&leaf, [Issuer::from(&issuer)], algorithms) {
            Ok(check) => check.verify(&response, now).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Ok(match proof {
            Ok(proof) => Verdict::new(&proof),
            Err(cause) => Verdict { cause: Some(cause), ..Verdict::of("invalid") },
        })
    }
}

/// Puts the name of a field before its error.
fn of<T>(field: &str, read: Result<T, Box<dyn Error>>) -> Result<T, String> {
    read.map_err(|error| format!("{field}: {error}"))
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    /// `good`, `revoked`, `unknown` or `invalid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Why it is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// The line of the case, if it came from standard input and could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Verdict {
    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }

    /// Adds the line of a case that could not be read.
    pub(crate) fn on_line(self, line: usize) -> Self {
        Self { line: self.error.is_some().then_some(line), ..self }
    }

    fn of(status: &'static str) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    fn new(proof: &Proof) -> Self {
        let until = Some(written(proof.until));
        let verdict = Self { until, ..Self::of(proof.status.as_str()) };
        let CertificateStatus::Revoked(revocation) = proof.status else { return verdict };
        let reason = revocation.reason.map(ocsp_staple::RevocationReason::as_str);
        Self { reason, revoked: Some(written(revocation.time)), ..verdict }
    }
}

impl Shown for Verdict {
    fn is_sound(&self) -> bool {
        self.status == Some(CertificateStatus::Good.as_str())
    }

    fn text(&self) -> Vec<u8> {
        let mut text = self.status.unwrap_or("malformed").to_owned();
        text += &self.line.map(|line| format!(": line {line}")).unwrap_or_default();
        text += &self.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        text.push('\n');
        for (name, value) in [
            ("cause", self.cause.as_deref()),
            ("revoked", self.revoked.as_deref()),
            ("reason", self.reason),
            ("until", self.until.as_deref()),
        ] {
            let line = value.map(|value| format!("  {name:<9} {value}\n"));
            text += &line.unwrap_or_default();
        }
        text.into_bytes()
    }
}
