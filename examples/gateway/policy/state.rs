//! What rules note down, for a connection and for a message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use mail_types::exim::Value;

use super::text_log::TextLog;
use crate::gateway::authentication::results::Authentication;
use crate::gateway::message::header_edits::{AddedField, HeaderEdits, RemovedName};

/// The notes of one connection and of the message under way in it.
#[derive(Debug, Default)]
pub struct PolicyState {
    connection: Scope,
    message: Scope,
    /// The results of the tests of the message's origin.
    pub(crate) authentication: Authentication,
    published: BTreeMap<&'static str, Value<'static>>,
    /// Of each recipient that was accepted; empty for none.
    profiles: Vec<Vec<u8>>,
    /// The numbers of those who take the message, once they are known.
    takers: Vec<usize>,
    /// Whether they want it in quarantine, if it is not there already.
    quarantine_wanted: Option<bool>,
    candidate_profile: Vec<u8>,
    /// The controls of DMARC for the recipient that is decided about.
    candidate_controls: BTreeSet<&'static str>,
    /// Those that each accepted recipient has; `None` before the first one.
    common_controls: Option<BTreeSet<&'static str>>,
    /// Lines for the log, to be taken by whoever asked.
    log: TextLog,
    /// The list that a text or a rule has called.
    called: Called,
    /// What the last list says that the rule under way has called.
    said: Said,
    /// How many questions SPF has asked the DNS since the last message that was accepted.
    spf_questions: AtomicUsize,
}

/// A list of rules that was called: how deep, and with which arguments.
#[derive(Debug, Default)]
pub(super) struct Called {
    depth: usize,
    arguments: Vec<Value<'static>>,
}

/// The messages of a rule, or of a list that a rule has called.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) message: Option<Vec<String>>,
    pub(super) log_message: Option<Value<'static>>,
}

/// The variables that rules can change, at some time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot(BTreeMap<String, Value<'static>>);

impl Snapshot {
    /// Returns the value of a variable that was set then.
    pub(super) fn get(&self, name: &str) -> Option<Value<'_>> {
        self.0.get(name).map(borrowed)
    }
}

/// How long a note holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lasts {
    Connection,
    Message,
}

/// The notes up to some time of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    connection: Scope,
    message: Scope,
    published: BTreeMap<&'static str, Value<'static>>,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    variables: BTreeMap<String, Value<'static>>,
    controls: BTreeSet<&'static str>,
    headers: Vec<AddedField>,
    removed: Vec<RemovedName>,
    quarantine: Option<String>,
    /// Rates counted already, by their keys.
    rates: BTreeMap<Vec<u8>, Counted>,
}

/// A rate, and how much was counted for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) rate: f64,
    pub(super) size: f64,
}

impl PolicyState {
    /// Forgets what belongs to a message.
    pub(crate) fn start_message(&mut self) {
        let connection = std::mem::take(&mut self.connection);
        let log = std::mem::take(&mut self.log);
        let spf_questions = std::mem::take(&mut self.spf_questions);
        *self = Self { connection, log, spf_questions, ..Self::default() };
    }

    /// Returns the notes so far.
    pub(crate) fn notes(&self) -> Notes {
        let (connection, message) = (self.connection.clone(), self.message.clone());
        Notes { connection, message, published: self.published.clone() }
    }

    /// Goes back to these notes. The counts of rates stay: the client cannot take back what it has done.
    pub(crate) fn go_back(&mut self, notes: Notes) {
        let Notes { mut connection, mut message, published } = notes;
        connection.rates = std::mem::take(&mut self.connection.rates);
        message.rates = std::mem::take(&mut self.message.rates);
        (self.connection, self.message, self.published) = (connection, message, published);
    }

    /// Takes note that the connection has brought a message.
    pub(crate) fn accept_message(&mut self) {
        self.spf_questions = AtomicUsize::new(0);
    }

    /// Returns how many questions SPF may still ask.
    pub(crate) fn spf_questions_left(&self) -> usize {
        Self::MAX_SPF_QUESTIONS.saturating_sub(self.spf_questions.load(Ordering::Relaxed))
    }

    /// Counts questions that SPF has asked.
    pub(crate) fn count_spf_questions(&self, count: usize) {
        self.spf_questions.fetch_add(count, Ordering::Relaxed);
    }

    /// Sets `acl_c…` for the connection or `acl_m…` for the message.
    pub(crate) fn set(&mut self, name: &str, value: Value<'static>) {
        let lasts = if name.starts_with("acl_c") { Lasts::Connection } else { Lasts::Message };
        self.scope(lasts).variables.insert(name.to_owned(), value);
    }

    /// Removes a variable.
    pub(super) fn unset(&mut self, name: &str) {
        let lasts = if name.starts_with("acl_c") { Lasts::Connection } else { Lasts::Message };
        self.scope(lasts).variables.remove(name);
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Value<'_>> {
        let scope = if name.starts_with("acl_c") { &self.connection } else { &self.message };
        scope.variables.get(name).map(borrowed)
    }

    /// Gives a variable the value that a condition found.
    pub(crate) fn publish(&mut self, name: &'static str, value: Value<'static>) {
        self.published.insert(name, value);
    }

    pub(crate) fn published(&self, name: &str) -> Option<Value<'_>> {
        self.published.get(name).map(borrowed)
    }

    /// Returns the variables that rules can change.
    pub(super) fn snapshot(&self) -> Snapshot {
        let set = self.connection.variables.iter().chain(&self.message.variables);
        let set = set.map(|(name, value)| (name.clone(), value.clone()));
        let published = self.published.iter();
        let published = published.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Snapshot(set.chain(published).collect())
    }

    /// Begins a call of a list, and returns the one before; `None` if there are too many in each other.
    pub(super) fn call(&mut self, arguments: Vec<Value<'static>>) -> Option<Called> {
        let depth = self.called.depth + 1;
        let called = Called { depth, arguments };
        (depth <= Self::MAX_CALLS).then(|| std::mem::replace(&mut self.called, called))
    }

    /// Ends a call.
    pub(super) fn call_ended(&mut self, outer: Called) {
        self.called = outer;
    }

    /// Sets what a list says to the rule that has called it.
    pub(super) fn set_said(&mut self, said: Said) {
        self.said = said;
    }

    /// Takes it.
    pub(super) fn take_said(&mut self) -> Said {
        std::mem::take(&mut self.said)
    }

    /// Returns an argument of the call, by its number from 1.
    pub(super) fn argument(&self, number: usize) -> Option<Value<'_>> {
        self.called.arguments.get(number.checked_sub(1)?).map(borrowed)
    }

    /// Returns how many arguments the call has.
    pub(super) fn arguments(&self) -> usize {
        self.called.arguments.len()
    }

    pub(super) fn set_control(&mut self, control: &'static str, lasts: Lasts) {
        self.scope(lasts).controls.insert(control);
    }

    /// Sets a control for the recipient that is decided about. It counts for the message if each accepted recipient
    /// has it: a sender could name another recipient for it otherwise.
    pub(super) fn set_recipient_control(&mut self, control: &'static str) {
        self.candidate_controls.insert(control);
    }

    /// Tells whether a control is set, for the connection, for the message, or for each of its recipients.
    pub(crate) fn has_control(&self, control: &str) -> bool {
        let common = self.common_controls.as_ref();
        self.connection.controls.contains(control)
            || self.message.controls.contains(control)
            || common.is_some_and(|controls| controls.contains(control))
    }

    /// Adds a field to the message, or to each of the connection; one beyond [`PolicyState::MAX_HEADERS`]
    /// is left out.
    pub(super) fn add_header(&mut self, field: AddedField, lasts: Lasts) {
        let headers = &mut self.scope(lasts).headers;
        if headers.len() < Self::MAX_HEADERS {
            headers.push(field);
        }
    }

    /// Returns the fields to add to the message, each without its CRLF.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.header_edits().added.into_iter().map(|field| field.text.as_str())
    }

    /// Removes the fields of a name from the message; tells whether there is room for one more name.
    pub(super) fn remove_header(&mut self, name: RemovedName) -> bool {
        let removed = &mut self.message.removed;
        let is_known = removed.contains(&name);
        let has_room = is_known || removed.len() < Self::MAX_HEADERS;
        if has_room && !is_known {
            removed.push(name);
        }
        has_room
    }

    /// Returns the changes of the message's header section.
    pub(crate) fn header_edits(&self) -> HeaderEdits<'_> {
        let added = self.connection.headers.iter().chain(&self.message.headers).collect();
        HeaderEdits { added, removed: self.message.removed.iter().collect() }
    }

    /// Puts the message, or each of the connection, into quarantine, with the field that says why.
    pub(crate) fn quarantine(&mut self, field: String, lasts: Lasts) {
        self.scope(lasts).quarantine.get_or_insert(field);
    }

    /// Returns the field that says why the message is in quarantine, if it is.
    pub(crate) fn quarantined(&self) -> Option<&str> {
        self.connection.quarantine.as_deref().or(self.message.quarantine.as_deref())
    }

    /// Takes note of whether a recipient that takes the message wants it in quarantine, with the field
    /// that says why, and tells whether those before it want the same. Where recipients cannot be told
    /// `apart`, one of them is enough.
    pub(crate) fn agree_on_quarantine(&mut self, field: Option<String>, apart: bool) -> bool {
        let wanted = field.is_some();
        let is_there_anyway = self.quarantine_wanted.is_none() && self.quarantined().is_some();
        let agreed =
            !apart || is_there_anyway || *self.quarantine_wanted.get_or_insert(wanted) == wanted;
        if let Some(field) = field.filter(|_| agreed) {
            self.quarantine(field, Lasts::Message);
        }
        agreed
    }

    /// Starts with a recipient that is not accepted yet.
    pub(crate) fn start_recipient(&mut self) {
        self.candidate_profile.clear();
        self.candidate_controls.clear();
    }

    pub(crate) fn set_candidate_profile(&mut self, profile: Vec<u8>) {
        self.candidate_profile = profile;
    }

    pub(super) fn candidate_profile(&self) -> &[u8] {
        &self.candidate_profile
    }

    /// Tells whether the recipient has the profile of those accepted before.
    pub(crate) fn profile_fits(&self) -> bool {
        self.profiles.first().is_none_or(|first| *first == self.candidate_profile)
    }

    /// Takes note that the recipient was accepted.
    pub fn accept_recipient(&mut self) {
        self.profiles.push(std::mem::take(&mut self.candidate_profile));
        let controls = std::mem::take(&mut self.candidate_controls);
        match &mut self.common_controls {
            Some(common) => common.retain(|control| controls.contains(control)),
            None => self.common_controls = Some(controls),
        }
    }

    pub(super) fn profile(&self, at: usize) -> Option<&[u8]> {
        self.profiles.get(at).map(Vec::as_slice)
    }

    /// Takes note that a recipient, by its number, takes the message.
    pub(crate) fn take_message(&mut self, at: usize) {
        self.takers.push(at);
    }

    /// Returns the numbers of those who take the message.
    pub(super) fn taker_numbers(&self) -> &[usize] {
        &self.takers
    }

    /// Returns how many take the message.
    pub(super) fn takers(&self) -> usize {
        self.takers.len()
    }

    /// Returns the profile of all who take the message, if they have the same.
    pub(super) fn shared_profile(&self) -> Option<&[u8]> {
        let mut profiles = self.takers.iter().map(|&at| self.profile(at));
        let first = profiles.next()??;
        profiles.all(|profile| profile == Some(first)).then_some(first)
    }

    pub(super) fn rate(&self, key: &[u8], lasts: Lasts) -> Option<Counted> {
        let scope = if lasts == Lasts::Connection { &self.connection } else { &self.message };
        scope.rates.get(key).copied()
    }

    pub(super) fn keep_rate(&mut self, key: Vec<u8>, counted: Counted, lasts: Lasts) {
        let rates = &mut self.scope(lasts).rates;
        if rates.len() < MAX_RATES || rates.contains_key(&key) {
            rates.insert(key, counted);
        }
    }

    /// Adds a line for the log.
    pub(crate) fn log(&mut self, line: String) {
        self.log.add(line);
    }

    /// Returns the log, for faults of texts.
    pub(crate) fn text_log(&mut self) -> &mut TextLog {
        &mut self.log
    }

    /// Takes the lines for the log.
    pub fn take_log(&mut self) -> Vec<String> {
        self.log.take()
    }

    /// The most questions that SPF asks the DNS for one connection between two messages that are
    /// accepted: twice as many as it asks for one sender.
    pub(crate) const MAX_SPF_QUESTIONS: usize = 300;

    /// How deep lists of rules can call each other, as in Exim.
    pub(crate) const MAX_CALLS: usize = 20;

    /// The most fields that rules add to a message, and as many to each of a connection; and the most names of
    /// fields that they remove.
    pub(crate) const MAX_HEADERS: usize = 100;

    fn scope(&mut self, lasts: Lasts) -> &mut Scope {
        match lasts {
            Lasts::Connection => &mut self.connection,
            Lasts::Message => &mut self.message,
        }
    }
}

fn borrowed<'a>(value: &'a Value<'static>) -> Value<'a> {
    Value::new(value.as_bytes(), value.trust())
}

/// How many different keys of a connection, or of a message, are counted once only.
const MAX_RATES: usize = 1000;
