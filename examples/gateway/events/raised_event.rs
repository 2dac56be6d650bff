//! An event of the gateway, with all that an action can ask of it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use event_expand::{Event, EventName, Variables};
use mail_types::exim::{Trust, Value, Variable};

use super::moment::moment;
use super::variables::{FACTS, MOMENTS};

/// An event, when it happened, and what is known beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RaisedEvent {
    /// What happened, with its own variables.
    pub event: Event,
    /// To the second.
    pub at: SystemTime,
    /// What is known of the session and its message.
    pub facts: Facts,
}

impl RaisedEvent {
    /// Takes an event that happens now.
    #[must_use]
    pub fn new(event: Event, facts: Facts) -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { event, at: UNIX_EPOCH + std::time::Duration::from_secs(seconds), facts }
    }

    pub(crate) fn name(&self) -> EventName {
        self.event.name()
    }

    /// Returns the transport at work.
    pub(crate) fn transport(&self) -> Option<String> {
        match self.event.variable("transport_name") {
            Variable::Value(name) => Some(String::from_utf8_lossy(name.as_bytes()).into_owned()),
            Variable::Unset | Variable::Unknown => None,
        }
    }
}

impl Variables for RaisedEvent {
    fn variable(&self, name: &str) -> Variable<'_> {
        if name == "message_id" {
            return self.event.variable("message_exim_id");
        }
        if MOMENTS.contains(&name) {
            return Value::new(moment(self.at, name).into_bytes(), Trust::Trusted).into();
        }
        self.facts.variable(name)
    }
}

/// What is known of a session and its message, for all their events.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts(Arc<Vec<(&'static str, Value<'static>)>>);

impl Facts {
    /// Adds one; a name that is not among [`FACTS`], and an empty value, adds nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8], trust: Trust) -> Self {
        if let Some(known) = FACTS.iter().find(|known| **known == name && !value.is_empty()) {
            let value = Value::new(bounded(value).to_vec(), trust);
            Arc::make_mut(&mut self.0).push((known, value));
        }
        self
    }

    /// Returns all, in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value<'static>)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn variable(&self, name: &str) -> Variable<'_> {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => value.clone().into(),
            None if FACTS.contains(&name) => Variable::Unset,
            None => Variable::Unknown,
        }
    }
}

/// Cuts a value to what an event may have of it, at a character of UTF-8 where it is that.
#[must_use]
pub fn bounded(value: &[u8]) -> &[u8] {
    let mut end = value.len().min(MAX_VALUE);
    if end < value.len() {
        let within = |byte: Option<&u8>| byte.is_some_and(|byte| byte & 0xC0 == 0x80);
        while end + 3 > MAX_VALUE && within(value.get(end)) {
            end -= 1;
        }
    }
    value.get(..end).unwrap_or_default()
}

/// The longest value of an event, in octets: with [`EventSettings::queue`] it bounds the memory.
///
/// [`EventSettings::queue`]: super::settings::EventSettings::queue
pub(crate) const MAX_VALUE: usize = 4096;
