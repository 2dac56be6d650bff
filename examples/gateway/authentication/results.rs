//! The results of authentication, and the field `Authentication-Results` (RFC 8601).

use mail_types::results::MethodResult;
use spf_result::Report;

use super::dmarc::Examined;

/// The results of authentication so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authentication {
    pub(crate) spf: Option<Report>,
    /// The result of SPF by a guessed record, for a domain without one.
    pub(crate) guess: Option<Report>,
    pub(crate) dmarc: Option<Examined>,
}

impl Authentication {
    /// Returns the header field without its CRLF; `None` without a result. Several results have a line
    /// each. A guess is reported only without any other result.
    pub(crate) fn field(&self, host: &str) -> Option<String> {
        let spf = self.spf.as_ref().or(self.guess.as_ref()).map(Report::authentication);
        let dmarc = self.dmarc.iter().flat_map(Examined::method_results);
        let results: Vec<MethodResult> = spf.into_iter().chain(dmarc).collect();
        if results.is_empty() {
            return None;
        }
        let mut field = format!("Authentication-Results: {host}");
        let between = if results.len() > 1 { ";\r\n\t" } else { "; " };
        for result in &results {
            field.extend([between, &result.to_string()]);
        }
        Some(field)
    }
}
