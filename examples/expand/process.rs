//! Strings beside no configuration: the variables and lists of the command line, and Exim's own variables.

use std::collections::BTreeMap;
use std::time::SystemTime;

use event_expand::{
    Ask, Capabilities, Capability, ExpandError, ExpandFailure, HeaderForm, HostCall, Journal,
    ListKind, Options, Progress, Template, Variables,
};
use examples::gateway::lookups::random;
use examples::gateway::policy::given::Given;
use mail_types::exim::{LookupResult, Value, Variable};

use crate::case::Case;
use crate::exim_variables::EximVariables;
use crate::signed_address;

/// The variables and lists of a process.
#[derive(Debug)]
pub(crate) struct Process {
    given: Given,
    lists: BTreeMap<(ListKind, String), String>,
    exim: EximVariables,
    options: Options,
}

impl Process {
    pub(crate) fn new(given: Given, lists: &[NamedList]) -> Self {
        let lists = lists.iter().map(|list| ((list.kind, list.name.clone()), list.text.clone()));
        let capabilities = Capabilities::NONE.with(Capability::Clock).with(Capability::Random);
        Self {
            given,
            lists: lists.collect(),
            exim: EximVariables::of_process(),
            options: Options::default().with_capabilities(capabilities),
        }
    }

    /// Expands a string at this time.
    pub(crate) fn expand(&mut self, text: &[u8], now: SystemTime) -> Case {
        self.exim.at(now);
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(error) => return Case::wrong(&error, Some(error.at())),
        };
        match template.check(self) {
            Ok(()) => match self.run(&template, now) {
                Err(ExpandFailure::Error(error)) => told(&error),
                outcome => Case::expanded(outcome),
            },
            Err(error) => Case::wrong(&error, Some(error.at())),
        }
    }

    fn run(&self, template: &Template, now: SystemTime) -> Result<Value<'static>, ExpandFailure> {
        let mut journal = Journal::default();
        loop {
            let request = match template.resume(self, &self.options, &mut journal) {
                Progress::Done(value) => return Ok(value),
                Progress::Stopped(stop) => return Err(stop),
                Progress::Request(request) => request,
            };
            match answer(&request.ask, now) {
                Some(found) => journal.handle_found(found),
                None => return Err(ExpandError::Request { at: request.at }.into()),
            }
        }
    }
}

/// Describes an error, with the way to what strings have in a configuration only.
fn told(error: &ExpandError) -> Case {
    let help = match error {
        ExpandError::Request { .. } => {
            "; --config FILE gives the lookups of a gateway's configuration"
        }
        ExpandError::Denied { capability: Capability::Files, .. } => {
            "; --config FILE gives lookups in the files of its lookup_directories"
        }
        ExpandError::Denied { .. } => "; neither this tool nor a gateway has it",
        _ => "",
    };
    Case::wrong(&format!("{error}{help}"), Some(error.at()))
}

/// Answers what needs nothing but the clock and random numbers.
fn answer(ask: &Ask, now: SystemTime) -> Option<LookupResult> {
    match ask {
        Ask::Call { call: HostCall::RandInt, arguments } => {
            Some(random::answer(arguments).map_or(LookupResult::Deferred, LookupResult::Value))
        }
        Ask::Call { call, arguments } => signed_address::answer(*call, arguments, now),
        _ => None,
    }
}

impl Variables for Process {
    fn variable(&self, name: &str) -> Variable<'_> {
        let own = match name {
            "sender_address_local_part" | "sender_address_domain" => {
                part_of_sender(self.given.variable("sender_address"), name)
            }
            _ => None,
        };
        match self.given.variable(name) {
            Variable::Unknown => own.unwrap_or_else(|| self.exim.variable(name)),
            value => value,
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        self.given.header(name, form)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.given.certificate(name)
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        match self.lists.get(&(kind, name.to_owned())) {
            Some(text) => Value::trusted(text).into(),
            None => Variable::Unknown,
        }
    }
}

/// A part of `$sender_address`, if that is given.
fn part_of_sender(address: Variable<'_>, name: &str) -> Option<Variable<'static>> {
    let Variable::Value(address) = address else { return None };
    let octets = address.as_bytes();
    let at = octets.iter().rposition(|&octet| octet == b'@');
    let (local_part, domain) = match at.and_then(|at| octets.split_at_checked(at)) {
        Some((local_part, domain)) => (local_part, domain.get(1..).unwrap_or_default()),
        None => (octets, &[][..]),
    };
    let part = if name.ends_with("domain") { domain } else { local_part };
    Some(Value::new(part.to_vec(), address.trust()).into())
}

/// A named list of the command line.
#[derive(Clone, Debug)]
pub(crate) struct NamedList {
    kind: ListKind,
    name: String,
    text: String,
}

impl NamedList {
    /// Reads it in the form of Exim's configuration: `domainlist NAME = ITEM : ITEM`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected =
            || "expected \"domainlist NAME = ITEMS\", or another kind of list".to_owned();
        let (word, rest) = text.trim_start().split_once(' ').ok_or_else(expected)?;
        let kind = ListKind::ALL.into_iter().find(|kind| kind.table() == word);
        let (name, items) = rest.split_once('=').ok_or_else(expected)?;
        let (kind, name, text) = (kind.ok_or_else(expected)?, name.trim(), items.trim());
        if name.is_empty() || name.contains(' ') {
            return Err(expected());
        }
        if text.contains('$') {
            return Err(format!("{name}: a list is not expanded here, and has no $"));
        }
        Ok(Self { kind, name: name.to_owned(), text: text.to_owned() })
    }
}
