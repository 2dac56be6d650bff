//! Options and limits of a receiver.

use std::time::Duration;

/// The choices that the specification leaves to a receiver, and its [`Limits`].
///
/// ```
/// use proxy_protocol::{Header, HeaderError, Options};
///
/// let line = b"PROXY TCP6 2001:db8::1 192.0.2.1 56324 25\r\n";
/// assert_eq!(Header::parse(line), Err(HeaderError::Ipv4InTcp6 { at: 26 }));
///
/// let options = Options::default().with_ipv4_in_tcp6(true);
/// assert!(Header::parse_with(line, &options).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Accepts headers without addresses: `UNKNOWN` in version 1, the command PROXY with an
    /// unspecified family or transport in version 2. On by default: section 2.1 recommends it for
    /// the former; section 2.2 allows it for the latter, the only block that every receiver must
    /// know. Off, such a header is [`HeaderError::Unknown`](crate::HeaderError::Unknown). A version
    /// 2 LOCAL header is always accepted, as section 2.2 demands.
    pub unknown: bool,
    /// Accepts an IPv4 address on a side of a `TCP6` line. Off by default: section 2.1 says that
    /// the family dictates the format, and the line is
    /// [`HeaderError::Ipv4InTcp6`](crate::HeaderError::Ipv4InTcp6). On, it serves a balancer that
    /// listens on both families and writes such lines. The address is then an IPv4 address, not a
    /// mapped one. Version 2 cannot hold such a pair.
    pub ipv4_in_tcp6: bool,
    /// The limits of a receiver.
    pub limits: Limits,
}

impl Options {
    /// The defaults, for functions that return a reference to them.
    pub(crate) const DEFAULT: Self =
        Self { unknown: true, ipv4_in_tcp6: false, limits: Limits::DEFAULT };

    /// Sets [`Self::unknown`].
    #[must_use]
    pub fn with_unknown(self, unknown: bool) -> Self {
        Self { unknown, ..self }
    }

    /// Sets [`Self::ipv4_in_tcp6`].
    #[must_use]
    pub fn with_ipv4_in_tcp6(self, ipv4_in_tcp6: bool) -> Self {
        Self { ipv4_in_tcp6, ..self }
    }

    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The limits of a receiver.
///
/// ```
/// use proxy_protocol::{Header, HeaderError, Limits, Options};
///
/// let limits = Limits::default().with_header(64).with_refused_commands(1).with_refused_bytes(1000);
/// let options = Options::default().with_limits(limits).with_unknown(false);
/// assert!(Header::parse_with(b"PROXY UNKNOWN\r\n", &options).is_err());
/// let long = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff";
/// assert!(matches!(Header::parse_with(long, &options), Err(HeaderError::TooLong { .. })));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a whole header of version 2. By default 4096, which holds a client's
    /// certificate; the format allows 65 551. A longer one is
    /// [`HeaderError::TooLong`](crate::HeaderError::TooLong) as soon as its length is known. A line
    /// of version 1 has at most 107 bytes, whatever this limit says (section 2.1).
    pub header: usize,
    /// The time limit for the whole header. By default 3 seconds, the least that section 2 allows,
    /// so that one lost TCP segment can be sent again. After it, the outcome is
    /// [`Failure::TimedOut`](crate::Failure::TimedOut).
    pub time: Duration,
    /// The number of commands that a `Refusal` answers before it closes. By default 10.
    pub refused_commands: usize,
    /// The number of bytes that a `Refusal` reads, those of the header included, before it closes.
    /// By default 131 072, twice the longest header.
    pub refused_bytes: usize,
}

impl Limits {
    const DEFAULT: Self = Self {
        header: 4096,
        time: Duration::from_secs(3),
        refused_commands: 10,
        refused_bytes: 131_072,
    };

    /// Sets [`Self::header`].
    #[must_use]
    pub fn with_header(self, header: usize) -> Self {
        Self { header, ..self }
    }

    /// Sets [`Self::time`].
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Sets [`Self::refused_commands`].
    #[must_use]
    pub fn with_refused_commands(self, refused_commands: usize) -> Self {
        Self { refused_commands, ..self }
    }

    /// Sets [`Self::refused_bytes`].
    #[must_use]
    pub fn with_refused_bytes(self, refused_bytes: usize) -> Self {
        Self { refused_bytes, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
