//! The parameters of `MAIL`, and the reasons why a server cannot take a message.

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode, ReversePath};
use thiserror::Error;

use super::offers::Offers;
use crate::gateway::smtp::replies::say;

/// The parameters of `MAIL`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "parameters are independent")]
pub struct Declared {
    /// The announced size in octets; 0 without one.
    pub size: u64,
    /// Whether to give `BODY=8BITMIME`.
    pub eight_bit: bool,
    /// Whether to give `SMTPUTF8`.
    pub utf8: bool,
    /// Whether to give `PRDR`.
    pub prdr: bool,
    /// Whether to give `REQUIRETLS`.
    pub require_tls: bool,
}

impl Declared {
    /// Returns the needs of a message from this sender whose content is not known.
    pub(crate) fn needs(self, sender: &ReversePath) -> Needs {
        let utf8 = self.utf8 || sender.mailbox().is_some_and(Mailbox::needs_utf8);
        Needs { size: self.size, eight_bit: false, utf8 }
    }

    /// Adds what the addresses need.
    pub(super) fn for_addresses(self, sender: &ReversePath, recipients: &[Mailbox]) -> Self {
        let mut addresses = sender.mailbox().into_iter().chain(recipients);
        Self { utf8: self.utf8 || addresses.any(Mailbox::needs_utf8), ..self }
    }

    /// Returns `MAIL` with all parameters but `PRDR`, for a server with these extensions.
    pub(super) fn command(
        self,
        sender: &ReversePath,
        offers: &Offers,
    ) -> Result<String, CannotTake> {
        Needs { size: self.size, eight_bit: false, utf8: self.utf8 }.check(offers)?;
        // RFC 8689 section 5: a bounce goes on without it.
        if self.require_tls && !offers.require_tls && sender.mailbox().is_some() {
            return Err(CannotTake::RequireTls);
        }
        let mut line = format!("MAIL FROM:{sender}");
        if offers.size.is_some() && self.size > 0 {
            line.push_str(" SIZE=");
            line.push_str(&self.size.to_string());
        }
        for (given, parameter) in [
            (self.eight_bit && offers.eight_bit, " BODY=8BITMIME"),
            (self.utf8, " SMTPUTF8"),
            (self.require_tls && offers.require_tls, " REQUIRETLS"),
        ] {
            line.push_str(if given { parameter } else { "" });
        }
        Ok(line)
    }
}

/// The size and the extensions that a server must have for a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// The size in octets; 0 where it is unknown.
    pub(crate) size: u64,
    /// Whether the message has octets above 127.
    pub(crate) eight_bit: bool,
    /// Whether an address needs `SMTPUTF8`.
    pub(crate) utf8: bool,
}

impl Needs {
    /// Tells whether a server with these extensions can take the message.
    pub(crate) fn check(self, offers: &Offers) -> Result<(), CannotTake> {
        if self.utf8 && !offers.utf8 {
            return Err(CannotTake::Utf8);
        }
        if offers.size.is_some_and(|limit| limit > 0 && self.size > limit) {
            return Err(CannotTake::Size);
        }
        if self.eight_bit && !offers.eight_bit {
            return Err(CannotTake::EightBit);
        }
        Ok(())
    }
}

/// The reason why a server cannot take a message; nothing was sent.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum CannotTake {
    /// An address needs `SMTPUTF8`, which the server does not offer.
    #[error("the next hop does not support SMTPUTF8")]
    Utf8,
    /// `REQUIRETLS` is given, and the server does not offer it inside TLS.
    #[error("the next hop does not support REQUIRETLS")]
    RequireTls,
    /// The message is larger than the server's limit.
    #[error("message too large for the next hop")]
    Size,
    /// The message has octets above 127, and the server does not offer `8BITMIME`.
    #[error("the next hop does not support 8-bit text")]
    EightBit,
    /// The message has a bare CR or LF.
    #[error("message has a line end other than CRLF")]
    BareLineEnd,
}

impl CannotTake {
    /// Returns the reply for the client of a relay.
    pub(crate) fn reply(self) -> Reply {
        let (code, enhanced) = match self {
            // RFC 6531 section 3.5.
            Self::Utf8 => (ReplyCode::NAME_NOT_ALLOWED, EnhancedCode::of::<5, 6, 7>()),
            // RFC 8689 section 5.
            Self::RequireTls => (ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::of::<5, 7, 30>()),
            Self::Size => (ReplyCode::TOO_LARGE, EnhancedCode::of::<5, 3, 4>()),
            // RFC 6152 section 3: convert it, or refuse it.
            Self::EightBit => (ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 6, 3>()),
            Self::BareLineEnd => (ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 6, 0>()),
        };
        say(code, enhanced, &self.to_string())
    }
}
