//! One message's envelope and text, from `MAIL` to the reply that ends it.

use mail_types::{Mailbox, ReplyCode, ReversePath};

use super::framing::Body;
use super::header::Header;

/// A transaction under way.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) sender: ReversePath,
    /// Those that were accepted, in the order of their `RCPT`.
    pub(crate) recipients: Vec<Mailbox>,
    /// The code that each of them was accepted with.
    pub(crate) codes: Vec<ReplyCode>,
    /// How many octets the client said it would send; 0 if it did not.
    pub(crate) size: u64,
    /// Whether `BODY=8BITMIME` was given.
    pub(crate) eight_bit: bool,
    /// Whether `SMTPUTF8` was given.
    pub(crate) utf8: bool,
    /// Whether `PRDR` was given.
    pub(crate) prdr: bool,
    /// The message, once `DATA` or `BDAT` has begun it.
    pub(crate) body: Option<Body>,
}

impl Transaction {
    /// Starts without recipients.
    pub(crate) fn new(sender: ReversePath) -> Self {
        Self {
            sender,
            recipients: Vec::new(),
            codes: Vec::new(),
            size: 0,
            eight_bit: false,
            utf8: false,
            prdr: false,
            body: None,
        }
    }

    /// Adds a recipient that was accepted with a reply of this code.
    pub(crate) fn add(&mut self, recipient: Mailbox, code: ReplyCode) {
        self.recipients.push(recipient);
        self.codes.push(code);
    }
}

/// Counts the `Received` fields of a message: how many hosts it came through (RFC 5321 section 6.3).
pub(crate) fn hops(message: &[u8]) -> usize {
    Header::of(message).bodies("Received").count()
}
