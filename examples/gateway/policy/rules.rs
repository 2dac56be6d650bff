//! The rules that accept, refuse, defer, mark or quarantine mail; the manual describes them.
//!
//! Rules are tables of the configuration, in a list for each stage of a session or in one that others call. They are
//! read and checked as the configuration is, so that a session can rely on them.

use std::sync::Arc;

use super::condition::RuleScope;
use super::context::Context;
use super::decision::Decision;
use super::idle;
use super::list::RuleList;
use super::named_rules::NamedRules;
pub(crate) use super::problem::{Problem, RuleError};
use super::rule::{Caller, Rule};
use super::source::{RuleEntry, RuleSources};
use super::stage::Stage;
use crate::gateway::lookups::language::Language;
use crate::gateway::lookups::macros::Macros;

/// The lists of rules of a configuration.
#[derive(Debug, Default)]
pub struct Rules {
    lists: Vec<(Stage, Vec<Rule>)>,
    /// Those that texts call.
    named: Arc<NamedRules>,
    /// All conditions and modifiers, as texts.
    entries: Vec<RuleEntry>,
    has_delays: bool,
}

impl Rules {
    /// Reads and checks the rules in the text of a configuration.
    pub(crate) fn read(
        text: &str,
        macros: &Macros,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        // The stage at which a named list of hosts or domains is checked is not where it calls a list of rules.
        let calls = home.language.take_calls();
        check_lists(home)?;
        home.language.take_calls();
        for call in calls {
            home.language.note_call(call);
        }
        let RuleSources { lists, named } = super::source::lists(text, macros)?;
        let mut rules = Self::default();
        for (stage, sources) in lists {
            let list =
                sources.iter().map(|source| Rule::read(source, Caller::Session, stage, home));
            rules.lists.push((stage, list.collect::<Result<_, _>>()?));
            idle::check(&sources, home)?;
            idle::check_refusals(&sources, stage, home)?;
            rules.entries.extend(sources.into_iter().flat_map(|source| source.entries));
        }
        rules.named = Arc::new(NamedRules::read(&named, home)?);
        let named = named.into_values().flatten();
        rules.entries.extend(named.flat_map(|source| source.entries));
        rules.has_delays = rules.line_of("delay").is_some();
        Ok(rules)
    }

    /// Returns the lists that texts call.
    pub(crate) fn named(&self) -> &Arc<NamedRules> {
        &self.named
    }

    /// Returns the line of a condition or a modifier of this name, if a rule has one.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.line)
    }

    /// Returns the line of a condition or a modifier of this name with this text.
    pub(crate) fn line_with(&self, name: &str, text: &str) -> Option<usize> {
        let is_it = |entry: &&RuleEntry| entry.name == name && entry.text == text;
        self.entries.iter().find(is_it).map(|entry| entry.line)
    }

    /// Returns the line of a condition or a modifier whose text has this variable.
    pub(crate) fn line_of_variable(&self, variable: &str, language: &Language) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.find(|entry| language.mentions(&entry.text, variable)).map(|entry| entry.line)
    }

    /// Tells whether a rule puts messages into quarantine.
    pub(crate) fn quarantines(&self) -> bool {
        self.line_with("verb", "quarantine").is_some()
    }

    /// Tells whether a rule refuses anything.
    pub(crate) fn refuses(&self) -> bool {
        let verbs = ["deny", "drop", "require", "defer"];
        let refuses = |entry: &RuleEntry| entry.name == "verb" && verbs.contains(&&*entry.text);
        self.entries.iter().any(refuses)
    }

    /// Returns the fault of each rule of a session, in the order of the lists.
    pub(crate) fn faults(text: &str, macros: &Macros, home: &RuleScope<'_>) -> Vec<RuleError> {
        let sources = match super::source::lists(text, macros) {
            Ok(sources) => sources,
            Err(error) => return vec![error],
        };
        let rules = sources.lists.iter().flat_map(|(stage, rules)| {
            rules.iter().map(|rule| Rule::read(rule, Caller::Session, *stage, home))
        });
        rules.filter_map(Result::err).collect()
    }

    /// Tells whether the text of a condition or a modifier contains these words, such as the name of a
    /// variable.
    pub(crate) fn mentions(&self, words: &str) -> bool {
        self.entries.iter().any(|entry| entry.text.contains(words))
    }

    /// Tells whether a rule has a delay.
    pub(crate) fn has_delays(&self) -> bool {
        self.has_delays
    }

    /// Evaluates the rules of the context's stage.
    pub async fn judge(&self, context: &mut Context<'_>) -> Decision {
        let list = self.lists.iter().find(|(stage, _)| *stage == context.stage);
        for rule in list.map(|(_, rules)| rules.as_slice()).unwrap_or_default() {
            if let Some(decision) = rule.ask(context).await {
                return decision;
            }
        }
        Decision::default()
    }
}

/// Checks the named lists, also unused ones.
fn check_lists(home: &RuleScope<'_>) -> Result<(), RuleError> {
    for (kind, name, text) in home.language.lists.all() {
        // All variables can have a value at this stage; the check of a rule uses its own stage.
        let checked = RuleList::read(text, Stage::Prdr, (home.language, home.host), kind);
        checked.map_err(|problem| {
            let (table, name) = (kind.table(), name.to_owned());
            RuleError::List { table, name, problem }
        })?;
    }
    Ok(())
}

/// The table of the lists that texts call.
pub(crate) const NAMED: &str = "acl";
