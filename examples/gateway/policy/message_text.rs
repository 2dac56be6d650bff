//! The header section and the body of a message, as texts.

use mail_types::smtp::Header;

use super::field_text::decoded;

/// Returns all header fields, decoded as in Exim's `$message_headers`: each without blanks at its end, LF between
/// them and in folds. No more than the first [`MAX_FIELDS`] octets count.
pub(super) fn all_fields(message: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    for span in Header::spans(message) {
        let field = message.get(span).unwrap_or_default().trim_ascii_end();
        if text.len() >= MAX_FIELDS {
            break;
        }
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend(field.iter().copied().filter(|&octet| octet != b'\r'));
    }
    text.truncate(MAX_FIELDS);
    decoded(&text)
}

/// Returns so many octets of the body as in Exim's `$message_body`: a blank stands for a line end and for NUL.
pub(super) fn body_start(message: &[u8], visible: usize) -> Vec<u8> {
    let body = Header::of(message).body;
    // The line end of the last line may be missing before the message is stored.
    let end: &[u8] = if body.is_empty() || body.ends_with(b"\n") { b"" } else { b"\n" };
    let octets = body.iter().chain(end).copied().filter(|&octet| octet != b'\r');
    let shown = octets.map(|octet| if matches!(octet, b'\n' | 0) { b' ' } else { octet });
    shown.take(visible).collect()
}

/// The octets of the header section that a text can have, as in Exim.
const MAX_FIELDS: usize = 65_536;
