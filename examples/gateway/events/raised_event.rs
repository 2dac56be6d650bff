//! An event of the gateway, with all its variables.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use event_expand::{Event, EventName, Variables};
use mail_types::exim::{Trust, Value, Variable};

use super::moment::moment;
use super::variables::{FACTS, MOMENTS};

/// An event, its time, and its variables.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RaisedEvent {
    /// The event, with its own variables.
    pub event: Event,
    /// Its time, in seconds.
    pub at: SystemTime,
    /// The variables of the session and its message.
    pub facts: Facts,
}

impl RaisedEvent {
    /// Makes an event with the current time.
    #[must_use]
    pub fn new(event: Event, facts: Facts) -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { event, at: UNIX_EPOCH + std::time::Duration::from_secs(seconds), facts }
    }

    pub(crate) fn name(&self) -> EventName {
        self.event.name()
    }

    /// Returns the address of the client that caused it, if one did.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        match self.facts.variable("sender_host_address") {
            Variable::Value(address) => String::from_utf8_lossy(address.as_bytes()).parse().ok(),
            Variable::Unset | Variable::Unknown => None,
        }
    }

    /// Returns the transport, if any.
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
        if name == "acl_narg" {
            return Value::trusted("0").into();
        }
        // A list of rules sets these, which no list has done here.
        if ["acl_", "sender_rate"].iter().any(|start| name.starts_with(start)) {
            return Variable::Unset;
        }
        if MOMENTS.contains(&name) {
            return Value::new(moment(self.at, name).into_bytes(), Trust::Trusted).into();
        }
        self.facts.variable(name)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.event.certificate(name)
    }
}

/// The variables of a session and its message, shared by all their events.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts(Arc<Vec<(&'static str, Value<'static>)>>);

impl Facts {
    /// Adds a variable; a name outside [`FACTS`], or an empty value, adds nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8], trust: Trust) -> Self {
        if let Some(known) = FACTS.iter().find(|known| **known == name && !value.is_empty()) {
            let value = Value::new(bounded(value).to_vec(), trust);
            Arc::make_mut(&mut self.0).push((known, value));
        }
        self
    }

    /// Returns all variables, in the order of their addition.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value<'static>)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn variable(&self, name: &str) -> Variable<'_> {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => value.borrowed().into(),
            None if FACTS.contains(&name) => Variable::Unset,
            None => Variable::Unknown,
        }
    }
}

/// Cuts a value to the limit of an event, at the start of a character if it is UTF-8.
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

/// The longest value of an event, in octets. With [`EventSettings::queue`] it limits the memory.
///
/// [`EventSettings::queue`]: super::settings::EventSettings::queue
pub(crate) const MAX_VALUE: usize = 4096;
/// The longest certificate of an event, in octets.
pub(crate) const MAX_CERTIFICATE: usize = 32 << 10;
