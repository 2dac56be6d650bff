//! What is known of a message's origin, and the field `Authentication-Results` (RFC 8601) that we write.

use mail_types::results::MethodResult;
use spf_result::Report;

use super::dmarc::Examined;

/// What was found out about a message so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authentication {
    pub(crate) spf: Option<Report>,
    /// What SPF says of the record that is guessed for a domain without one.
    pub(crate) guess: Option<Report>,
    pub(crate) dmarc: Option<Examined>,
}

impl Authentication {
    /// Returns the field for what was found out, without its CRLF; `None` if nothing was. Each of several
    /// results has a line of its own. A guess is told only where nothing else was tested.
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
