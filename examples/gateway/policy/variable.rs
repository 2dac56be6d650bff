//! The variables of texts; the manual describes them. A configuration with a variable that has no value at the
//! stage of its text is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use event_expand::{Event, HeaderForm, ListKind, Variables};
use mail_types::exim::{Trust, Value, Variable};
use proxy_protocol::ProxyInfo;

use super::built_in::{BUILT_IN, EVERYWHERE, UNTRUSTED, word};
use super::condition::PUBLISHED;
use super::conditions::ratelimit;
use super::context::Context;
use super::field_text::field_text;
use super::nearest::nearest;
use super::outgoing;
use super::place::Place;
use super::stage::Stage;
use super::state::Snapshot;
use crate::gateway::events::variables::{UNTRUSTED as UNTRUSTED_OF_EVENTS, is_variable, variables};
use crate::gateway::lookups::language::NamedLists;

/// The names of all variables, to check a text at the start.
pub(super) struct Names;

impl Variables for Names {
    fn variable(&self, name: &str) -> Variable<'_> {
        let is_known = stages(name).is_some() || outgoing::is_variable(name) || is_variable(name);
        if is_known { Variable::Unset } else { Variable::Unknown }
    }
}

/// The names of the variables that can have a value at a place, header fields included. For some of them
/// every value is untrusted.
pub(crate) struct NamesAt(pub(crate) Place);

impl Variables for NamesAt {
    fn variable(&self, name: &str) -> Variable<'_> {
        let (is_known, is_untrusted) = match self.0 {
            Place::Session(Stage::Event) => {
                (is_of_rules(name) || is_variable(name), UNTRUSTED_OF_EVENTS.contains(&name))
            }
            Place::Session(stage) => (
                stages(name).is_some_and(|stages| stages.contains(&stage)),
                UNTRUSTED.contains(&name),
            ),
            Place::Outgoing => (outgoing::is_variable(name), outgoing::is_untrusted(name)),
        };
        match is_known {
            true if is_untrusted => Value::new(b"", Trust::Untrusted).into(),
            true => Variable::Unset,
            false => Variable::Unknown,
        }
    }

    fn header(&self, _: &str, _: HeaderForm) -> Variable<'_> {
        match self.0 {
            Place::Session(stage) if Stage::CONTENT.contains(&stage) => Variable::Unset,
            _ => Variable::Unknown,
        }
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        let is_known = match self.0 {
            Place::Session(Stage::Event) => Event::CERTIFICATES.contains(&name),
            Place::Session(stage) => {
                Stage::GREETED.contains(&stage)
                    && ["tls_in_ourcert", "tls_in_peercert"].contains(&name)
            }
            Place::Outgoing => ["tls_out_ourcert", "tls_out_peercert"].contains(&name),
        };
        is_known.then_some(&[])
    }
}

/// The names of the variables of an action that calls no list of rules.
pub(crate) struct NamesOfEvents;

impl Variables for NamesOfEvents {
    fn variable(&self, name: &str) -> Variable<'_> {
        if is_variable(name) { Variable::Unset } else { Variable::Unknown }
    }
}

/// Returns the variable that is most like an unknown name: one that can have a value at the place, else any.
pub(super) fn nearest_variable(name: &str, place: Place) -> Option<&'static str> {
    let published = PUBLISHED.iter().flat_map(|(_, names)| *names).copied();
    let own = BUILT_IN.iter().map(|(name, ..)| *name).chain(published).chain(["acl_narg"]);
    let all = || {
        own.clone()
            .chain(ProxyInfo::VARIABLES.iter().copied())
            .chain(outgoing::variables())
            .chain(variables())
    };
    let is_here = |name: &&str| !matches!(NamesAt(place).variable(name), Variable::Unknown);
    nearest(name, all().filter(is_here)).or_else(|| nearest(name, all()))
}

/// The stages at which a variable can have a value; `None` for an unknown variable.
pub(crate) fn stages(name: &str) -> Option<&'static [Stage]> {
    if let Some((_, stages, _)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
        return Some(stages);
    }
    if is_acl(name) || is_argument(name) {
        return Some(Stage::CALLED);
    }
    if let Some((stages, _)) = PUBLISHED.iter().find(|(_, names)| names.contains(&name)) {
        return Some(stages);
    }
    ProxyInfo::VARIABLES.contains(&name).then_some(EVERYWHERE)
}

impl Variables for Context<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        if let Some(event) = self.event.as_ref().filter(|_| !is_of_rules(name)) {
            return event.variable(name);
        }
        let is_noted = is_of_rules(name) || published(name).is_some();
        if let Some(given) = self.given.filter(|_| !is_noted)
            && let value @ Variable::Value(_) = given.variable(name)
        {
            return value;
        }
        let value = if let Some((.., value_of)) = BUILT_IN.iter().find(|(own, ..)| *own == name) {
            value_of(self)
        } else if is_acl(name) {
            self.state.variable(name)
        } else if name == "acl_narg" {
            Some(word(&self.state.arguments()))
        } else if is_argument(name) {
            let number = name.strip_prefix("acl_arg").and_then(|number| number.parse().ok());
            number.and_then(|number| self.state.argument(number))
        } else if let Some(name) = published(name) {
            self.state.published(name)
        } else {
            return self.client.map_or(Variable::Unset, |client| client.session.variable(name));
        };
        value.map_or(Variable::Unset, Variable::Value)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        if let Some(event) = &self.event {
            return event.certificate(name);
        }
        if let Some(certificate) = self.given.and_then(|given| given.certificate(name)) {
            return Some(certificate);
        }
        match name {
            "tls_in_ourcert" => self.client?.own_certificate().map(|own| &**own),
            "tls_in_peercert" => self.client?.certificate().map(|certificate| &*certificate.der),
            _ => None,
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        if let Some(value @ Variable::Value(_)) = self.given.map(|given| given.header(name, form)) {
            return value;
        }
        match field_text(self.message, name, form) {
            Some(text) => Value::new(text, Trust::Untrusted).into(),
            None => Variable::Unset,
        }
    }
}

/// The variables of a text, with the named lists. A text that goes on after it has called a list of rules
/// is expanded from its beginning: up to the call it sees the variables as they were before.
pub(super) struct Seen<'a> {
    variables: &'a dyn Variables,
    lists: &'a NamedLists,
    /// The variables before the answers with these numbers.
    earlier: &'a [(usize, Snapshot)],
    /// The number of answers that the expansion has used.
    answers: AtomicUsize,
}

impl<'a> Seen<'a> {
    pub(super) fn new(
        variables: &'a dyn Variables,
        lists: &'a NamedLists,
        earlier: &'a [(usize, Snapshot)],
    ) -> Self {
        Self { variables, lists, earlier, answers: AtomicUsize::new(0) }
    }
}

impl Variables for Seen<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let past = self.answers.load(Ordering::Relaxed);
        match self.earlier.iter().find(|(number, _)| *number > past) {
            Some((_, then)) if is_acl(name) || published(name).is_some() => {
                then.get(name).map_or(Variable::Unset, Variable::Value)
            }
            _ => self.variables.variable(name),
        }
    }

    fn handle_answers(&self, count: usize) {
        self.answers.store(count, Ordering::Relaxed);
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        self.variables.header(name, form)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.variables.certificate(name)
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        match self.lists.get(kind, name) {
            Some(text) if !text.contains('$') => Value::trusted(text).into(),
            _ => Variable::Unknown,
        }
    }
}

/// Returns the name of a variable that a condition gives its value.
pub(crate) fn published(name: &str) -> Option<&'static str> {
    let names = PUBLISHED.iter().flat_map(|(_, names)| *names);
    names.copied().find(|known| *known == name)
}

/// Tells whether rules give a variable its value, in the action of an event too.
fn is_of_rules(name: &str) -> bool {
    is_acl(name) || is_argument(name) || ratelimit::VARIABLES.contains(&name)
}

/// Tells whether a name can be `set`: `acl_c` or `acl_m`, then a digit or an underscore and more.
pub(crate) fn is_acl(name: &str) -> bool {
    let rest = name.strip_prefix("acl_c").or_else(|| name.strip_prefix("acl_m"));
    let named = |rest: &str| rest.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    let rest = rest.filter(|rest| named(rest) && name.len() <= MAX_NAME);
    rest.is_some_and(|rest| match rest.split_at_checked(1) {
        Some((first, _)) if first.bytes().all(|c| c.is_ascii_digit()) => true,
        Some(("_", more)) => !more.is_empty(),
        _ => false,
    })
}

/// Tells whether a variable is about the arguments of a called list.
pub(crate) fn is_argument(name: &str) -> bool {
    name == "acl_narg"
        || matches!(name.as_bytes(), [b'a', b'c', b'l', b'_', b'a', b'r', b'g', b'1'..=b'9'])
}

/// The longest name that can be set, in octets.
const MAX_NAME: usize = 64;
