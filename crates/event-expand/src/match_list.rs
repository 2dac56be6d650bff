//! Exim's lists of addresses, domains, hosts and local parts, read once and searched many times.
//!
//! Source: the chapter on domain, host, address and local part lists of Exim's specification.

pub(crate) mod look;
pub(crate) mod pattern;
pub(crate) mod search;

use std::borrow::Cow;

use mail_types::exim::{ByteList, Trust};
use thiserror::Error;

use crate::Limits;
use crate::match_list::pattern::{ItemProblem, ListPattern};
use crate::need::Need;
use crate::operators::list::is_blank;
use crate::variables::ListKind;

/// A list of patterns, compiled.
///
/// The first item that matches says yes, or no if it begins with `!`; if none matches, the subject is
/// in the list only if the last item begins with `!`. An empty list matches nothing. Case does not
/// matter.
///
/// | item | in lists of | matches |
/// |------|-------------|---------|
/// | `text`, `*text` | all but hosts | the same text; one that ends so |
/// | `^expression` | all but hosts | what the regular expression matches |
/// | `+name` | all | what the named list matches |
/// | `/file` | all | what a line of the file matches, each an item; `#` begins a comment |
/// | `lsearch;/file` and its like | all but hosts | what is a key of the file |
/// | `@` | domains | the name of this host |
/// | `part@domain` | addresses | a local part, `*part` or `*`, at an item of a domain list |
/// | `domain` | addresses | all local parts at an item of a domain list |
/// | nothing, or `<>` | addresses | the empty sender |
/// | `*`, addresses, blocks, names | hosts | see [`HostPattern`](mail_types::exim::HostPattern) |
///
/// It is searched by a [`ListSearch`](crate::ListSearch).
#[derive(Clone, Debug)]
pub struct MatchList {
    pub(crate) kind: ListKind,
    pub(crate) trust: Trust,
    pub(crate) items: Box<[Item]>,
}

/// An item, and whether a `!` stands before it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) negated: bool,
    pub(crate) text: Box<[u8]>,
    pub(crate) pattern: ListPattern,
}

impl MatchList {
    /// Reads a list. Untrusted text names no file and no lookup.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooManyItems`] beyond [`Limits::items`]. What is wrong with an item is said
    /// when a search reaches it, or by [`check`](Self::check).
    pub fn read(
        list: ByteList<'_>,
        trust: Trust,
        kind: ListKind,
        limits: &Limits,
    ) -> Result<Self, MatchListError> {
        let items = collect(list, trust, kind, limits.items);
        Ok(Self { kind, trust, items: items? })
    }

    /// Reads the list of a condition, whose length is that of a template at most.
    pub(crate) fn of_template(text: &[u8], kind: ListKind) -> Self {
        let items = collect(ByteList::new(text), Trust::Trusted, kind, usize::MAX);
        Self { kind, trust: Trust::Trusted, items: items.unwrap_or_default() }
    }

    /// Reads the lines of a file as a list; `#` at the start of a line, or behind a blank, begins a
    /// comment, the latter not in a list of addresses, whose local parts may have it.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooManyItems`] beyond [`Limits::items`].
    pub fn from_lines(
        text: &[u8],
        kind: ListKind,
        limits: &Limits,
    ) -> Result<Self, MatchListError> {
        let without_comment = |line: &[u8]| {
            let begins = |at: &usize| {
                let before = at.checked_sub(1).and_then(|at| line.get(at));
                let blank = before.is_some_and(|b| is_blank(*b));
                line.get(*at) == Some(&b'#')
                    && (before.is_none() || (blank && kind != ListKind::Address))
            };
            let end = (0..line.len()).find(begins).unwrap_or(line.len());
            line.get(..end).unwrap_or_default().trim_ascii().to_vec()
        };
        let lines = text.split(|byte| *byte == b'\n').map(without_comment);
        let lines = lines.filter(|line| !line.is_empty()).map(Cow::Owned);
        // A file names neither files nor lookups.
        let trust = Trust::Untrusted;
        Ok(Self { kind, trust, items: collect(lines, trust, kind, limits.items)? })
    }

    /// Checks that each item can match something, for a list that an administrator wrote.
    ///
    /// # Errors
    ///
    /// [`MatchListError::Item`], for the first item that a search could only fail at, or that no
    /// subject of its kind matches.
    pub fn check(&self, limits: &Limits) -> Result<(), MatchListError> {
        self.items.iter().enumerate().try_for_each(|(at, item)| {
            item.pattern
                .check(&item.text, self.kind, limits)
                .map_err(|problem| MatchListError::at(at, &item.text, problem))
        })
    }

    /// Returns what its items are.
    #[must_use]
    pub fn kind(&self) -> ListKind {
        self.kind
    }

    /// Returns the named lists that its items name, each with its kind and its number, from 1.
    pub fn named_lists(&self) -> impl Iterator<Item = (usize, ListKind, &str)> {
        let items = self.items.iter().enumerate();
        items.filter_map(|(at, item)| {
            let (kind, name) = item.pattern.named_list(self.kind)?;
            Some((at + 1, kind, name))
        })
    }

    /// Returns the lookups that its items make, and the files that they name.
    pub fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        self.items.iter().filter_map(|item| item.pattern.need())
    }

    /// Tells whether a search may need the name of a host.
    #[must_use]
    pub fn needs_host_names(&self) -> bool {
        self.items.iter().any(|item| item.pattern.needs_host_name())
    }

    /// Tells whether it has no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

fn collect<'a>(
    list: impl Iterator<Item = Cow<'a, [u8]>>,
    trust: Trust,
    kind: ListKind,
    limit: usize,
) -> Result<Box<[Item]>, MatchListError> {
    let mut items = Vec::new();
    for item in list {
        if items.len() == limit {
            return Err(MatchListError::TooManyItems { limit });
        }
        let (negated, text) = match item.strip_prefix(b"!") {
            Some(rest) => {
                let blanks = rest.iter().take_while(|b| is_blank(**b)).count();
                (true, rest.get(blanks..).unwrap_or_default())
            }
            None => (false, &*item),
        };
        let pattern = ListPattern::read(text, kind, trust);
        items.push(Item { negated, text: text.into(), pattern });
    }
    Ok(items.into())
}

/// Why a list cannot be read, or cannot be searched to its end.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MatchListError {
    /// More items than [`Limits::items`].
    #[error("more than {limit} items")]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// An item cannot be matched.
    #[error("item {item} ({text}): {problem}")]
    Item {
        /// Which, from 1.
        item: usize,
        /// The item, cut after 60 octets; octets that are not printable are escaped.
        text: String,
        /// Why not.
        problem: ItemProblem,
    },
    /// A search took more than [`Limits::steps`]: an item is one, a regular expression that must be
    /// compiled is 100.
    #[error("more than {limit} steps in a search of a list")]
    TooManySteps {
        /// The limit.
        limit: usize,
    },
    /// Named lists that name each other more than [`ListSearch::MAX_DEPTH`] deep.
    ///
    /// [`ListSearch::MAX_DEPTH`]: crate::ListSearch::MAX_DEPTH
    #[error("named lists name each other in a circle, or more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl MatchListError {
    /// The item at an index, and what is wrong with it.
    pub(crate) fn at(index: usize, text: &[u8], problem: ItemProblem) -> Self {
        let cut = text.get(..SHOWN).unwrap_or(text);
        let text = String::from_utf8(cut.escape_ascii().collect()).unwrap_or_default();
        Self::Item { item: index + 1, text, problem }
    }
}

/// How much of an item an error shows, in octets.
const SHOWN: usize = 60;
