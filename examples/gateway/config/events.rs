//! The options of events, checked: the action of each event.

use std::time::Duration;

use event_expand::{EventName, ExpandError, Need, OnFailure, Profile, Selection, Template};
use serde::Deserialize;
use toml::Table;

use super::effect::NO_RELAY;
use super::event_sources::EventSources;
use super::events_error::{EventsError, sections};
use super::written::text;
use super::{ConfigError, option_lines};
use crate::gateway::events::settings::{
    Action, EventSettings, Place, REMOTE_SMTP, SHIPPED, TRANSPORTS, transports,
};
use crate::gateway::lookups::language::Language;
use crate::gateway::lookups::language_error::LanguageError;
use crate::gateway::lookups::quantity::{Interval, Size};
use crate::gateway::policy::nearest::nearest;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::text::note_calls;
use crate::gateway::policy::variable::{NamesAt, NamesOfEvents};

/// Checks the options.
///
/// # Errors
///
/// [`EventsError`], which names the option, and of a template the position.
pub(super) fn settings(
    options: &EventOptions,
    language: &Language,
) -> Result<EventSettings, EventsError> {
    if !(1..=MAX_QUEUE).contains(&options.event_queue_max) {
        return Err(EventsError::Queue);
    }
    if options.event_timeout.0.is_zero() {
        return Err(EventsError::Timeout);
    }
    let given = options.event_action.is_some();
    let main = options.event_action.as_deref().unwrap_or(SHIPPED);
    // Where the main section is silent, the shipped action is for the transports, too.
    let inherited = if given { "" } else { SHIPPED };
    let mut actions = Vec::new();
    let transports = [&options.remote_smtp, &options.local_delivery];
    let of_transports = TRANSPORTS.iter().zip(transports).map(|(&name, transport)| {
        (Some(name), transport.event_action.as_deref().unwrap_or(inherited))
    });
    for (transport, text) in [(None, main)].into_iter().chain(of_transports) {
        if !text.is_empty() {
            actions.push(Action { transport, template: template(transport, text, language)? });
        }
    }
    let selection = options.event_select.as_deref();
    let selection = selection.unwrap_or(if given { "*" } else { OF_2014 });
    let profile = options.event_profile.into();
    if let Some(number) = options.event_select.as_deref().and_then(|t| never_happens(t, profile)) {
        return Err(EventsError::Never { number });
    }
    let shipped = actions.iter().any(|action| action.template.text() == SHIPPED.as_bytes());
    let settings = EventSettings {
        reads_own_certificate: actions.iter().any(Action::reads_own_certificate),
        actions,
        shipped,
        profile,
        selection: selection.parse().map_err(EventsError::Selection)?,
        on_failure: options.event_failure.into(),
        timeout: options.event_timeout.0,
        queue: options.event_queue_max,
        overflow: options.event_overflow_limit.0,
    };
    let is_own = |action: &&Action| action.template.text() != SHIPPED.as_bytes();
    for action in settings.actions.iter().filter(is_own) {
        let transport = action.transport;
        if let Some((name, places)) = settings.unset(action) {
            return Err(EventsError::Unset { transport, name: name.to_owned(), places });
        }
        if let Some((at, event, places)) = settings.unheard(action) {
            let cause = unheard(event, &places, &settings);
            return Err(EventsError::Unheard { transport, at, event, cause });
        }
    }
    Ok(settings)
}

/// The options as they are written; each has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventOptions {
    /// The action of events without a transport; the default is the built-in action,
    /// and for the transports, too.
    event_action: Option<String>,
    /// `current` or `2014`: which events there are.
    event_profile: EventProfile,
    /// Events that actions are for, with `msg:*` for a part of the tree.
    event_select: Option<String>,
    /// `proceed` or `refuse`: what an action without a result comes to at `tcp:connect`,
    /// `smtp:connect` and `tls:cert`.
    event_failure: EventFailure,
    /// How long one action may take.
    event_timeout: Interval,
    /// How many events may wait in memory for their actions.
    event_queue_max: usize,
    /// How many octets of events may wait on the disk when the memory's share is used up.
    event_overflow_limit: Size,
    remote_smtp: Transport,
    local_delivery: Transport,
}

impl Default for EventOptions {
    fn default() -> Self {
        Self {
            event_action: None,
            event_profile: EventProfile::Current,
            event_select: None,
            event_failure: EventFailure::Proceed,
            event_timeout: Interval(Duration::from_secs(5)),
            event_queue_max: 2000,
            event_overflow_limit: Size(16 << 20),
            remote_smtp: Transport::default(),
            local_delivery: Transport::default(),
        }
    }
}

impl EventOptions {
    /// Takes the options of events out of a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] if one is not written as it must be.
    pub(super) fn take(table: &mut Table) -> Result<Self, ConfigError> {
        let is_ours = |name: &str| NAMES.contains(&name) || TRANSPORTS.contains(&name);
        let names: Vec<_> = table.keys().filter(|name| is_ours(name)).cloned().collect();
        let ours: Table = names.iter().filter_map(|name| table.remove_entry(name)).collect();
        option_lines::read(ours)
    }
}

impl EventOptions {
    /// Returns the options and their values.
    pub(super) fn written(&self) -> Vec<(&'static str, String)> {
        vec![
            ("event_action", text(&self.event_action)),
            ("event_profile", text(&self.event_profile)),
            ("event_select", text(&self.event_select)),
            ("event_failure", text(&self.event_failure)),
            ("event_timeout", text(&self.event_timeout)),
            ("event_queue_max", text(&self.event_queue_max)),
            ("event_overflow_limit", text(&self.event_overflow_limit)),
            ("remote_smtp.event_action", text(&self.remote_smtp.event_action)),
            ("local_delivery.event_action", text(&self.local_delivery.event_action)),
        ]
    }

    /// Leaves the default action out: only those that are given count.
    pub(super) fn without_default(mut self) -> Self {
        self.event_action.get_or_insert_default();
        self
    }

    /// Tells whether an action for the transport to other hosts is given.
    pub(super) fn acts_on_remote(&self) -> bool {
        let given = [&self.event_action, &self.remote_smtp.event_action];
        given.into_iter().flatten().any(|text| !text.is_empty())
    }
}

/// Refuses an option that does nothing, as events come from these sources.
///
/// # Errors
///
/// The option, and why it does nothing.
pub(super) fn check(
    options: &EventOptions,
    settings: &EventSettings,
    sources: EventSources,
) -> Result<(), ConfigError> {
    let selected = options.event_select.as_deref().filter(|_| !settings.is_off());
    if let Some(error) = selected.and_then(|text| sources.idle_word(text, settings)) {
        return Err(error.into());
    }
    match without_effect(options, settings, sources) {
        Some((option, cause)) => Err(ConfigError::NoEffect { option, cause }),
        None => Ok(()),
    }
}

/// Finds an option that does nothing, and tells why.
fn without_effect(
    options: &EventOptions,
    settings: &EventSettings,
    sources: EventSources,
) -> Option<(String, &'static str)> {
    let remote = options.remote_smtp.event_action.as_deref();
    if !sources.relays && remote.is_some_and(|text| !text.is_empty()) {
        return Some((format!("{REMOTE_SMTP}.event_action"), NO_RELAY));
    }
    let standard = EventOptions::default();
    if settings.is_off() {
        let others = [
            ("event_profile", options.event_profile != standard.event_profile),
            ("event_select", options.event_select.is_some()),
            ("event_failure", options.event_failure != standard.event_failure),
            ("event_timeout", options.event_timeout != standard.event_timeout),
            ("event_queue_max", options.event_queue_max != standard.event_queue_max),
            ("event_overflow_limit", options.event_overflow_limit != standard.event_overflow_limit),
        ];
        let given = others.into_iter().find(|(_, is_given)| *is_given);
        return given.map(|(option, _)| (option.to_owned(), "every event_action is empty"));
    }
    let is_used = |action: &Action| {
        settings.is_used(action, |event, transport| sources.lack(event, transport).is_none())
    };
    let given = |action: &&Action| match action.transport {
        None => options.event_action.is_some(),
        Some(REMOTE_SMTP) => remote.is_some(),
        Some(_) => options.local_delivery.event_action.is_some(),
    };
    let mut given = settings.actions.iter().filter(given);
    if let Some(action) = given.find(|action| !is_used(action)) {
        let table = action.transport.map(|name| format!("{name}.")).unwrap_or_default();
        return Some((format!("{table}event_action"), "no event is selected that it is for"));
    }
    let waits = [EventName::TcpConnect, EventName::SmtpConnect, EventName::TlsCert];
    let waits = waits.into_iter().any(|event| {
        transports(event).iter().any(|transport| {
            sources.lack(event, *transport).is_none()
                && settings.action(event, *transport).is_some()
        })
    });
    (options.event_failure == EventFailure::Refuse && !waits).then(|| {
        (
            "event_failure".to_owned(),
            "tcp:connect, smtp:connect and tls:cert, which it is for, have no action",
        )
    })
}

/// Finds a word of `event_select` whose events never happen here, and returns its number.
fn never_happens(text: &str, profile: Profile) -> Option<usize> {
    let mut words = text.split_ascii_whitespace().filter(|word| *word != ":");
    words.position(|word| {
        let happens = |event: EventName| event.is_in(profile) && !transports(event).is_empty();
        word.parse().is_ok_and(|events: Selection| !events.iter().any(happens))
    })
}

/// The table of a transport.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Transport {
    event_action: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum EventProfile {
    Current,
    #[serde(rename = "2014")]
    Of2014,
}

impl From<EventProfile> for Profile {
    fn from(profile: EventProfile) -> Self {
        match profile {
            EventProfile::Current => Self::Current,
            EventProfile::Of2014 => Self::Of2014,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum EventFailure {
    Proceed,
    Refuse,
}

impl From<EventFailure> for OnFailure {
    fn from(failure: EventFailure) -> Self {
        match failure {
            EventFailure::Proceed => Self::Proceed,
            EventFailure::Refuse => Self::Refuse,
        }
    }
}

fn template(
    transport: Option<&'static str>,
    text: &str,
    language: &Language,
) -> Result<Template, EventsError> {
    let known = NamesAt(Stage::Event.into());
    let template = language.parse(text, &known).map_err(|error| match error {
        LanguageError::NoHeader { at } => EventsError::Header { transport, at },
        source => EventsError::Template { transport, source },
    })?;
    let calls = template.needs().any(|(_, need)| matches!(need, Need::Acl(_)));
    let checked = if calls { template.check(&known) } else { template.check(&NamesOfEvents) };
    checked.and_then(|()| template.check_patterns()).map_err(|source| match source {
        ExpandError::UnknownVariable { at, name } => EventsError::unknown(transport, at, name),
        source => EventsError::Pattern { transport, source },
    })?;
    if let Some((at, text)) = template.compared("event_name").find(|(_, text)| !is_event(text)) {
        let names = EventName::ALL.iter().map(|event| event.as_str());
        let nearest = nearest(&String::from_utf8_lossy(text), names);
        return Err(EventsError::NoEvent { transport, at, text: text.to_vec(), nearest });
    }
    note_calls(&template, Stage::Event.into(), language);
    Ok(template)
}

/// Says why an action does not get an event, and which do.
fn unheard(event: EventName, places: &[Place], settings: &EventSettings) -> String {
    if !places.is_empty() {
        return format!("is for {} only; write it there", sections(places));
    }
    let cause = if transports(event).is_empty() {
        "never happens here"
    } else if !event.is_in(settings.profile) {
        "is not in event_profile"
    } else {
        "is not in event_select"
    };
    cause.to_owned()
}

/// Tells whether a text is the name of an event, in upper or lower case, as `eqi` compares it, or empty, as outside
/// events.
fn is_event(text: &[u8]) -> bool {
    text.is_empty()
        || EventName::ALL.iter().any(|event| event.as_str().as_bytes().eq_ignore_ascii_case(text))
}

const NAMES: [&str; 7] = [
    "event_action",
    "event_profile",
    "event_select",
    "event_failure",
    "event_timeout",
    "event_queue_max",
    "event_overflow_limit",
];

/// The most events in memory that can be configured.
pub(super) const MAX_QUEUE: usize = 1_000_000;

/// The events of 2014: what the shipped action is for.
const OF_2014: &str =
    "msg:complete msg:delivery msg:fail:* msg:host:defer tcp:* tls:cert smtp:connect";
