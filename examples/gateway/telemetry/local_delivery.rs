//! The lines of the log for deliveries into a Maildir, in Exim's form:
//! `ID => ann <ann@example.com> R=localuser T=local_delivery DT=0.002s`.
//!
//! As in Exim, the second and further recipients of one file have `->`, and a delivery that failed for now
//! has `==`. A Maildir beside the store's, and quarantine, are told.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::{Mailbox, ReversePath};
use tracing::info;

use super::log::show;
use super::log_selector::{LogSelector, LogWord};
use crate::gateway::message::id::MessageId;

/// A file of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalDelivery<'a> {
    pub(crate) id: MessageId,
    pub(crate) sender: &'a ReversePath,
    /// The size of the file, in octets.
    pub(crate) size: usize,
    /// Its Maildir, unless that is the store's.
    pub(crate) maildir: Option<&'a Path>,
    pub(crate) quarantined: bool,
    /// The time of the delivery.
    pub(crate) took: Duration,
    /// Why it failed, if it did.
    pub(crate) failure: Option<&'a str>,
}

impl LocalDelivery<'_> {
    /// Writes a line for each recipient of the file.
    pub(crate) fn log(&self, recipients: &[Mailbox], selector: LogSelector) {
        for (at, recipient) in recipients.iter().enumerate() {
            let line = self.line(at, recipient, selector);
            let Self { id, size, quarantined, .. } = *self;
            let maildir = self.maildir.map(|path| tracing::field::display(path.display()));
            let (seconds, reason) = (self.took.as_secs_f64(), self.failure);
            let result = if self.failure.is_none() { "delivered" } else { "deferred" };
            info!(
                event = "delivery", %id, %recipient, result, transport = TRANSPORT, maildir, quarantined,
                size, seconds, reason, "{line}"
            );
        }
    }

    /// Returns the line of the recipient with this number, from 0.
    pub(crate) fn line(&self, at: usize, recipient: &Mailbox, selector: LogSelector) -> String {
        let sign = match (self.failure, at) {
            (Some(_), _) => "==",
            (None, 0) => "=>",
            (None, _) => "->",
        };
        let mut line = String::with_capacity(LINE_ROOM);
        let name = recipient.written_local_part();
        // Writing to a String cannot fail.
        let _ =
            write!(line, "{} {sign} {} <", self.id, Value::new(name.as_bytes(), Trust::Untrusted));
        show(&mut line, recipient);
        line.push('>');
        if selector.has(LogWord::SenderOnDelivery) {
            let sender = self.sender.to_string();
            let _ = write!(line, " F={}", Value::new(sender.as_bytes(), Trust::Untrusted));
        }
        let _ = write!(line, " R={ROUTER} T={TRANSPORT}");
        if selector.has(LogWord::DeliverySize) {
            let _ = write!(line, " S={}", self.size);
        }
        if let Some(maildir) = self.maildir {
            let quarantine = if self.quarantined { " quarantine" } else { "" };
            let path = maildir.display().to_string();
            let path = Value::new(path.as_bytes(), Trust::Untrusted);
            let _ = write!(line, " in{quarantine} {path}");
        }
        if selector.has(LogWord::DeliverTime) {
            let _ = write!(line, " DT={:.3}s", self.took.as_secs_f64());
        }
        if let Some(failure) = self.failure {
            let failure = Value::new(failure.as_bytes(), Trust::Untrusted).to_line();
            let _ = write!(line, " defer: {failure}");
        }
        line
    }
}

/// The names of Exim's default configuration, which events have too.
const ROUTER: &str = "localuser";
const TRANSPORT: &str = "local_delivery";
/// The usual length of a line, in bytes.
const LINE_ROOM: usize = 160;
