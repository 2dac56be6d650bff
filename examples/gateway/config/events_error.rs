//! Why the options of events are refused.

use event_expand::{EventName, ExpandError, SelectionError};
use thiserror::Error;

use super::events::MAX_QUEUE;
use crate::gateway::events::settings::Place;
use crate::gateway::events::variables::variables;
use crate::gateway::lookups::language_error::LanguageError;
use crate::gateway::policy::nearest::{nearest, suggestion};
use crate::gateway::policy::text::available;
use crate::gateway::policy::variable::stages;

/// Why the options of events are not sound.
#[derive(Debug, Error)]
pub(crate) enum EventsError {
    #[error("{}event_action: {source}", table(*transport))]
    Template { transport: Place, source: LanguageError },
    #[error("{}event_action: byte {at}: events have no header fields", table(*transport))]
    Header { transport: Place, at: usize },
    #[error("{}event_action: {source}", table(*transport))]
    Pattern { transport: Place, source: ExpandError },
    #[error(
        "{}event_action: byte {at}: unknown variable {name:?}{}",
        table(*transport),
        suggestion(*nearest)
    )]
    Unknown { transport: Place, at: usize, name: Box<str>, nearest: Option<&'static str> },
    #[error("{}event_action: byte {at}: ${name} is not available to events{}", table(*transport), available(name))]
    OfRules { transport: Place, at: usize, name: Box<str> },
    #[error("{}event_action: ${name} {}", table(*transport), unset(.places))]
    Unset { transport: Place, name: String, places: Vec<Place> },
    #[error("{}event_action: byte {at}: the event {event} {cause}", table(*transport))]
    Unheard { transport: Place, at: usize, event: EventName, cause: String },
    #[error(
        "{}event_action: byte {at}: $event_name is never \"{}\"{}",
        table(*transport),
        text.escape_ascii(),
        suggestion(*nearest)
    )]
    NoEvent { transport: Place, at: usize, text: Vec<u8>, nearest: Option<&'static str> },
    #[error("event_select: {0}")]
    Selection(SelectionError),
    #[error("event_select: the event in word {number} never happens here, or not in event_profile")]
    Never { number: usize },
    #[error("event_select: word {number} has no effect: {cause}")]
    Idle { number: usize, cause: String },
    #[error("event_queue_max must be from 1 to {MAX_QUEUE}")]
    Queue,
    #[error("event_timeout must be greater than zero")]
    Timeout,
}

impl EventsError {
    /// The error of a variable that actions do not have.
    pub(super) fn unknown(transport: Place, at: usize, name: Box<str>) -> Self {
        if stages(&name).is_some() {
            return Self::OfRules { transport, at, name };
        }
        let nearest = nearest(&name, variables());
        Self::Unknown { transport, at, name, nearest }
    }

    /// Returns the option that it is about, `TABLE.NAME` for one of a transport.
    pub(super) fn option(&self) -> String {
        match self {
            Self::Template { transport, .. }
            | Self::Header { transport, .. }
            | Self::NoEvent { transport, .. }
            | Self::Unset { transport, .. }
            | Self::Unheard { transport, .. }
            | Self::Unknown { transport, .. }
            | Self::OfRules { transport, .. }
            | Self::Pattern { transport, .. } => match transport {
                Some(table) => format!("{table}.event_action"),
                None => "event_action".to_owned(),
            },
            Self::Selection(_) | Self::Never { .. } | Self::Idle { .. } => {
                "event_select".to_owned()
            }
            Self::Queue => "event_queue_max".to_owned(),
            Self::Timeout => "event_timeout".to_owned(),
        }
    }
}

/// The table of a transport, as it is written in front of its options.
fn table(transport: Option<&str>) -> String {
    transport.map(|name| format!("[{name}] ")).unwrap_or_default()
}

/// Says where a variable is set.
fn unset(places: &[Place]) -> String {
    match places {
        [] => "has no value for any event of event_select".to_owned(),
        places => format!("is set by events of {} only; write it there", sections(places)),
    }
}

/// Lists sections, as `the main section, [local_delivery] and [remote_smtp]`.
pub(super) fn sections(places: &[Place]) -> String {
    let name = |place: &Place| match place {
        None => "the main section".to_owned(),
        Some(transport) => format!("[{transport}]"),
    };
    let names: Vec<_> = places.iter().map(name).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
