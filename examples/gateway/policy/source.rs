//! The rules as they stand in the configuration, with the line of each.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rules::{NAMED, Problem, RuleError};
use super::stage::Stage;
use crate::gateway::lookups::macros::Macros;

/// A rule as it is written.
#[derive(Clone, Debug)]
pub(crate) struct RuleSource {
    /// The line of its head.
    pub(crate) line: usize,
    /// In the order of the file.
    pub(crate) entries: Vec<RuleEntry>,
}

/// A line of a rule: a condition or a modifier.
#[derive(Clone, Debug)]
pub(crate) struct RuleEntry {
    pub(crate) line: usize,
    /// Whether there is a `!` before its name.
    pub(crate) negated: bool,
    pub(crate) name: String,
    /// The second part of its name, as `acl_m_list` of `set.acl_m_list`.
    pub(crate) of: Option<String>,
    /// With macros put in.
    pub(crate) text: String,
    pub(crate) form: EntryForm,
}

/// The form of a line's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EntryForm {
    Text,
    /// A number, `true` or `false`.
    Bare,
    /// A text of several in brackets.
    OneOfSeveral,
}

impl RuleEntry {
    /// Returns its name as it is written, with `!` and its second part.
    pub(super) fn full_name(&self) -> String {
        let of = self.of.as_ref().map(|of| format!(".{of}")).unwrap_or_default();
        format!("{}{}{of}", if self.negated { "!" } else { "" }, self.name)
    }

    /// Makes the error of a fault in it.
    pub(crate) fn error(&self, problem: Problem) -> RuleError {
        RuleError::Rule { line: self.line, problem }
    }
}

/// The lists of rules in a configuration.
#[derive(Debug, Default)]
pub(super) struct RuleSources {
    /// Those of a stage.
    pub(super) lists: Vec<(Stage, Vec<RuleSource>)>,
    /// Those that texts call, by their names.
    pub(super) named: BTreeMap<String, Vec<RuleSource>>,
}

/// Finds the lists of rules in a configuration.
pub(super) fn lists(text: &str, macros: &Macros) -> Result<RuleSources, RuleError> {
    let reader = Reader { text, macros };
    let document = DeTable::parse(text)?;
    let mut found = RuleSources::default();
    for (key, value) in document.get_ref() {
        if key.get_ref() == NAMED {
            found.named = reader.named(key, value)?;
            continue;
        }
        let Some(stage) = Stage::named(key.get_ref()) else { continue };
        if found.lists.iter().any(|(other, _)| *other == stage) {
            let line = reader.line(key);
            return Err(RuleError::Rule { line, problem: Problem::TwoNames });
        }
        found.lists.push((stage, reader.rules(key, value, stage.option())?));
    }
    Ok(found)
}

struct Reader<'a> {
    text: &'a str,
    macros: &'a Macros,
}

impl Reader<'_> {
    fn named(
        &self,
        key: &Spanned<Key<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, Vec<RuleSource>>, RuleError> {
        let line = self.line(key);
        let not_rules = Problem::NotRules { option: "acl.NAME".to_owned() };
        let table = value.get_ref().as_table();
        let table = table.ok_or(RuleError::Rule { line, problem: not_rules })?;
        let lists = table.iter().map(|(name, rules)| {
            let option = format!("{NAMED}.{}", name.get_ref());
            Ok((name.get_ref().to_string(), self.rules(name, rules, &option)?))
        });
        lists.collect()
    }

    fn rules(
        &self,
        key: &Spanned<Key<'_>>,
        value: &Spanned<DeValue<'_>>,
        option: &str,
    ) -> Result<Vec<RuleSource>, RuleError> {
        let line = self.line(key);
        let not_rules = || Problem::NotRules { option: option.to_owned() };
        let rules = value.get_ref().as_array();
        let rules = rules.ok_or_else(|| RuleError::Rule { line, problem: not_rules() })?;
        if rules.len() > MAX_RULES {
            return Err(RuleError::Rule { line, problem: Problem::TooMany });
        }
        rules.iter().map(|rule| self.rule(rule, option)).collect()
    }

    fn rule(&self, rule: &Spanned<DeValue<'_>>, option: &str) -> Result<RuleSource, RuleError> {
        let line = self.line(rule);
        let problem = |problem| RuleError::Rule { line, problem };
        let table = rule
            .get_ref()
            .as_table()
            .ok_or_else(|| problem(Problem::NotRules { option: option.to_owned() }))?;
        let mut entries = Vec::new();
        for (key, value) in table {
            match value.get_ref().as_table() {
                None => self.entry(&mut entries, key, None, value)?,
                Some(parts) => {
                    for (part, value) in parts {
                        self.entry(&mut entries, key, Some(part), value)?;
                    }
                }
            }
        }
        if entries.len() > MAX_ENTRIES {
            return Err(problem(Problem::TooMany));
        }
        // A table of TOML has no order, but a rule has.
        entries.sort_by_key(|(at, _)| *at);
        Ok(RuleSource { line, entries: entries.into_iter().map(|(_, entry)| entry).collect() })
    }

    /// Takes a text or, for what a rule has more than once, a list of them.
    fn entry(
        &self,
        entries: &mut Vec<(usize, RuleEntry)>,
        key: &Spanned<Key<'_>>,
        of: Option<&Spanned<Key<'_>>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), RuleError> {
        if let Some(values) = value.get_ref().as_array() {
            let begin = entries.len();
            values.iter().try_for_each(|value| self.entry(entries, key, of, value))?;
            for (_, entry) in entries.iter_mut().skip(begin) {
                entry.form = EntryForm::OneOfSeveral;
            }
            return Ok(());
        }
        let line = self.line(value);
        let problem = |problem| RuleError::Rule { line, problem };
        let (text, form) = match value.get_ref() {
            DeValue::String(text) => {
                let text =
                    self.macros.put_into(text).map_err(|error| problem(Problem::Macro(error)))?;
                (text, EntryForm::Text)
            }
            DeValue::Integer(number) => (number.to_string(), EntryForm::Bare),
            DeValue::Boolean(word) => (word.to_string(), EntryForm::Bare),
            _ => return Err(problem(Problem::NotText)),
        };
        let (negated, name) = match key.get_ref().strip_prefix('!') {
            Some(name) => (true, name.trim_start()),
            None => (false, &**key.get_ref()),
        };
        let of = of.map(|of| of.get_ref().to_string());
        let entry = RuleEntry { line, negated, name: name.to_owned(), of, text, form };
        entries.push((value.span().start, entry));
        Ok(())
    }

    fn line<T>(&self, value: &Spanned<T>) -> usize {
        let before = self.text.as_bytes().get(..value.span().start).unwrap_or_default();
        before.split(|&c| c == b'\n').count()
    }
}

impl From<toml::de::Error> for RuleError {
    fn from(error: toml::de::Error) -> Self {
        Self::Toml(error)
    }
}

type Key<'a> = std::borrow::Cow<'a, str>;

/// The most rules that a list has.
const MAX_RULES: usize = 1000;
/// The most conditions and modifiers that a rule has.
const MAX_ENTRIES: usize = 100;
