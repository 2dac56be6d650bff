//! The settings of an SMTP session on the client side.

use std::time::{Duration, Instant};

use mail_types::smtp::MailHost;

/// The name of this host, the extensions to use, and the time limits.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The name of this host in `EHLO` and `HELO`.
    pub helo: MailHost,
    /// Whether `PRDR` is requested where it is offered.
    pub try_prdr: bool,
    /// Whether a message is sent by `BDAT` where `CHUNKING` is offered.
    pub try_chunking: bool,
    /// The time limits of the steps.
    pub limits: ClientLimits,
    /// The end of the whole session.
    pub until: Option<Instant>,
}

/// The time limits of the steps; the defaults are those of RFC 5321 section 4.5.3.2, if any.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// For the first reply. Default 5 minutes.
    pub greeting: Duration,
    /// For the reply to `EHLO`, `HELO`, `STARTTLS`, `MAIL`, `RCPT` and `RSET`, and for the handshake of
    /// TLS. Default 5 minutes.
    pub command: Duration,
    /// For the reply to `DATA`. Default 2 minutes.
    pub data: Duration,
    /// For the server to take a block of the message, or commands. Default 3 minutes.
    pub block: Duration,
    /// For each reply to the end of the message (draft-hall-prdr-00 sections 4.5.1 to 4.5.3 too).
    /// Default 10 minutes.
    pub end: Duration,
    /// For the reply to `QUIT`, which has no effect. Default 2 s, which the RFC does not specify.
    pub quit: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            greeting: Duration::from_mins(5),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            block: Duration::from_mins(3),
            end: Duration::from_mins(10),
            quit: Duration::from_secs(2),
        }
    }
}
