//! The lists of rules that others call: `[[acl.NAME]]`, by `${acl{NAME}{ARGUMENT}…}` and by the condition `acl`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use event_expand::AclVerdict;
use mail_types::exim::Value;

use super::condition::{RuleScope, Truth};
use super::context::Context;
use super::idle;
use super::rule::{Caller, Rule, Verdict};
use super::rules::{Problem, RuleError};
use super::source::RuleSource;
use super::stage::Stage;
use crate::gateway::lookups::language::Call;
use crate::gateway::lookups::macros::Macros;

/// The lists, each read for every stage at which it is called.
#[derive(Debug, Default)]
pub(crate) struct NamedRules(BTreeMap<(String, Stage), NamedList>);

/// A list, for one stage.
#[derive(Debug)]
struct NamedList {
    rules: Result<Vec<Rule>, RuleError>,
    caller: Caller,
    /// Whether its name is in a call, and not expanded there.
    is_named: bool,
    /// What is written in it.
    text: String,
}

/// The lists as they stand in a configuration.
type Sources = BTreeMap<String, Vec<RuleSource>>;

impl NamedRules {
    /// Reads the lists of a configuration. Each must be called.
    pub(super) fn read(sources: &Sources, home: &RuleScope<'_>) -> Result<Self, RuleError> {
        let read = Self::read_called(sources, home)?;
        for (name, sources) in sources {
            idle::check(sources, home)?;
            if !read.0.keys().any(|(called, _)| called == name) {
                let line = sources.first().map_or(1, |source| source.line);
                let problem = Problem::NeverCalled { name: name.clone() };
                return Err(RuleError::Rule { line, problem });
            }
        }
        Ok(read)
    }

    /// Reads those lists in the text of a configuration that the texts so far call.
    pub(crate) fn of_texts(
        text: &str,
        macros: &Macros,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        let named = super::source::lists(text, macros)?.named;
        let read = Self::read_called(&named, home)?;
        for (name, _) in read.0.keys() {
            idle::check(named.get(name).map(Vec::as_slice).unwrap_or_default(), home)?;
        }
        Ok(read)
    }

    /// Reads the lists that the texts so far call, and those that these call.
    fn read_called(sources: &Sources, home: &RuleScope<'_>) -> Result<Self, RuleError> {
        let mut read = Self::default();
        loop {
            let calls = home.language.take_calls();
            if calls.is_empty() {
                break;
            }
            for call in &calls {
                read.add(call, sources, home);
            }
        }
        let mut named = read.0.values().filter(|list| list.is_named);
        match named.find_map(|list| list.rules.as_ref().err().cloned()) {
            Some(error) => Err(error),
            None => Ok(read),
        }
    }

    /// Reads the lists that a call can be for: if its name is expanded, each.
    fn add(&mut self, call: &Call, sources: &Sources, home: &RuleScope<'_>) {
        let mut stages = Stage::CALLED.iter().copied();
        let Some(stage) = stages.find(|stage| stage.option() == call.place) else { return };
        let caller = if call.by_condition { Caller::Condition } else { Caller::Text };
        let is_called = |name: &str| call.name.as_ref().is_none_or(|called| called == name);
        for (name, sources) in sources.iter().filter(|(name, _)| is_called(name)) {
            let key = (name.clone(), stage);
            let is_named =
                call.name.is_some() || self.0.get(&key).is_some_and(|list| list.is_named);
            match self.0.get_mut(&key) {
                Some(known) if known.caller >= caller => known.is_named = is_named,
                _ => {
                    let rules = sources.iter().map(|rule| Rule::read(rule, caller, stage, home));
                    let (rules, text) = (rules.collect(), text_of(sources));
                    self.0.insert(key, NamedList { rules, caller, is_named, text });
                }
            }
        }
    }

    /// Returns what is written in the lists of a stage, by their names.
    #[cfg(feature = "gateway")]
    pub(crate) fn texts_of(&self, stage: Stage) -> Vec<(&str, &str)> {
        let of_stage = self.0.iter().filter(|((_, at), _)| *at == stage);
        of_stage.map(|((name, _), list)| (&**name, &*list.text)).collect()
    }

    /// Runs a list for a text, and says why it could not.
    pub(super) async fn call(
        &self,
        context: &mut Context<'_>,
        arguments: &[Value<'static>],
    ) -> (AclVerdict, Option<String>) {
        let (name, arguments) = arguments.split_first().unzip();
        let name = String::from_utf8_lossy(name.map(Value::as_bytes).unwrap_or_default());
        let arguments = arguments.unwrap_or_default().to_vec();
        let Verdict { truth, text, .. } =
            match self.run(context, Caller::Text, &name, arguments).await {
                Ok(verdict) => verdict,
                Err(why) => return (AclVerdict::Failed, Some(format!("acl {name}: {why}"))),
            };
        let octets = text.map(|text| text.as_bytes().to_vec()).unwrap_or_default();
        let verdict = match truth {
            Truth::Yes => AclVerdict::Accept(octets),
            Truth::No => AclVerdict::Deny(octets),
            Truth::Later | Truth::Ignored => AclVerdict::Defer,
        };
        (verdict, None)
    }

    /// Runs a list with arguments.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be run.
    pub(super) async fn run(
        &self,
        context: &mut Context<'_>,
        caller: Caller,
        name: &str,
        arguments: Vec<Value<'static>>,
    ) -> Result<Verdict, String> {
        let list = self.0.get(&(name.to_owned(), context.stage)).ok_or("no such list")?;
        let rules = list.rules.as_ref().map_err(ToString::to_string)?;
        let outer = context.state.call(arguments).ok_or("lists call each other too deep")?;
        let said = context.state.take_said();
        let mut verdict = Verdict::default();
        for rule in rules {
            if let Some(found) = rule.answer(caller, context).await {
                verdict = found;
                break;
            }
        }
        context.state.set_said(said);
        context.state.call_ended(outer);
        Ok(verdict)
    }
}

/// The conditions and modifiers of a list, as they are written.
fn text_of(sources: &[RuleSource]) -> String {
    let mut text = String::new();
    for source in sources {
        for entry in &source.entries {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}{}.{:?}={}", entry.negated, entry.name, entry.of, entry.text);
        }
        text.push('\n');
    }
    text
}
