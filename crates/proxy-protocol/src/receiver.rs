//! Receives a header in pieces.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

#[cfg(feature = "mail")]
use crate::unread::Unread;
use crate::{Failure, Header, HeaderError, HeaderOutcome, Options, v1};

/// The start of a connection whose peer must send a header.
///
/// It is a state machine without I/O. Until it has an [`outcome`](Self::outcome), feed it with
/// every input: bytes, the end of the input, or the time once its [`deadline`](Self::deadline) has
/// come. A program that must leave the bytes after the header in the socket, as for TLS, reads at
/// most [`needed`](Self::needed) bytes at a time. No order of calls panics; after the outcome, no
/// call changes anything.
///
/// ```
/// use std::time::Instant;
///
/// use proxy_protocol::{Options, HeaderOutcome, Receiver};
///
/// let mut receiver = Receiver::new(Options::default(), Instant::now());
/// assert_eq!(receiver.handle_bytes(b"PROXY UNK"), 9);
/// assert_eq!(receiver.needed(), 6);
/// assert_eq!(receiver.outcome(), None);
///
/// // The bytes after the header stay with the caller.
/// assert_eq!(receiver.handle_bytes(b"NOWN\r\nEHLO"), 6);
/// assert_eq!(receiver.outcome(), Some(&HeaderOutcome::Unknown));
/// assert_eq!(receiver.needed(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    options: Options,
    deadline: Instant,
    received: Vec<u8>,
    needed: Option<NonZeroUsize>,
    outcome: Option<HeaderOutcome>,
    #[cfg(feature = "mail")]
    unread: Unread,
}

impl Receiver {
    /// Starts with a new connection at the time `now`.
    #[must_use]
    pub fn new(options: Options, now: Instant) -> Self {
        let needed = match Header::parse_with(&[], &options) {
            Err(HeaderError::Incomplete { needed }) => Some(needed),
            _ => None,
        };
        // A year replaces a time that the clock cannot express.
        let deadline = now.checked_add(options.limits.time).or_else(|| now.checked_add(YEAR));
        let deadline = deadline.unwrap_or(now);
        Self {
            options,
            deadline,
            received: Vec::new(),
            needed,
            outcome: None,
            #[cfg(feature = "mail")]
            unread: Unread::default(),
        }
    }

    /// Takes the next bytes, and returns the number of bytes it used. The bytes after these belong
    /// to the caller.
    ///
    /// It uses all bytes while the header is incomplete or when it fails, the bytes of the header when it
    /// is complete, and none after that.
    #[must_use = "the bytes that were not used are the client's first ones"]
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> usize {
        if self.outcome.is_some() {
            return 0;
        }
        let before = self.received.len();
        // An incomplete header has fewer bytes than the longest one.
        let room = self.options.limits.header.max(v1::MAX_LINE) - before;
        let (kept, beyond) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.received.extend_from_slice(kept);
        match Header::parse_with(&self.received, &self.options) {
            Ok((rest, header)) => {
                self.outcome = Some(HeaderOutcome::from(&header));
                let used = self.received.len() - rest.len();
                self.received.truncate(used);
                return used - before;
            }
            Err(HeaderError::Incomplete { needed }) => self.needed = Some(needed),
            Err(error) => self.fail(Failure::Header(error), beyond),
        }
        bytes.len()
    }

    /// The input has ended: an incomplete header fails.
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// use proxy_protocol::{Failure, Options, Receiver};
    ///
    /// let mut receiver = Receiver::new(Options::default(), Instant::now());
    /// assert!(receiver.deadline().is_some());
    /// let _ = receiver.handle_bytes(b"PROXY");
    /// receiver.handle_end();
    /// let failure = receiver.outcome().and_then(|outcome| outcome.failure());
    /// assert_eq!(failure, Some(Failure::EndOfInput { received: 5 }));
    /// assert_eq!(receiver.deadline(), None);
    /// ```
    pub fn handle_end(&mut self) {
        self.fail(Failure::EndOfInput { received: self.received.len() }, &[]);
    }

    /// Hands in the time: from the deadline on, an incomplete header fails.
    pub fn handle_time(&mut self, now: Instant) {
        if now >= self.deadline {
            self.fail(Failure::TimedOut { received: self.received.len() }, &[]);
        }
    }

    /// Returns the outcome of the header, once it is known.
    #[must_use]
    pub fn outcome(&self) -> Option<&HeaderOutcome> {
        self.outcome.as_ref()
    }

    /// Returns the time until which the whole header must have come, or `None` after the outcome.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.outcome.is_none().then_some(self.deadline)
    }

    /// Returns the number of bytes that the caller may read next without reading beyond the header,
    /// or 0 after the outcome.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.needed.filter(|_| self.outcome.is_none()).map_or(0, NonZeroUsize::get)
    }

    /// Returns the header, with its vectors, if it was accepted.
    #[must_use]
    pub fn header(&self) -> Option<Header<'_>> {
        match self.outcome {
            None | Some(HeaderOutcome::Failed(_)) => None,
            Some(_) => Header::parse_with(&self.received, &self.options).ok().map(|(_, h)| h),
        }
    }

    /// The rest of a failed header that may still come.
    #[cfg(feature = "mail")]
    pub(crate) fn unread(&self) -> &Unread {
        &self.unread
    }

    #[cfg(feature = "mail")]
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Fails, unless there is an outcome; these bytes were used, but not kept.
    #[cfg_attr(not(feature = "mail"), expect(unused_variables, reason = "only a refusal reads on"))]
    fn fail(&mut self, failure: Failure, beyond: &[u8]) {
        if self.outcome.is_none() {
            self.outcome = Some(HeaderOutcome::Failed(failure));
            #[cfg(feature = "mail")]
            {
                self.unread.take(&self.received);
                self.unread.take(beyond);
            }
        }
    }
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
