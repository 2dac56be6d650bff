//! The events of a delivery: their names, and the effects of an action's result.
//!
//! Sources: `experimental-spec.txt` of Exim 4.85, 2014, "Event Actions"; Exim's current specification,
//! chapter 61, "Event actions".

pub(crate) mod action;

use std::fmt;
use std::str::FromStr;

use strsim::levenshtein;
use thiserror::Error;

/// An event of a message, a recipient or a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum EventName {
    /// `auth:fail`: an authentication failed; the data is the SMTP reply.
    AuthFail,
    /// `dane:fail`: DANE was requested and failed; the data is the reason.
    DaneFail,
    /// `dns:fail`: a name was not found; the data is the outcome, the name and the type.
    DnsFail,
    /// `msg:complete`: all work on a message is done.
    MsgComplete,
    /// `msg:defer`: a message was deferred because no host is left; the data is the error.
    MsgDefer,
    /// `msg:delivery`: a recipient's copy was delivered; the data is the confirmation.
    MsgDelivery,
    /// `msg:fail:delivery`: a recipient's copy failed permanently; the data is the error.
    MsgFailDelivery,
    /// `msg:fail:internal`: the same, without a transport; the data is the reason.
    MsgFailInternal,
    /// `msg:host:defer`: an attempt at a host was deferred; the data is the error.
    MsgHostDefer,
    /// `msg:rcpt:defer`: a recipient was deferred, and no host is left; the data is the reply.
    MsgRcptDefer,
    /// `msg:rcpt:host:defer`: a host deferred a recipient; the data is the reply.
    MsgRcptHostDefer,
    /// `smtp:connect`: the server's banner was received; it is the data.
    SmtpConnect,
    /// `smtp:ehlo`: the reply to EHLO was received; it is the data.
    SmtpEhlo,
    /// `smtp:fail:protocol`: a client broke the protocol; the data is the reply.
    SmtpFailProtocol,
    /// `smtp:fail:syntax`: a client's command is invalid; the data is the reply.
    SmtpFailSyntax,
    /// `tcp:close`: a connection was closed.
    TcpClose,
    /// `tcp:connect`: the program is about to connect.
    TcpConnect,
    /// `tls:cert`: a certificate of the chain was verified; the data is its depth, 0 for the peer's.
    TlsCert,
    /// `tls:fail:connect`: a TLS handshake failed; the data is the error.
    TlsFailConnect,
}

impl EventName {
    /// All events, by name.
    pub const ALL: [Self; 19] = [
        Self::AuthFail,
        Self::DaneFail,
        Self::DnsFail,
        Self::MsgComplete,
        Self::MsgDefer,
        Self::MsgDelivery,
        Self::MsgFailDelivery,
        Self::MsgFailInternal,
        Self::MsgHostDefer,
        Self::MsgRcptDefer,
        Self::MsgRcptHostDefer,
        Self::SmtpConnect,
        Self::SmtpEhlo,
        Self::SmtpFailProtocol,
        Self::SmtpFailSyntax,
        Self::TcpClose,
        Self::TcpConnect,
        Self::TlsCert,
        Self::TlsFailConnect,
    ];

    /// Returns the name, the value of `$event_name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthFail => "auth:fail",
            Self::DaneFail => "dane:fail",
            Self::DnsFail => "dns:fail",
            Self::MsgComplete => "msg:complete",
            Self::MsgDefer => "msg:defer",
            Self::MsgDelivery => "msg:delivery",
            Self::MsgFailDelivery => "msg:fail:delivery",
            Self::MsgFailInternal => "msg:fail:internal",
            Self::MsgHostDefer => "msg:host:defer",
            Self::MsgRcptDefer => "msg:rcpt:defer",
            Self::MsgRcptHostDefer => "msg:rcpt:host:defer",
            Self::SmtpConnect => "smtp:connect",
            Self::SmtpEhlo => "smtp:ehlo",
            Self::SmtpFailProtocol => "smtp:fail:protocol",
            Self::SmtpFailSyntax => "smtp:fail:syntax",
            Self::TcpClose => "tcp:close",
            Self::TcpConnect => "tcp:connect",
            Self::TlsCert => "tls:cert",
            Self::TlsFailConnect => "tls:fail:connect",
        }
    }

    /// Returns the effect of a non-empty result.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::TcpConnect => Effect::DoNotConnect,
            Self::TlsCert => Effect::RefuseVerification,
            Self::SmtpConnect => Effect::CloseConnection,
            Self::AuthFail => Effect::ReplaceLogLine,
            _ => Effect::Ignored,
        }
    }

    /// Returns whether the program waits for the action, because its result decides the next step.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::TcpConnect | Self::TlsCert | Self::SmtpConnect)
    }

    /// Returns whether a profile contains the event.
    #[must_use]
    pub const fn is_in(self, profile: Profile) -> bool {
        match profile {
            Profile::Current => true,
            Profile::Of2014 => matches!(
                self,
                Self::MsgComplete
                    | Self::MsgDelivery
                    | Self::MsgFailDelivery
                    | Self::MsgFailInternal
                    | Self::MsgHostDefer
                    | Self::SmtpConnect
                    | Self::TcpClose
                    | Self::TcpConnect
                    | Self::TlsCert
            ),
        }
    }

    /// Returns the section whose `event_action` is expanded if a transport raises the event.
    #[must_use]
    pub const fn section(self, profile: Profile) -> Section {
        match self {
            Self::MsgComplete
            | Self::MsgFailInternal
            | Self::SmtpFailProtocol
            | Self::SmtpFailSyntax
            | Self::TlsFailConnect => Section::Main,
            Self::MsgFailDelivery if matches!(profile, Profile::Of2014) => Section::Main,
            _ => Section::Transport,
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventName {
    type Err = EventNameError;

    fn from_str(name: &str) -> Result<Self, EventNameError> {
        Self::ALL.into_iter().find(|event| event.as_str() == name).ok_or(EventNameError)
    }
}

/// A text is not the name of an event.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("unknown event name")]
#[non_exhaustive]
pub struct EventNameError;

/// The set of events.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// The nineteen events of today.
    #[default]
    Current,
    /// The nine events of 2014.
    Of2014,
}

/// The section of an `event_action`. During the reception of a message, without a transport, the
/// events of a transport belong to the main section too.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Section {
    /// In the main section.
    Main,
    /// In the transport.
    Transport,
}

/// The effect of an action's result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// No effect.
    Ignored,
    /// The program does not connect, and defers the recipients.
    DoNotConnect,
    /// The certificate does not verify; the result is the reason.
    RefuseVerification,
    /// The program closes the connection and defers the recipients; the result is the reason.
    CloseConnection,
    /// The result replaces the log line.
    ReplaceLogLine,
}

/// The events of an action: single events, or parts of the tree such as `msg:*`.
///
/// ```
/// use event_expand::{EventName, Selection};
///
/// let selection: Selection = "msg:fail:* : tcp:connect".parse()?;
/// assert!(selection.has(EventName::MsgFailInternal));
/// assert!(!selection.has(EventName::MsgDelivery));
/// # Ok::<(), event_expand::SelectionError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Selection(Vec<EventName>);

impl Selection {
    /// Returns whether an event is selected.
    #[must_use]
    pub fn has(&self, event: EventName) -> bool {
        self.0.contains(&event)
    }

    /// Returns all selected events, by name.
    ///
    /// ```
    /// use event_expand::{EventName, Profile, Section, Selection};
    ///
    /// let selection: Selection = "tcp:* : msg:complete".parse()?;
    /// let names: Vec<_> = selection.iter().map(EventName::as_str).collect();
    /// assert_eq!(names, ["msg:complete", "tcp:close", "tcp:connect"]);
    /// assert!(EventName::TcpConnect.waits() && !EventName::TcpClose.waits());
    /// assert_eq!(EventName::MsgComplete.section(Profile::Current), Section::Main);
    /// # Ok::<(), event_expand::SelectionError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = EventName> {
        self.0.iter().copied()
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    /// Parses names and parts of the tree, with blanks or ` : ` between them. `*` selects all.
    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let mut events = Vec::new();
        let words = text.split_ascii_whitespace().filter(|word| *word != ":");
        for (at, word) in words.enumerate() {
            let before = events.len();
            let part = word.strip_suffix('*').filter(|part| part.is_empty() || part.ends_with(':'));
            events.extend(EventName::ALL.into_iter().filter(|event| match part {
                Some(part) => event.as_str().starts_with(part),
                None => event.as_str() == word,
            }));
            if events.len() == before {
                let text = word.chars().take(SHOWN).collect();
                return Err(SelectionError::Unknown {
                    number: at + 1,
                    text,
                    nearest: nearest(word),
                });
            }
        }
        events.sort_unstable();
        events.dedup();
        if events.is_empty() { Err(SelectionError::Empty) } else { Ok(Self(events)) }
    }
}

/// The reason why a text is not a [`Selection`].
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum SelectionError {
    /// The text is empty.
    #[error("empty event selection")]
    Empty,
    /// A word is neither an event nor a part of the tree.
    #[error(
        "unknown event in word {number} ({}){}",
        text.escape_debug(),
        nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
    )]
    Unknown {
        /// The number of the word; the first is 1.
        number: usize,
        /// The word, cut after 60 characters.
        text: Box<str>,
        /// The event, or the part of the tree, whose name is most like it, if one is.
        nearest: Option<&'static str>,
    },
}

/// Finds what was probably meant.
fn nearest(word: &str) -> Option<&'static str> {
    if word.len() > SHOWN {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let names = || PARTS.iter().copied().chain(EventName::ALL.iter().map(|event| event.as_str()));
    let begin = word.trim_end_matches('*');
    if let Some(longer) = names().find(|name| begin.len() > 2 && name.starts_with(begin)) {
        return Some(longer);
    }
    let most =
        names().map(|name| (levenshtein(&word, name), name)).min_by_key(|(distance, _)| *distance);
    // Two letters of three.
    most.filter(|(distance, name)| 3 * distance <= name.len()).map(|(_, name)| name)
}

/// The parts of the tree.
const PARTS: &[&str] =
    &["msg:*", "msg:fail:*", "msg:rcpt:*", "smtp:*", "smtp:fail:*", "tcp:*", "tls:*"];

/// The most characters of a word in an error.
const SHOWN: usize = 60;
