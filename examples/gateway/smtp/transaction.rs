//! The envelope and text of one message, from `MAIL` to its final reply.

use mail_types::smtp::{Header, Mailbox, Reply, ReplyCode, ReversePath, Severity};

use super::framing::Body;

/// A running transaction.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of MAIL")]
pub struct Transaction {
    pub(crate) sender: ReversePath,
    /// The accepted recipients, in the order of their `RCPT`.
    pub recipients: Vec<Mailbox>,
    /// The code of the reply to each of them.
    pub(crate) codes: Vec<ReplyCode>,
    /// The `SIZE` that the client announced; 0 without one.
    pub(crate) size: u64,
    /// Whether `BODY=8BITMIME` was given.
    pub(crate) eight_bit: bool,
    /// Whether `SMTPUTF8` was given.
    pub(crate) utf8: bool,
    /// Whether `PRDR` was given.
    pub prdr: bool,
    /// Whether `REQUIRETLS` was given: no host may get the message without authenticated TLS.
    pub(crate) require_tls: bool,
    /// The message, once `DATA` or `BDAT` has begun it.
    pub(crate) body: Option<Body>,
    /// The `RCPT` commands.
    pub(crate) rcpts: RcptCounts,
    /// The reason not to count it if it ends without a message.
    pub(crate) in_vain: Option<InVain>,
    /// The memory of the recipients, in octets.
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
            require_tls: false,
            body: None,
            rcpts: RcptCounts::default(),
            in_vain: None,
            addresses: 0,
        }
    }

    /// Adds a recipient, accepted with this code.
    pub(crate) fn add(&mut self, recipient: Mailbox, code: ReplyCode) {
        self.addresses += recipient.local_part().len() + RECIPIENT;
        self.recipients.push(recipient);
        self.codes.push(code);
    }

    /// Returns a recipient by its number, from 0 in the order of `RCPT`. The session and the rules count
    /// the same recipients: an unknown number is a fault of this program.
    pub(crate) fn recipient(&self, number: usize) -> Option<&Mailbox> {
        let found = self.recipients.get(number);
        debug_assert!(found.is_some(), "recipient {number} of {}", self.recipients.len());
        found
    }

    /// Returns its approximate memory, in octets.
    pub(crate) fn held(&self) -> usize {
        self.addresses + self.body.as_ref().map_or(0, Body::capacity)
    }

    /// Completes the message, and decides once whether it has a header section. It has none if its first
    /// line is not a field: then an empty line is inserted, so that the text does not continue the last
    /// trace field before it.
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

/// The numbers of `RCPT` commands in a transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct RcptCounts {
    /// All of them.
    pub(crate) all: u32,
    /// Those refused for good.
    pub(crate) failed: u32,
    /// Those refused for now.
    pub(crate) deferred: u32,
}

impl RcptCounts {
    pub(crate) fn begin(&mut self) {
        self.all = self.all.saturating_add(1);
    }

    /// Counts the reply of one that is refused.
    pub(crate) fn refuse(&mut self, reply: &Reply) {
        let count = match reply.code().severity() {
            Severity::Transient => &mut self.deferred,
            _ => &mut self.failed,
        };
        *count = count.saturating_add(1);
    }
}

/// The reason not to count a transaction without a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InVain {
    /// A recipient was refused, which has counted.
    Refused,
    /// A recipient was deferred.
    Deferred,
}

/// Tells whether the header section of a message is longer than `limit`; reads at most that much.
pub(crate) fn header_is_longer(message: &[u8], limit: usize) -> bool {
    // With the empty line after it.
    let start = message.get(..limit.saturating_add(2)).unwrap_or(message);
    Header::of(start).text.len() > limit
}

/// Counts the `Received` fields of a message, one for each hop (RFC 5321 section 6.3).
pub(crate) fn hops(message: &[u8]) -> usize {
    Header::of(message).bodies("Received").count()
}

/// The memory of a recipient beside its local part, in octets: its domain, which may be shared, and
/// the structures around it.
const RECIPIENT: usize = 256;
