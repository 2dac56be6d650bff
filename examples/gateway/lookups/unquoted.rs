//! Values in queries that are not quoted, in words that name what is to be written.

use std::fmt;

use event_expand::{Lookup, Template};
use mail_types::exim::{Query, Segment, Trust};
use thiserror::Error;

/// A query of a text has an untrusted value that is not quoted for its lookup.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) struct Unquoted {
    /// The position of the lookup in the text, in bytes.
    pub(crate) at: usize,
    lookup: &'static str,
    /// The variable in the value, if it has one.
    variable: Option<String>,
    /// Whether the value is this variable and no more.
    is_alone: bool,
}

impl fmt::Display for Unquoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, lookup, variable, is_alone } = self;
        write!(f, "byte {at}: the lookup {lookup}: ")?;
        match variable {
            Some(name) if *is_alone => {
                write!(f, "${name} is not quoted: write ${{quote_{lookup}:${name}}}")
            }
            Some(name) => write!(
                f,
                "a value with ${name} is not quoted: write ${{quote_{lookup}:…}} around all of it"
            ),
            None => {
                write!(f, "an untrusted value is not quoted: write ${{quote_{lookup}:…}} around it")
            }
        }
    }
}

/// Finds the first such value in the queries of a text.
pub(super) fn find(
    text: &str,
    template: &Template,
    is_untrusted: impl Fn(&str) -> bool,
) -> Option<Unquoted> {
    let mut queries = template.queries(&is_untrusted).enumerate();
    let first = |(number, (at, lookup, query)): (usize, (usize, &Lookup, Query))| {
        Some((number, at, lookup.name, position(lookup, &query)?))
    };
    let (number, at, lookup, value) = queries.find_map(first)?;
    // The value is untrusted by a variable if it is so with this variable alone, and not without it.
    let stays = |known: &dyn Fn(&str) -> bool| {
        let query = template.queries(known).nth(number);
        query.is_some_and(|(_, lookup, query)| position(lookup, &query) == Some(value))
    };
    let has = |name: &&str| is_untrusted(name) && stays(&|own: &str| own == *name);
    let variable = template.names().find(has).filter(|_| !stays(&|_| false));
    let is_alone = variable.is_some_and(|name| is_written_alone(text.get(at..), name));
    Some(Unquoted { at, lookup, variable: variable.map(str::to_owned), is_alone })
}

/// Returns the number of the first segment that must be quoted and is not. Redis needs no quotes.
fn position(lookup: &Lookup, query: &Query) -> Option<usize> {
    let is_wrong = |segment: Segment<'_>| {
        matches!(
            segment,
            Segment::Value { trust: Trust::Untrusted, quoted, .. } if quoted != Some(lookup.name)
        )
    };
    let is_sql = matches!(lookup.name, "pgsql" | "sqlite");
    query.segments().position(is_wrong).filter(|_| is_sql)
}

/// Tells whether a text has a variable that is not the operand of an operator.
fn is_written_alone(text: Option<&str>, name: &str) -> bool {
    let text = text.unwrap_or_default();
    [format!("${name}"), format!("${{{name}}}")].iter().any(|variable| {
        text.match_indices(variable.as_str()).any(|(at, _)| {
            let (before, behind) = text.split_at(at);
            let behind = behind.strip_prefix(variable.as_str()).unwrap_or_default();
            !before.ends_with(':')
                && !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}
