//! The header fields that a server adds to a message: RFC 5321 section 4.4.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use mail_types::{Mailbox, ReversePath, Trust, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::id::MessageId;
use crate::gateway::smtp::peer::{Client, protocol};
use crate::gateway::smtp::session::Greeting;
use crate::gateway::smtp::transaction::Transaction;

/// Writes the `Received` field of a message for these of the transaction's recipients.
pub(crate) fn received(
    host: &str,
    id: MessageId,
    client: &Client,
    greeting: &Greeting,
    transaction: &Transaction,
    recipients: &[Mailbox],
    now: SystemTime,
) -> String {
    let helo = Value::new(greeting.name.as_bytes(), Trust::Untrusted).to_string();
    let protocol = protocol(greeting, transaction.utf8);
    let date = OffsetDateTime::from(now).format(&Rfc2822).unwrap_or_default();
    let mut field = String::with_capacity(ROOM);
    field.extend(["Received: from ", &token(&helo), " ("]);
    // Writing to a String cannot fail.
    let _ = client.host_name.iter().try_for_each(|name| write!(field, "{name} "));
    let _ = match client.address.ip().to_canonical() {
        IpAddr::V4(address) => write!(field, "[{address}])\r\n"),
        IpAddr::V6(address) => write!(field, "[IPv6:{address}])\r\n"),
    };
    let _ = write!(field, "\tby {host} with {protocol} id {id}");
    if let [recipient] = recipients {
        let _ = write!(field, "\r\n\tfor <{recipient}>");
    }
    field.extend(["; ", &date, "\r\n"]);
    field
}

/// Writes the fields of final delivery: `Return-Path`, and for whom the one copy is.
pub(crate) fn delivery(sender: &ReversePath, recipients: &[Mailbox]) -> String {
    let mut fields = String::with_capacity(2 * ROOM);
    // Writing to a String cannot fail.
    let _ = write!(fields, "Return-Path: {sender}\r\n");
    for (i, recipient) in recipients.iter().enumerate() {
        let before = if i == 0 { "Envelope-To: " } else { ",\r\n\t" };
        let _ = write!(fields, "{before}{recipient}");
    }
    fields + "\r\n"
}

/// What the client called itself, without what could be taken for a comment or another clause.
fn token(helo: &str) -> String {
    let safe = |c: char| if "()<>;,\\\" ".contains(c) { '?' } else { c };
    if helo.is_empty() { "unknown".into() } else { helo.chars().map(safe).collect() }
}

/// What a field for one recipient seldom goes beyond, in bytes.
const ROOM: usize = 256;
