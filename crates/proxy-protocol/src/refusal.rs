//! Refuses a connection whose header failed, over SMTP.

use std::collections::VecDeque;

use mail_types::smtp::{Reply, ReplyCode};

use crate::unread::Unread;
use crate::{Limits, Receiver};

/// The way to refuse a connection whose header failed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RefusalMode {
    /// Close it without a reply, as section 2 of the specification asks: a server must not process
    /// a connection before it has a valid header.
    #[default]
    Drop,
    /// Send the banner, and then `503 Command refused, required Proxy negotiation failed` to every
    /// command but QUIT, as Exim does. This deviates from the specification: the client's
    /// administrator sees the cause, but the server talks to an unknown peer.
    QuitOnly,
}

/// The SMTP dialogue on a connection whose header failed.
///
/// It is a state machine without I/O. In the mode [`RefusalMode::Drop`] it is
/// [closed](Self::is_closed) from the start. In the other mode send the banner, feed the machine
/// with the client's bytes, send the replies from [`poll_reply`](Self::poll_reply), and close the
/// connection when the machine is closed and has no reply left. No order of calls panics.
///
/// The rest of the header is skipped, never read as a command: up to the line end in version 1, by
/// the length field in version 2. If the end of the header is unknown, as after the signature of
/// version 2 with another version number, the connection is closed in either mode. If the peer sent
/// no header at all, the rest of its first line is skipped.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use proxy_protocol::{Options, Receiver, Refusal, RefusalMode};
///
/// let (options, start) = (Options::default(), Instant::now());
/// let mut receiver = Receiver::new(options, start);
/// assert_eq!(receiver.handle_bytes(b"PROXY TCP4 192.0.2"), 18);
/// receiver.handle_time(start + Duration::from_secs(3));
///
/// let mut refusal = Refusal::new(RefusalMode::QuitOnly, &receiver);
/// refusal.handle_bytes(b".1 198.51.100.2 56324 25\r\nEHLO client.example\r\nquit\r\n");
/// let replies: Vec<_> = std::iter::from_fn(|| refusal.poll_reply()).map(|r| r.to_string()).collect();
/// assert_eq!(replies, [
///     "503 Command refused, required Proxy negotiation failed",
///     "221 closing connection",
/// ]);
/// assert!(refusal.is_closed());
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    limits: Limits,
    unread: Unread,
    /// The start of a line, enough of it to tell QUIT from other commands.
    line: Vec<u8>,
    commands: usize,
    bytes: usize,
    replies: VecDeque<Reply>,
    closed: bool,
}

impl Refusal {
    /// Starts after a header failed.
    #[must_use]
    pub fn new(mode: RefusalMode, receiver: &Receiver) -> Self {
        let unread = receiver.unread().clone();
        let closed = mode == RefusalMode::Drop || matches!(unread, Unread::Endless);
        Self {
            limits: receiver.options().limits,
            unread,
            line: Vec::new(),
            commands: 0,
            bytes: 0,
            replies: VecDeque::new(),
            closed,
        }
    }

    /// Takes the next bytes from the client; does nothing once closed.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        let room = self.limits.refused_bytes.saturating_sub(self.bytes);
        let too_many = bytes.len() > room;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        self.bytes += bytes.len();
        if self.closed {
            return;
        }
        for byte in self.unread.skip(bytes).unwrap_or_default() {
            match byte {
                _ if self.closed => return,
                b'\n' => self.handle_line(),
                byte if self.line.len() < LINE => self.line.push(byte),
                _ => {}
            }
        }
        self.closed |= matches!(self.unread, Unread::Endless);
        if too_many {
            self.close(ReplyCode::NOT_AVAILABLE, "too much input, closing connection");
        }
    }

    /// Takes the next reply to send.
    #[must_use = "a reply taken is not handed out again"]
    pub fn poll_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// Tells whether the caller closes the connection after the last reply.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn handle_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.trim_ascii_end().eq_ignore_ascii_case(b"QUIT") {
            return self.close(ReplyCode::CLOSING, "closing connection");
        }
        if self.commands == self.limits.refused_commands {
            return self.close(ReplyCode::NOT_AVAILABLE, "too many commands, closing connection");
        }
        self.commands += 1;
        let text = "Command refused, required Proxy negotiation failed";
        self.replies.push_back(Reply::new(ReplyCode::BAD_SEQUENCE, text));
    }

    fn close(&mut self, code: ReplyCode, text: &str) {
        if !self.closed {
            self.closed = true;
            self.replies.push_back(Reply::new(code, text));
        }
    }
}

/// The number of bytes kept of a line: QUIT with a blank and a CR, and one more.
const LINE: usize = 7;
