//! The field `Authentication-Results` (RFC 8601): ours, and those that only claim to be.

use super::header::spans;
use super::rules::dmarc::Examined;
use super::rules::facts::Facts;
use super::rules::spf;
use bytes::Bytes;

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

/// Takes out of a message the fields that claim to be this host's (RFC 8601 section 5): whoever
/// reads it believes them. Returns what is left, in order.
pub(crate) fn without_forged(message: &Bytes, host: &str) -> Vec<Bytes> {
    let mut parts = Vec::new();
    let mut kept = 0;
    for (begin, end) in spans(message) {
        let field = message.get(begin..end).unwrap_or_default();
        if is_forged(field, host) {
            if begin > kept {
                parts.push(message.slice(kept..begin));
            }
            kept = end;
        }
    }
    if kept < message.len() || parts.is_empty() {
        parts.push(message.slice(kept..));
    }
    parts
}

fn is_forged(field: &[u8], host: &str) -> bool {
    let Some(colon) = field.iter().position(|&octet| octet == b':') else { return false };
    let (name, body) = field.split_at(colon);
    let name = name.trim_ascii_end();
    name.eq_ignore_ascii_case(b"Authentication-Results")
        && identifier(body.get(1..).unwrap_or_default()).eq_ignore_ascii_case(host.as_bytes())
}

/// The `authserv-id` at the start of a body, behind white space and comments.
fn identifier(body: &[u8]) -> Vec<u8> {
    let (mut found, mut depth, mut quoted, mut escaped) = (Vec::new(), 0_usize, false, false);
    for &octet in body {
        let literal = std::mem::take(&mut escaped);
        match octet {
            b'\\' if !literal && (quoted || depth > 0) => escaped = true,
            b'(' if !literal && !quoted && found.is_empty() => depth += 1,
            b')' if !literal && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            b'"' if !literal && quoted => break,
            b'"' if !literal && found.is_empty() => quoted = true,
            b' ' | b'\t' | b'\r' | b'\n' if !quoted && found.is_empty() => {}
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' if !quoted => break,
            _ => found.push(octet),
        }
    }
    found
}
