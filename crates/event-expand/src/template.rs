//! Templates: parsed once, expanded many times.

use std::fmt;

use mail_types::exim::{Query, Value, Variable};
use thiserror::Error;

use crate::expansion::{Expansion, Options, Progress};
use crate::need::{self, Need};
use crate::parse::Parser;
use crate::stop::{ExpandError, ExpandFailure};
use crate::tree::outline::Outline;
use crate::tree::{NodeKind, Tree};
use crate::variables::Variables;
use crate::{Limits, Lookup};

/// A text with expansions, parsed.
///
/// ```
/// use event_expand::{Template, TemplateError, Variables};
/// use mail_types::exim::{Trust, Value, Variable};
///
/// struct Sender(&'static str);
/// impl Variables for Sender {
///     fn variable(&self, name: &str) -> Variable<'_> {
///         match name {
///             "sender_address" => Value::new(self.0.as_bytes(), Trust::Untrusted).into(),
///             _ => Variable::Unknown,
///         }
///     }
/// }
///
/// let template: Template = "${if eq{$sender_address}{}{bounce}{${domain:$sender_address}}}".parse()?;
/// assert_eq!(template.expand(&Sender("ann@example.com"))?.as_bytes(), b"example.com");
/// assert_eq!(template.expand(&Sender(""))?.as_bytes(), b"bounce");
///
/// // What is wrong, and where.
/// let error = "${if eq{a}{b}".parse::<Template>().unwrap_err();
/// assert_eq!(error.at(), 13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Template {
    text: Box<[u8]>,
    pub(crate) tree: Tree,
}

impl Template {
    /// Parses a text within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`TemplateError`] with the position.
    pub fn parse(text: &[u8]) -> Result<Self, TemplateError> {
        Self::parse_within(text, &Limits::DEFAULT)
    }

    /// Parses a text within limits of your own: [`Limits::template`], [`Limits::depth`] and those of
    /// regular expressions count.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] with the position.
    pub fn parse_within(text: &[u8], limits: &Limits) -> Result<Self, TemplateError> {
        let tree = Parser::parse(text, limits)?;
        Ok(Self { text: text.into(), tree })
    }

    /// Returns the text that it was parsed from.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the names of the variables it mentions, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tree.names.iter().map(|(name, _)| &**name)
    }

    /// Returns what it mentions besides variables that the program must answer, with positions in
    /// bytes: a program can refuse what it cannot do as it starts. What stands in texts that `expand`
    /// or `sg` expand again is not seen.
    ///
    /// ```
    /// use event_expand::{Need, Template};
    ///
    /// let template: Template = "a ${lookup{$h_to:}lsearch{/f}} ${randint:9}".parse()?;
    /// let names = template.needs().map(|(at, need)| match need {
    ///     Need::Header(name) => (at, name),
    ///     Need::Lookup { lookup, .. } => (at, lookup.name),
    ///     Need::Call(call) => (at, call.as_str()),
    ///     _ => (at, ""),
    /// });
    /// let mut names: Vec<_> = names.collect();
    /// names.sort();
    /// assert_eq!(names, [(2, "lsearch"), (11, "to"), (31, "randint")]);
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn needs(&self) -> impl Iterator<Item = (usize, Need<'_>)> {
        need::needs(&self.tree)
    }

    /// Returns the queries of its lookups, as far as they are known before it is expanded, each with its position and
    /// its lookup: text as it stands, and a value without octets, untrusted, in place of what is
    /// expanded, with its mark where that is quoted for a lookup. A program can see by them whether a statement
    /// can be one.
    ///
    /// ```
    /// use event_expand::{Dialect, Statement, StatementError, Template};
    ///
    /// let text = "${lookup sqlite{SELECT 1 FROM t WHERE a = '${quote_sqlite:$domain}}}";
    /// let template: Template = text.parse()?;
    /// let (at, lookup, query) = template.queries().next().unwrap();
    /// assert_eq!((at, lookup.name), (0, "sqlite"));
    /// assert_eq!(Statement::new(&query, Dialect::Sqlite), Err(StatementError::Open));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn queries(&self) -> impl Iterator<Item = (usize, &Lookup, Query)> {
        need::queries(&self.tree)
    }

    /// Returns the text that it begins with, before the first thing to be expanded: what it says of
    /// a list's separator is the template's own word, whatever is found behind it.
    ///
    /// ```
    /// let template: event_expand::Template = r"<\n $domain".parse()?;
    /// assert_eq!(template.lead(), b"<\n ");
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    #[must_use]
    pub fn lead(&self) -> &[u8] {
        match self.tree.nodes(self.tree.root).first().map(|node| &node.kind) {
            Some(NodeKind::Text(text)) => text,
            _ => b"",
        }
    }

    /// Returns the text that it expands to whatever the variables are; `None` if something in it is
    /// expanded.
    ///
    /// ```
    /// let template: event_expand::Template = r"^cost\$".parse()?;
    /// assert_eq!(template.literal(), Some(&b"^cost$"[..]));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    #[must_use]
    pub fn literal(&self) -> Option<&[u8]> {
        self.tree.literal(self.tree.root)
    }

    /// Checks that it mentions no variable that is unknown: to be done once, as a program starts.
    /// Expanding finds only those that it comes by.
    ///
    /// # Errors
    ///
    /// [`ExpandError::UnknownVariable`] with the first.
    pub fn check(&self, variables: &impl Variables) -> Result<(), ExpandError> {
        self.check_names(variables)
    }

    pub(crate) fn check_names(&self, variables: &dyn Variables) -> Result<(), ExpandError> {
        let unknown = |name: &str| matches!(variables.variable(name), Variable::Unknown);
        match self.tree.names.iter().find(|(name, _)| unknown(name)) {
            Some((name, at)) => Err(ExpandError::UnknownVariable { at: *at, name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Expands it with the default [`Options`], where no lookup and no other request is expected.
    ///
    /// # Errors
    ///
    /// [`ExpandFailure::Forced`] where the template says `fail`; [`ExpandFailure::Error`] for all else, with
    /// [`ExpandError::Request`] for the first lookup: expand it by an [`Expansion`].
    pub fn expand(&self, variables: &impl Variables) -> Result<Value<'static>, ExpandFailure> {
        match Expansion::new(self, variables, &Options::DEFAULT).poll() {
            Progress::Done(value) => Ok(value),
            Progress::Stopped(stop) => Err(stop),
            Progress::Request(request) => Err(ExpandError::Request { at: request.at }.into()),
        }
    }

    /// Returns the parsed template in a form for people: a line for each node, those that hang below
    /// it indented, with their positions.
    #[must_use]
    pub fn outline(&self) -> Outline<'_> {
        Outline::new(&self.tree)
    }
}

impl std::str::FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text.escape_ascii().to_string()).finish()
    }
}

/// Why a text is no [`Template`]. Positions are in bytes from its start.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TemplateError {
    /// Something else must stand there.
    #[error("byte {at}: {expected} expected")]
    Expected {
        /// Where.
        at: usize,
        /// What.
        expected: &'static str,
    },
    /// A backslash ends the text.
    #[error("byte {at}: a backslash with nothing behind it")]
    Backslash {
        /// Where.
        at: usize,
    },
    /// What stands behind `${` is no item, no operator and no variable.
    #[error("byte {at}: {name:?} is no operator that takes this form")]
    Operator {
        /// Where the name begins.
        at: usize,
        /// The name.
        name: Box<str>,
    },
    /// There is no such condition.
    #[error("byte {at}: {name:?} is no condition")]
    Condition {
        /// Where it begins.
        at: usize,
        /// Its name.
        name: Box<str>,
    },
    /// There is no such lookup.
    #[error("byte {at}: {name:?} is no lookup")]
    Lookup {
        /// Where its type begins.
        at: usize,
        /// The type.
        name: Box<str>,
    },
    /// A lookup has a key and takes none, or has none and takes one.
    #[error("byte {at}: a {name} lookup {} a key", if *.takes { "takes" } else { "does not take" })]
    Key {
        /// Where its type begins.
        at: usize,
        /// Its name.
        name: &'static str,
        /// Whether it takes one.
        takes: bool,
    },
    /// The comparison of a `sort` is none that gives an order.
    #[error("byte {at}: no comparison to sort by")]
    Order {
        /// Where it stands.
        at: usize,
    },
    /// An item has too few strings.
    #[error("byte {at}: {item} takes at least {least} strings")]
    TooFew {
        /// Where the next should stand.
        at: usize,
        /// The item.
        item: &'static str,
        /// The least that it takes.
        least: usize,
    },
    /// An item has too many strings.
    #[error("byte {at}: {item} takes at most {most} strings")]
    TooMany {
        /// Where the first too many stands.
        at: usize,
        /// The item.
        item: &'static str,
        /// The most that it takes.
        most: usize,
    },
    /// Items stand in each other more deeply than [`Limits::depth`].
    #[error("byte {at}: more than {limit} levels deep")]
    TooDeep {
        /// Where.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is longer than [`Limits::template`].
    #[error("more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

impl TemplateError {
    /// Returns where, in bytes from the start of the text.
    #[must_use]
    pub fn at(&self) -> usize {
        match *self {
            Self::Expected { at, .. }
            | Self::Backslash { at }
            | Self::Operator { at, .. }
            | Self::Condition { at, .. }
            | Self::Lookup { at, .. }
            | Self::Key { at, .. }
            | Self::Order { at }
            | Self::TooFew { at, .. }
            | Self::TooMany { at, .. }
            | Self::TooDeep { at, .. } => at,
            Self::TooLong { limit } => limit,
        }
    }
}
