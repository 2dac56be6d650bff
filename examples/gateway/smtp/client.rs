//! An SMTP session on the client side: RFC 5321, without I/O.
//!
//! Begin an operation, such as [`Client::hello`], and carry out the steps of [`Client::poll`] until its
//! result. Before each call of it, hand in all octets that have arrived: a server that speaks out of turn
//! is not believed. A message counts as delivered by the last reply only.

mod commands;
mod content;
mod declared;
mod delivery;
mod lost;
mod offers;
mod replies;
mod settings;
mod transfer;

use std::collections::VecDeque;
use std::time::Instant;

use mail_types::smtp::{Mailbox, Reply, ReversePath};

use super::framing::Input;
pub(crate) use declared::Needs;
pub use declared::{CannotTake, Declared};
pub use delivery::{Delivery, RecipientResult};
pub use lost::Lost;
pub(crate) use offers::Offers;
pub use settings::{ClientLimits, ClientSettings};
use transfer::Transfer;

/// The next action for the driver of a [`Client`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientStep {
    /// Write the [output](Client::output), then call [`Client::handle_sent`]; after this time, call
    /// [`Client::handle_timeout`].
    Send(Instant),
    /// Hand in the octets that arrive; after this time, call [`Client::handle_timeout`].
    Read(Instant),
    /// Do the TLS handshake, then call [`Client::handle_tls`].
    StartTls(Instant),
    /// The operation has ended with this reply.
    Replied(Reply),
    /// The message has this result.
    Finished(Delivery),
    /// The session cannot continue, for this reason.
    Lost(Lost),
    /// Begin an operation.
    Idle,
}

/// A running session. No order of calls panics.
///
/// An operation that begins before the last one has ended loses the session.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    input: Input,
    /// The length of the whole lines in `input` that are no whole reply.
    seen: usize,
    /// Whether the server has closed the connection.
    ended: bool,
    output: Vec<u8>,
    /// The commands whose replies are due, in order; the last ones are not sent.
    due: VecDeque<Due>,
    unsent: usize,
    /// The time limit of the next reply.
    reply_by: Instant,
    offers: Offers,
    /// The last reply to `EHLO`.
    ehlo: Option<Reply>,
    secured: bool,
    /// The last command, or what takes its place.
    stage: String,
    transaction: Transaction,
    transfer: Option<Transfer>,
    lost: Option<Lost>,
}

/// Replies that are awaited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Reset,
    Mail,
    /// Of this recipient among those of the operation.
    Recipient(usize),
    Data,
    /// After the message.
    Message,
    Quit,
}

/// A transaction, as the server knows it.
#[derive(Debug, Default)]
struct Transaction {
    /// Whether the server has accepted `MAIL`, and the transaction has not ended.
    open: bool,
    /// The `MAIL` command without `PRDR`.
    mail: String,
    prdr: bool,
    /// The recipients: those accepted, or all of [`Client::transact`].
    recipients: Vec<Mailbox>,
    /// The recipient of the current command.
    candidate: Option<Mailbox>,
}

impl Client {
    /// Starts with a new connection; the first result is the greeting.
    #[must_use]
    pub fn new(settings: ClientSettings, now: Instant) -> Self {
        let mut client = Self {
            settings,
            input: Input::default(),
            seen: 0,
            ended: false,
            output: Vec::new(),
            due: VecDeque::from([Due::Greeting]),
            unsent: 0,
            reply_by: now,
            offers: Offers::default(),
            ehlo: None,
            secured: false,
            stage: "initial connection".to_owned(),
            transaction: Transaction::default(),
            transfer: None,
            lost: None,
        };
        client.reply_by = client.by(now, client.settings.limits.greeting);
        client
    }

    /// Sends `EHLO`, and `HELO` if the server does not know it.
    pub fn hello(&mut self) {
        self.operate(Due::Ehlo);
    }

    /// Sends `STARTTLS`. The result is [`ClientStep::StartTls`], or the reply that refuses it.
    pub fn start_tls(&mut self) {
        self.operate(Due::StartTls);
    }

    /// The handshake is done. Nothing that the server said before counts; say [`hello`](Self::hello)
    /// again.
    pub fn handle_tls(&mut self) {
        (self.secured, self.offers, self.ehlo) = (true, Offers::default(), None);
        self.transaction = Transaction::default();
    }

    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// The reason why this server cannot take the message; nothing is sent.
    pub fn mail(&mut self, sender: &ReversePath, declared: Declared) -> Result<(), CannotTake> {
        self.stage.clear();
        let declared = declared.for_addresses(sender, &[]);
        self.transaction.mail = declared.command(sender, &self.offers)?;
        self.transaction.prdr = declared.prdr && self.offers.prdr;
        self.operate(Due::Mail);
        Ok(())
    }

    /// Adds a recipient.
    ///
    /// # Errors
    ///
    /// The reason why this server cannot take the recipient; nothing is sent.
    pub fn rcpt(&mut self, recipient: &Mailbox) -> Result<(), CannotTake> {
        self.stage.clear();
        if recipient.needs_utf8() && !self.offers.utf8 {
            return Err(CannotTake::Utf8);
        }
        self.transaction.candidate = Some(recipient.clone());
        self.operate(Due::Recipient(0));
        Ok(())
    }

    /// Sends `QUIT`.
    pub fn quit(&mut self) {
        self.operate(Due::Quit);
    }

    /// Takes octets that have arrived.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if self.input.rest().len().saturating_add(bytes.len()) > MAX_INPUT {
            return self.lose(Lost::Malformed);
        }
        self.input.push(bytes);
    }

    /// The server has closed the connection, or reading or writing has failed.
    pub fn handle_end(&mut self) {
        self.ended = true;
    }

    /// The output was written.
    pub fn handle_sent(&mut self, now: Instant) {
        self.output.clear();
        self.unsent = 0;
        self.expect_next(now);
    }

    /// The time limit of the last step has passed.
    pub fn handle_timeout(&mut self) {
        self.lose(Lost::Slow);
    }

    /// Returns the octets to write.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Tells whether to hand in more octets before the next [`poll`](Self::poll), if any have arrived.
    #[must_use]
    pub(crate) fn has_room(&self) -> bool {
        !self.ended && self.input.rest().len() < ENOUGH
    }

    /// Returns how many octets of memory it has for input and output.
    #[must_use]
    pub fn held(&self) -> usize {
        self.input.capacity().saturating_add(self.output.capacity())
    }

    /// Returns the next step.
    pub fn poll(&mut self, now: Instant) -> ClientStep {
        loop {
            if let Some(lost) = self.lost.clone() {
                return self.finish_lost(lost);
            }
            let awaited = self.due.len() > self.unsent;
            if awaited && let Some(reply) = self.take_reply() {
                match self.handle_reply(reply, now) {
                    Some(step) => return step,
                    None => continue,
                }
            }
            if self.lost.is_none() && self.output.is_empty() && self.due.is_empty() {
                if let Some(delivery) = self.take_finished() {
                    return ClientStep::Finished(delivery);
                }
                self.prepare();
            }
            if self.lost.is_none() && self.output.is_empty() && self.due.is_empty() {
                return ClientStep::Idle;
            }
            if self.lost.is_none() && self.may_go_on(now) {
                return self.next_step(now);
            }
        }
    }

    /// Returns the last command, `initial connection`, or `end of data`; it is empty if this host has
    /// refused the last operation itself.
    pub(crate) fn stage(&self) -> &str {
        &self.stage
    }

    /// Tells whether the session is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Sets the end of the whole session.
    pub(crate) fn set_until(&mut self, until: Option<Instant>) {
        self.settings.until = until;
    }

    /// Returns the extensions of the server.
    pub(crate) fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Tells whether messages go by `BDAT`.
    pub(crate) fn uses_chunking(&self) -> bool {
        self.settings.try_chunking && self.offers.chunking
    }

    /// Returns the last reply to `EHLO`.
    pub(crate) fn ehlo(&self) -> Option<&Reply> {
        self.ehlo.as_ref()
    }

    /// Returns the recipients of the transaction, without those refused one by one.
    pub(crate) fn recipients(&self) -> &[Mailbox] {
        &self.transaction.recipients
    }
}

/// The most octets that are kept: a whole reply of the greatest length, and one read more.
const MAX_INPUT: usize = Reply::MAX_LINES * Reply::MAX_LINE_READ + 2 * ENOUGH;
/// The octets of replies after which they are parsed before more is read.
const ENOUGH: usize = 16 << 10;
