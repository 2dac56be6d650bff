//! The header fields that a server adds to a message: RFC 5321 section 4.4.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use mail_types::dns::Name;
use mail_types::exim::{Trust, Value};
use mail_types::smtp::{Mailbox, ReversePath};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::id::MessageId;

/// The content of a `Received` field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    /// This host's name.
    pub(crate) host: &'a str,
    pub(crate) id: MessageId,
    pub(crate) client: IpAddr,
    pub(crate) client_name: Option<&'a Name>,
    /// The client's name in `HELO` or `EHLO`.
    pub(crate) helo: &'a str,
    /// The registered name of the protocol.
    pub(crate) protocol: &'a str,
    /// The recipients of this copy.
    pub(crate) recipients: &'a [Mailbox],
    pub(crate) now: SystemTime,
}

impl Received<'_> {
    /// Writes the field, with its CRLF.
    pub(crate) fn to_field(self) -> String {
        let Self { host, id, protocol, .. } = self;
        let helo = Value::new(self.helo.as_bytes(), Trust::Untrusted).to_string();
        let date = OffsetDateTime::from(self.now).format(&Rfc2822).unwrap_or_default();
        let mut field = String::with_capacity(ROOM);
        field.extend(["Received: from ", &token(&helo), " ("]);
        // Writing to a String cannot fail.
        let _ = self.client_name.iter().try_for_each(|name| write!(field, "{name} "));
        let _ = match self.client.to_canonical() {
            IpAddr::V4(address) => write!(field, "[{address}])\r\n"),
            IpAddr::V6(address) => write!(field, "[IPv6:{address}])\r\n"),
        };
        let _ = write!(field, "\tby {host} with {protocol} id {id}");
        if let [recipient] = self.recipients {
            let _ = write!(field, "\r\n\tfor <{recipient}>");
        }
        field.extend(["; ", &date, "\r\n"]);
        field
    }
}

/// Writes the fields of final delivery: `Return-Path`, `Delivered-To` if the copy is for one recipient, and
/// with `envelope_to` all recipients of the copy.
///
/// A copy for several recipients names them only on request, since they include those of `Bcc`.
pub(crate) fn delivery(sender: &ReversePath, recipients: &[Mailbox], envelope_to: bool) -> String {
    let mut fields = String::with_capacity(2 * ROOM);
    // Writing to a String cannot fail.
    let _ = write!(fields, "Return-Path: {sender}\r\n");
    if let [recipient] = recipients {
        let _ = write!(fields, "Delivered-To: {recipient}\r\n");
    }
    if !envelope_to {
        return fields;
    }
    for (i, recipient) in recipients.iter().enumerate() {
        let before = if i == 0 { "Envelope-To: " } else { ",\r\n\t" };
        let _ = write!(fields, "{before}{recipient}");
    }
    fields + "\r\n"
}

/// The client's name, without characters that could begin a comment or another clause.
fn token(helo: &str) -> String {
    let safe = |c: char| if "()<>;,\\\" ".contains(c) { '?' } else { c };
    if helo.is_empty() { "unknown".into() } else { helo.chars().map(safe).collect() }
}

/// The usual length of a field for one recipient, in bytes.
const ROOM: usize = 256;
