//! The parameters of `MAIL`, and the messages that a server cannot take.

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode, ReversePath};

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
        if self.utf8 && !offers.utf8 {
            return Err(CannotTake::Utf8);
        }
        if self.require_tls && !offers.require_tls {
            return Err(CannotTake::RequireTls);
        }
        if offers.size.is_some_and(|limit| limit > 0 && self.size > limit) {
            return Err(CannotTake::Size);
        }
        let mut line = format!("MAIL FROM:{sender}");
        if offers.size.is_some() && self.size > 0 {
            line.push_str(" SIZE=");
            line.push_str(&self.size.to_string());
        }
        for (given, parameter) in [
            (self.eight_bit && offers.eight_bit, " BODY=8BITMIME"),
            (self.utf8, " SMTPUTF8"),
            (self.require_tls, " REQUIRETLS"),
        ] {
            line.push_str(if given { parameter } else { "" });
        }
        Ok(line)
    }
}

/// The reason why a server cannot take a message; nothing was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CannotTake {
    /// An address needs `SMTPUTF8`, which the server does not offer.
    Utf8,
    /// `REQUIRETLS` is given, and the server does not offer it inside TLS.
    RequireTls,
    /// The message is larger than the server's limit.
    Size,
    /// The message has octets above 127, and the server does not offer `8BITMIME`.
    EightBit,
    /// The message has a bare CR or LF.
    BareLineEnd,
}

impl CannotTake {
    /// Returns the reply for the client of a relay.
    pub(crate) fn reply(self) -> Reply {
        let (code, enhanced, text) = match self {
            // RFC 6531 section 3.5.
            Self::Utf8 => (
                ReplyCode::NAME_NOT_ALLOWED,
                EnhancedCode::of::<5, 6, 7>(),
                "the next hop does not support SMTPUTF8",
            ),
            // RFC 8689 section 5.
            Self::RequireTls => (
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::of::<5, 7, 30>(),
                "the next hop does not support REQUIRETLS",
            ),
            Self::Size => (
                ReplyCode::TOO_LARGE,
                EnhancedCode::of::<5, 3, 4>(),
                "message too large for the next hop",
            ),
            // RFC 6152 section 3: convert it, or refuse it.
            Self::EightBit => (
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 6, 3>(),
                "the next hop does not support 8-bit text",
            ),
            Self::BareLineEnd => (
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 6, 0>(),
                "message has a line end other than CRLF",
            ),
        };
        say(code, enhanced, text)
    }
}
