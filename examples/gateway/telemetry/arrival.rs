//! The line of the log for an accepted message, in Exim's form: `ID <= SENDER H=… P=… S=… for RECIPIENT …`.

use std::fmt::Write as _;
use std::time::Duration;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::Mailbox;
use tracing::info;

use super::log::{sender, show};
use super::log_selector::{LogSelector, LogWord};
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::peer::{Client, Host, protocol};
use crate::gateway::smtp::session::Session;

/// An accepted message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) id: MessageId,
    pub(crate) client: &'a Client,
    /// Those who have it.
    pub(crate) recipients: &'a [Mailbox],
    /// Its size, in octets.
    pub(crate) size: usize,
    /// The time from `MAIL` to the acceptance.
    pub(crate) took: Option<Duration>,
    /// Its subject, decoded, if that is selected.
    pub(crate) subject: Option<&'a [u8]>,
    /// Its `Message-ID`, if that is selected.
    pub(crate) message_id: Option<&'a [u8]>,
}

impl Arrival<'_> {
    /// Writes the line and, for the JSON form, its fields.
    pub(crate) fn log(&self, session: &Session, selector: LogSelector) {
        let Some(sender) = sender(session) else { return };
        let Some((line, end)) = self.line(session, &sender, selector) else { return };
        // The fields have the recipients in any case.
        let (short, recipients) = line.split_at(end);
        let line = if selector.has(LogWord::ReceivedRecipients) { &line } else { short };
        let recipients = recipients.strip_prefix(" for ").unwrap_or_default();
        let greeting = session.greeting();
        let utf8 = session.transaction().is_some_and(|transaction| transaction.utf8);
        let (host, helo) = (self.client.address.ip(), greeting.name.as_str());
        let (id, size, protocol) = (self.id, self.size, protocol(greeting, utf8));
        let cipher = self.client.tls.as_ref().and_then(|tls| tls.cipher.as_deref());
        info!(
            event = "arrival", %id, sender, %host, helo, size, recipients, protocol, cipher, "{line}"
        );
    }

    /// Returns the line with its recipients, and the position at which they begin.
    pub(crate) fn line(
        &self,
        session: &Session,
        sender: &str,
        selector: LogSelector,
    ) -> Option<(String, usize)> {
        let (greeting, transaction) = (session.greeting(), session.transaction()?);
        let mut line = String::with_capacity(LINE_ROOM);
        // Writing to a String cannot fail.
        let _ = write!(line, "{} <= {sender} H={}", self.id, Host(self.client, greeting));
        self.connection(&mut line, protocol(greeting, transaction.utf8), selector);
        let _ = write!(line, " S={}", self.size);
        if let Some(took) = self.took.filter(|_| selector.has(LogWord::ReceiveTime)) {
            let _ = write!(line, " RT={:.3}s", took.as_secs_f64());
        }
        if let Some(id) = self.message_id {
            let id = id.trim_ascii();
            let bare = id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">"));
            let id = cut(bare.unwrap_or(id));
            let _ = write!(line, " id={}", Value::new(id, Trust::Untrusted));
        }
        if let Some(subject) = self.subject {
            let _ = write!(line, " T=\"{}\"", quoted(subject));
        }
        if selector.has(LogWord::ReceivedSender) {
            let path = if sender == "<>" { "" } else { sender };
            let _ = write!(line, " from <{path}>");
        }
        let end = line.len();
        line.push_str(" for");
        for recipient in self.recipients.iter().take(MAX_RECIPIENTS) {
            line.push(' ');
            show(&mut line, recipient);
        }
        if let Some(more) = self.recipients.len().checked_sub(MAX_RECIPIENTS).filter(|n| *n > 0) {
            let _ = write!(line, " and {more} more");
        }
        Some((line, end))
    }

    /// Writes the parts about the connection.
    fn connection(&self, line: &mut String, protocol: &str, selector: LogSelector) {
        let Client { address, server, proxy, tls, .. } = self.client;
        if selector.has(LogWord::IncomingPort) {
            let _ = write!(line, ":{}", address.port());
        }
        if selector.has(LogWord::IncomingInterface) {
            let _ = write!(line, " I=[{}]:{}", server.ip(), server.port());
        }
        line.push_str(" P=");
        line.extend(protocol.chars().map(|c| c.to_ascii_lowercase()));
        let cipher = tls.as_ref().and_then(|tls| tls.cipher.as_deref());
        if let Some(cipher) = cipher.filter(|_| selector.has(LogWord::TlsCipher)) {
            let _ = write!(line, " X={cipher}");
        }
        if cipher.is_some() && selector.has(LogWord::TlsCertificateVerified) {
            line.push_str(if self.client.is_verified() { " CV=yes" } else { " CV=no" });
        }
        let certificate = self.client.certificate();
        if let Some(certificate) = certificate.filter(|_| selector.has(LogWord::TlsPeerdn)) {
            let _ = write!(line, " DN=\"{}\"", quoted(certificate.subject.as_bytes()));
        }
        if let Some(name) = self.client.sni().filter(|_| selector.has(LogWord::TlsSni)) {
            let _ = write!(line, " SNI={}", Value::new(name.as_bytes(), Trust::Untrusted));
        }
        if let Some(proxy) = proxy.filter(|_| selector.has(LogWord::Proxy)) {
            let _ = write!(line, " PRX={}", proxy.ip());
        }
    }
}

/// A text between quotes, with a backslash before each quote and backslash.
fn quoted(text: &[u8]) -> String {
    let text = Value::new(cut(text), Trust::Untrusted).to_line();
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Cuts a text of a client: a log may split a line that is too long.
fn cut(text: &[u8]) -> &[u8] {
    text.get(..MAX_TEXT).unwrap_or(text)
}

/// The most octets of a text of a client, and the most recipients; each recipient has a line of its delivery, too.
const MAX_TEXT: usize = 1000;
const MAX_RECIPIENTS: usize = 100;
/// The usual length of a line for one recipient, in bytes.
const LINE_ROOM: usize = 256;
