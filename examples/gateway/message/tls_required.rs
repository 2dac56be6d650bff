//! The header field `TLS-Required`: RFC 8689 section 3.

use mail_types::smtp::Header;

/// Tells whether a message waives the policies of its recipients' domains for TLS: it has the field once, with the
/// value `No`.
pub(crate) fn waives_tls(message: &[u8]) -> bool {
    let header = Header::of(message);
    let mut bodies = header.bodies("TLS-Required");
    let is_no = bodies.next().is_some_and(|body| body.trim_ascii().eq_ignore_ascii_case(b"No"));
    is_no && bodies.next().is_none()
}
