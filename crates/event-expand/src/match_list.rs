//! Exim's lists of addresses, domains, hosts and local parts: read once and searched many times.
//!
//! Source: the chapter on domain, host, address and local part lists of Exim's specification.

pub(crate) mod look;
pub(crate) mod pattern;
pub(crate) mod search;

use std::borrow::Cow;

use mail_types::exim::{ByteList, SeparatorHint, Trust};
use thiserror::Error;

use crate::Limits;
use crate::match_list::pattern::{ItemProblem, ListPattern};
use crate::need::Need;
use crate::operators::list::is_blank;
use crate::variables::ListKind;

/// A list of patterns, compiled.
///
/// The first matching item decides: the subject is in the list, or not if the item begins with `!`.
/// If none matches, the subject is in the list only if the last item begins with `!`. An empty list
/// matches nothing. Case does not matter.
///
/// | item | in lists of | matches |
/// |------|-------------|---------|
/// | `text`, `*text` | all but hosts | this text; a text with this end |
/// | `^expression` | all but hosts | a match of the regular expression |
/// | `+name` | all | a match of the named list |
/// | `/file` | all | a match of a line of the file, each an item; `#` begins a comment |
/// | `lsearch;/file` and similar | all but hosts | a key of the file |
/// | `@` | domains | the name of this host |
/// | `part@domain` | addresses | a local part, `*part` or `*`, at an item of a domain list |
/// | `domain` | addresses | all local parts at an item of a domain list |
/// | empty, or `<>` | addresses | the empty sender |
/// | `*`, addresses, blocks, names | hosts | see [`HostPattern`](mail_types::exim::HostPattern) |
///
/// `+caseful`, `+include_unknown` and other items that change the meaning of those after them are refused.
/// In a condition `match_ip` a block is read as in Exim: the bits after its prefix do not matter, an
/// empty prefix is 0, and one longer than the address is its length.
///
/// A [`ListSearch`](crate::ListSearch) searches it.
#[derive(Clone, Debug)]
pub struct MatchList {
    pub(crate) kind: ListKind,
    pub(crate) trust: Trust,
    /// Of the text that the items were in; the lines of a file have none.
    separator: Option<u8>,
    pub(crate) items: Box<[Item]>,
}

/// An item, and whether a `!` precedes it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) negated: bool,
    pub(crate) text: Box<[u8]>,
    pub(crate) pattern: ListPattern,
}

impl MatchList {
    /// Reads a list. Untrusted text may name no file and no lookup.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooManyItems`] for more than [`Limits::items`]. A fault of an item is
    /// reported when a search reaches it, or by [`check`](Self::check).
    pub fn read(
        list: ByteList<'_>,
        trust: Trust,
        kind: ListKind,
        limits: &Limits,
    ) -> Result<Self, MatchListError> {
        let separator = Some(list.separator());
        let items = collect(list, trust, kind, limits.items);
        Ok(Self { kind, trust, separator, items: items? })
    }

    /// Reads the list of a condition, which is at most as long as a template.
    pub(crate) fn of_template(text: &[u8], kind: ListKind) -> Self {
        let list = ByteList::new(text);
        let separator = Some(list.separator());
        let items = collect(list, Trust::Trusted, kind, usize::MAX).unwrap_or_default();
        Self { kind, trust: Trust::Trusted, separator, items }
    }

    /// Reads the lines of a file as a list. A `#` at the start of a line, or after a blank, begins
    /// a comment; in a list of addresses, whose local parts may contain it, only the former.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooManyItems`] for more than [`Limits::items`].
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
        // A file may name neither files nor lookups.
        let trust = Trust::Untrusted;
        let items = collect(lines, trust, kind, limits.items)?;
        Ok(Self { kind, trust, separator: None, items })
    }

    /// Checks that each item can match a subject, for a list written by an administrator.
    ///
    /// # Errors
    ///
    /// [`MatchListError::Item`] for the first item on which every search fails, or that no subject
    /// of its kind matches.
    pub fn check(&self, limits: &Limits) -> Result<(), MatchListError> {
        self.items.iter().enumerate().try_for_each(|(at, item)| {
            item.pattern
                .check(&item.text, self.kind, limits)
                .map_err(|problem| self.error(at, problem))
        })
    }

    /// The error of an item by its index.
    pub(crate) fn error(&self, index: usize, problem: ItemProblem) -> MatchListError {
        let text = |at: usize| self.items.get(at).map(|item| &*item.text);
        let shown = text(index).unwrap_or_default();
        let cut = shown.get(..SHOWN).unwrap_or(shown);
        let hint = self.separator.filter(|_| matches!(problem, ItemProblem::Host(_)));
        let hint = hint.and_then(|separator| {
            let neighbours = [index.checked_sub(1).and_then(text), text(index + 1)];
            SeparatorHint::find(separator, shown, neighbours)
        });
        let text = String::from_utf8(cut.escape_ascii().collect()).unwrap_or_default();
        MatchListError::Item { item: index + 1, text, problem, hint }
    }

    /// Returns the kind of its items.
    ///
    /// ```
    /// use event_expand::{Limits, ListKind, MatchList};
    /// use mail_types::exim::{ByteList, Trust};
    ///
    /// let limits = Limits::default();
    /// let list = ByteList::new(b"192.0.2.1 : *.example.com : +relays");
    /// let list = MatchList::read(list, Trust::Trusted, ListKind::Host, &limits)?;
    /// assert_eq!((list.kind(), list.kind().table()), (ListKind::Host, "hostlist"));
    /// assert!(list.needs_host_names() && !list.is_empty());
    /// assert_eq!(list.named_lists().collect::<Vec<_>>(), [(3, ListKind::Host, "relays")]);
    /// let file = MatchList::from_lines(b"# our domains\nexample.com # the first\n", ListKind::Domain, &limits)?;
    /// assert!(!file.is_empty() && file.named_lists().next().is_none());
    /// # Ok::<(), event_expand::MatchListError>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> ListKind {
        self.kind
    }

    /// Returns the named lists in its items, each with its kind and the item's number, from 1.
    pub fn named_lists(&self) -> impl Iterator<Item = (usize, ListKind, &str)> {
        let items = self.items.iter().enumerate();
        items.filter_map(|(at, item)| {
            let (kind, name) = item.pattern.named_list(self.kind)?;
            Some((at + 1, kind, name))
        })
    }

    /// Returns the lookups and files in its items.
    pub fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        self.items.iter().filter_map(|item| item.pattern.need())
    }

    /// Tells whether a search may need the name of a host.
    #[must_use]
    pub fn needs_host_names(&self) -> bool {
        self.items.iter().any(|item| item.pattern.needs_host_name())
    }

    /// Tells whether the list has no items.
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

/// The reason why a list cannot be read or searched.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum MatchListError {
    /// The list has more items than [`Limits::items`].
    #[error("list has more than {limit} items")]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// An item cannot be matched.
    #[error("item {item} ({text}): {problem}{}", hint_end(*.hint))]
    Item {
        /// The number of the item; the first is 1.
        item: usize,
        /// The item, cut after 60 octets, with octets other than printable ASCII escaped.
        text: String,
        /// Its fault.
        problem: ItemProblem,
        /// The probable mistake with separators, in a list of hosts.
        hint: Option<SeparatorHint>,
    },
    /// A search needs more steps than [`Limits::steps`]: an item is one step, a regular expression
    /// to compile is 100, and 1024 steps of a search for one are one.
    #[error("list search needs more than {limit} steps")]
    TooManySteps {
        /// The limit.
        limit: usize,
    },
    /// Named lists are nested deeper than [`ListSearch::MAX_DEPTH`], or circular.
    ///
    /// [`ListSearch::MAX_DEPTH`]: crate::ListSearch::MAX_DEPTH
    #[error("named lists are circular, or nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

fn hint_end(hint: Option<SeparatorHint>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// The most octets of an item in an error text.
const SHOWN: usize = 60;
