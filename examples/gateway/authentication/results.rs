//! The field `Authentication-Results` (RFC 8601) that we write.

use crate::gateway::policy::conditions::dmarc::Examined;
use crate::gateway::policy::conditions::spf;
use crate::gateway::policy::facts::Facts;

/// Returns the field for what was found out about a message, without its CRLF; `None` if nothing was.
/// Each of several results has a line of its own.
pub(crate) fn field(host: &str, facts: &Facts) -> Option<String> {
    let mut results: Vec<_> = spf::method_result(facts).into_iter().collect();
    if let Some(examined) = facts.get::<Examined>() {
        results.extend(examined.method_results());
    }
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
