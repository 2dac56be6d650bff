//! The rules as they stand in the configuration, with the line of each.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rules::{Problem, RuleError};
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
}

impl RuleEntry {
    /// Makes the error of a fault in it.
    pub(crate) fn error(&self, problem: Problem) -> RuleError {
        RuleError::Rule { line: self.line, problem }
    }
}

/// Finds the lists of rules in a configuration.
pub(super) fn lists(
    text: &str,
    macros: &Macros,
) -> Result<Vec<(Stage, Vec<RuleSource>)>, RuleError> {
    let reader = Reader { text, macros };
    let document = DeTable::parse(text)?;
    let mut found: Vec<(Stage, Vec<RuleSource>)> = Vec::new();
    for (key, value) in document.get_ref() {
        let Some(stage) = Stage::named(key.get_ref()) else { continue };
        let line = reader.line(key);
        if found.iter().any(|(other, _)| *other == stage) {
            return Err(RuleError::Rule { line, problem: Problem::TwoNames });
        }
        let rules = value.get_ref().as_array();
        let rules = rules.ok_or(RuleError::Rule { line, problem: Problem::NotRules { stage } })?;
        if rules.len() > MAX_RULES {
            return Err(RuleError::Rule { line, problem: Problem::TooMany });
        }
        let rules = rules.iter().map(|rule| reader.rule(rule, stage));
        found.push((stage, rules.collect::<Result<_, _>>()?));
    }
    Ok(found)
}

struct Reader<'a> {
    text: &'a str,
    macros: &'a Macros,
}

impl Reader<'_> {
    fn rule(&self, rule: &Spanned<DeValue<'_>>, stage: Stage) -> Result<RuleSource, RuleError> {
        let line = self.line(rule);
        let problem = |problem| RuleError::Rule { line, problem };
        let table =
            rule.get_ref().as_table().ok_or_else(|| problem(Problem::NotRules { stage }))?;
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
            return values.iter().try_for_each(|value| self.entry(entries, key, of, value));
        }
        let line = self.line(value);
        let problem = |problem| RuleError::Rule { line, problem };
        let text = match value.get_ref() {
            DeValue::String(text) => {
                self.macros.put_into(text).map_err(|error| problem(Problem::Macro(error)))?
            }
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(word) => word.to_string(),
            _ => return Err(problem(Problem::NotText)),
        };
        let (negated, name) = match key.get_ref().strip_prefix('!') {
            Some(name) => (true, name.trim_start()),
            None => (false, &**key.get_ref()),
        };
        let of = of.map(|of| of.get_ref().to_string());
        let entry = RuleEntry { line, negated, name: name.to_owned(), of, text };
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
