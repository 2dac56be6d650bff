//! One message's envelope and text, from `MAIL` to the reply that ends it.

use mail_types::smtp::{Header, Mailbox, ReplyCode, ReversePath};

use super::framing::Body;

/// A transaction under way.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) sender: ReversePath,
    /// Those that were accepted, in the order of their `RCPT`.
    pub recipients: Vec<Mailbox>,
    /// The code that each of them was accepted with.
    pub(crate) codes: Vec<ReplyCode>,
    /// How many octets the client said it would send; 0 if it did not.
    pub(crate) size: u64,
    /// Whether `BODY=8BITMIME` was given.
    pub(crate) eight_bit: bool,
    /// Whether `SMTPUTF8` was given.
    pub(crate) utf8: bool,
    /// Whether `PRDR` was given.
    pub prdr: bool,
    /// The message, once `DATA` or `BDAT` has begun it.
    pub(crate) body: Option<Body>,
    /// Why it would not count, if it ended without a message.
    pub(crate) in_vain: Option<InVain>,
    /// How many octets the recipients take.
    addresses: usize,
}

impl Transaction {
    /// Starts without recipients.
    #[must_use]
    pub fn new(sender: ReversePath) -> Self {
        Self {
            sender,
            recipients: Vec::new(),
            codes: Vec::new(),
            size: 0,
            eight_bit: false,
            utf8: false,
            prdr: false,
            body: None,
            in_vain: None,
            addresses: 0,
        }
    }

    /// Adds a recipient that was accepted with a reply of this code.
    pub(crate) fn add(&mut self, recipient: Mailbox, code: ReplyCode) {
        self.addresses += recipient.local_part().len() + RECIPIENT;
        self.recipients.push(recipient);
        self.codes.push(code);
    }

    /// Returns the recipient of a number, from 0 in the order of `RCPT`. Numbers come from the session
    /// and from rules, which count the same recipients: without one, that is a fault of ours.
    pub(crate) fn recipient(&self, number: usize) -> Option<&Mailbox> {
        let found = self.recipients.get(number);
        debug_assert!(found.is_some(), "recipient {number} of {}", self.recipients.len());
        found
    }

    /// Returns how many octets of memory it has, about.
    pub(crate) fn held(&self) -> usize {
        self.addresses + self.body.as_ref().map_or(0, Body::capacity)
    }

    /// Takes note that the message has come whole, and decides once for all who read it whether it has
    /// a header section. One whose first line is no field has none: an empty line is put before it, or
    /// it would go on with the last field that stands before it.
    pub(crate) fn complete(&mut self) {
        if let Some(body) = &mut self.body
            && Header::is_missing(body.bytes())
        {
            body.begin_with_empty_line();
        }
    }

    /// Tells whether the message came without a header section.
    pub fn is_headless(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_headless)
    }
}

/// Why a transaction without a message does not count as one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InVain {
    /// One of its recipients was refused, and has counted.
    Refused,
    /// One of them was put off.
    Deferred,
}

/// Tells whether the header section of a message is longer than this; reads no more than that.
pub(crate) fn header_is_longer(message: &[u8], limit: usize) -> bool {
    // The empty line behind the longest one.
    let start = message.get(..limit.saturating_add(2)).unwrap_or(message);
    Header::of(start).text.len() > limit
}

/// Counts the `Received` fields of a message: how many hosts it came through (RFC 5321 section 6.3).
pub(crate) fn hops(message: &[u8]) -> usize {
    Header::of(message).bodies("Received").count()
}

/// What a recipient takes beside its local part, in octets: its domain, which may be shared, and what
/// keeps them together.
const RECIPIENT: usize = 256;
