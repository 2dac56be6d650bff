//! Templates: parsed once, expanded many times.

use std::fmt;

use mail_types::exim::{Value, Variable};
use thiserror::Error;

use crate::Limits;
use crate::expansion::{Expansion, Options, Progress};
use crate::need::{self, Need};
use crate::parse::Parser;
use crate::stop::{ExpandError, ExpandFailure};
use crate::tree::outline::Outline;
use crate::tree::{NodeKind, Tree};
use crate::variables::Variables;

/// A parsed text with expansions.
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
/// // An error has the position of the fault.
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
    /// [`TemplateError`] with the position of the fault.
    pub fn parse(text: &[u8]) -> Result<Self, TemplateError> {
        Self::parse_within(text, &Limits::DEFAULT)
    }

    /// Parses a text within other limits: [`Limits::template`], [`Limits::depth`] and those of
    /// regular expressions apply.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] with the position of the fault.
    pub fn parse_within(text: &[u8], limits: &Limits) -> Result<Self, TemplateError> {
        let tree = Parser::parse(text, limits)?;
        Ok(Self { text: text.into(), tree })
    }

    /// Returns the text of the template.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the names of its variables, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tree.names.iter().map(|(name, _)| &**name)
    }

    /// Returns its needs other than variables, with positions in bytes: a program can refuse
    /// unsupported ones at its start. Of a text that `expand` or `sg` expands again, only that is
    /// known: [`Need::Again`].
    ///
    /// ```
    /// use event_expand::{Need, Template};
    ///
    /// let template: Template = "a ${lookup{$h_to:}lsearch{/f}} ${randint:9} ${expand:$x}".parse()?;
    /// let names = template.needs().map(|(at, need)| match need {
    ///     Need::Header(name) => (at, name),
    ///     Need::Lookup { lookup, .. } => (at, lookup.name),
    ///     Need::Call(call) => (at, call.as_str()),
    ///     Need::Again => (at, "again"),
    ///     _ => (at, ""),
    /// });
    /// let mut names: Vec<_> = names.collect();
    /// names.sort();
    /// assert_eq!(names, [(2, "lsearch"), (11, "to"), (31, "randint"), (44, "again")]);
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn needs(&self) -> impl Iterator<Item = (usize, Need<'_>)> {
        need::needs(&self.tree)
    }

    /// Returns the texts with which conditions as `eq` compare a variable alone, as far as they are known before
    /// expansion, each with the position of its condition in bytes: a program can refuse a value that the
    /// variable never has.
    ///
    /// ```
    /// let text = "${if or{{eq{$event_name}{tcp:close}}{eq{$domain}{a}}}}${if eqi{b$x}{$event_name}}";
    /// let template: event_expand::Template = text.parse()?;
    /// let compared: Vec<_> = template.compared("event_name").collect();
    /// assert_eq!(compared, [(9, &b"tcp:close"[..])]);
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn compared<'t>(&'t self, variable: &'t str) -> impl Iterator<Item = (usize, &'t [u8])> {
        need::compared(&self.tree, variable)
    }

    /// Returns the text before its first expansion: a list separator in it comes from the template
    /// itself, whatever follows.
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

    /// Returns the text of a template without expansions; `None` if it has any.
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

    /// Checks that all its variables are known: call it once, at the start of the program. An
    /// expansion finds only the unknown variables that it reaches.
    ///
    /// # Errors
    ///
    /// [`ExpandError::UnknownVariable`] with the first unknown variable.
    pub fn check(&self, variables: &impl Variables) -> Result<(), ExpandError> {
        self.check_names(variables)
    }

    /// Checks its regular expressions that have nothing to expand; an expansion finds only those that it reaches.
    ///
    /// ```
    /// use event_expand::{ExpandError, Template};
    ///
    /// let template: Template = "${if match{$local_part}{(}{yes}{no}}".parse()?;
    /// assert!(matches!(template.check_patterns(), Err(ExpandError::Regex { at: 5, .. })));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ExpandError::Regex`] with the first invalid one.
    pub fn check_patterns(&self) -> Result<(), ExpandError> {
        match self.tree.invalid_pattern() {
            Some((at, fault)) => Err(fault.error(at)),
            None => Ok(()),
        }
    }

    pub(crate) fn check_names(&self, variables: &dyn Variables) -> Result<(), ExpandError> {
        let unknown = |name: &str| matches!(variables.variable(name), Variable::Unknown);
        match self.tree.names.iter().find(|(name, _)| unknown(name)) {
            Some((name, at)) => Err(ExpandError::UnknownVariable { at: *at, name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Expands it with the default [`Options`], without any lookup or other request.
    ///
    /// # Errors
    ///
    /// [`ExpandFailure::Forced`] for a `fail` in the template; else [`ExpandFailure::Error`], which is
    /// [`ExpandError::Request`] for the first lookup: expand such a template with an [`Expansion`].
    pub fn expand(&self, variables: &impl Variables) -> Result<Value<'static>, ExpandFailure> {
        match Expansion::new(self, variables, &Options::DEFAULT).poll() {
            Progress::Done(value) => Ok(value),
            Progress::Stopped(stop) => Err(stop),
            Progress::Request(request) => Err(ExpandError::Request { at: request.at }.into()),
        }
    }

    /// Returns the parsed template in a form for people: a line for each node with its position,
    /// its children indented.
    ///
    /// ```
    /// use event_expand::Template;
    ///
    /// let template: Template = "${uc:$local_part}".parse()?;
    /// let outline = template.outline().to_string();
    /// assert!(outline.contains("variable local_part") && outline.lines().count() > 2, "{outline}");
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
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

/// The reason why a text is not a [`Template`]. Positions are in bytes from its start.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum TemplateError {
    /// The text has something else at this position.
    #[error("byte {at}: {expected} expected")]
    Expected {
        /// The position.
        at: usize,
        /// The expected text.
        expected: &'static str,
    },
    /// A backslash ends the text.
    #[error("byte {at}: backslash at the end of the text")]
    Backslash {
        /// The position of the backslash.
        at: usize,
    },
    /// The name after `${` is not an item, an operator or a variable.
    #[error("byte {at}: unknown item or operator {name:?} in this form")]
    Operator {
        /// The position of the name.
        at: usize,
        /// The name.
        name: Box<str>,
    },
    /// The condition is unknown.
    #[error("byte {at}: unknown condition {name:?}")]
    Condition {
        /// The position of its name.
        at: usize,
        /// Its name.
        name: Box<str>,
    },
    /// The lookup type is unknown.
    #[error("byte {at}: unknown lookup type {name:?}")]
    Lookup {
        /// The position of the type.
        at: usize,
        /// The type.
        name: Box<str>,
    },
    /// A lookup without its key, or with a key that it does not take.
    #[error("byte {at}: lookup {name} {} a key", if *.takes { "takes" } else { "does not take" })]
    Key {
        /// The position of the type.
        at: usize,
        /// Its name.
        name: &'static str,
        /// Whether it takes a key.
        takes: bool,
    },
    /// The comparison of a `sort` does not define an order.
    #[error("byte {at}: invalid comparison for sort")]
    Order {
        /// The position of the comparison.
        at: usize,
    },
    /// An item has too few strings.
    #[error("byte {at}: {item} takes at least {least} strings")]
    TooFew {
        /// The position of the missing string.
        at: usize,
        /// The item.
        item: &'static str,
        /// The least that it takes.
        least: usize,
    },
    /// An item has too many strings.
    #[error("byte {at}: {item} takes at most {most} strings")]
    TooMany {
        /// The position of the first string beyond the limit.
        at: usize,
        /// The item.
        item: &'static str,
        /// The most that it takes.
        most: usize,
    },
    /// Items are nested deeper than [`Limits::depth`].
    #[error("byte {at}: nested deeper than {limit} levels")]
    TooDeep {
        /// The position.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is longer than [`Limits::template`].
    #[error("template longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

impl TemplateError {
    /// Returns the position, in bytes from the start of the text.
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
