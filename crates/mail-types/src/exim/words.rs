//! A condition on a result word, such as `spf = pass : softfail`.

use thiserror::Error;

use crate::exim::List;

/// A list of words, some with a `!` before them, that the word of a result is tested against.
///
/// ```
/// use mail_types::exim::{List, Semantics, Word, WordList};
///
/// const WORDS: &[Word] = &[Word::new("pass", &[]), Word::new("permerror", &["err_perm"])];
/// let list = WordList::new(List::new("pass : err_perm"), WORDS)?;
/// assert!(list.matches("permerror", Semantics::EachItem));
/// assert!(!list.matches("none", Semantics::EachItem));
/// # Ok::<(), mail_types::exim::WordListError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WordList {
    items: Vec<Item>,
}

impl WordList {
    /// The most items that a list may have.
    pub const MAX_ITEMS: usize = 100;

    /// Takes a list of `words`, by their names or aliases, without regard to case; `*` is any.
    ///
    /// # Errors
    ///
    /// [`WordListError`] if an item is no word, or there are too many.
    pub fn new(list: List<'_>, words: &[Word]) -> Result<Self, WordListError> {
        let mut items = Vec::new();
        for (at, text) in list.enumerate() {
            if at == Self::MAX_ITEMS {
                return Err(WordListError::TooMany);
            }
            let (negated, name) = match text.strip_prefix('!') {
                Some(name) => (true, name.trim_start()),
                None => (false, &*text),
            };
            let word = words.iter().find(|word| word.is(name)).map(|word| word.name);
            if word.is_none() && name != "*" {
                return Err(WordListError::Unknown { item: at + 1 });
            }
            items.push(Item { negated, word });
        }
        Ok(Self { items })
    }

    /// Tells whether the list takes `outcome`, the name of a word.
    #[must_use]
    pub fn matches(&self, outcome: &str, semantics: Semantics) -> bool {
        let hit = |item: &Item| item.word.is_none_or(|word| word == outcome);
        match semantics {
            Semantics::EachItem => self.items.iter().any(|item| hit(item) != item.negated),
            Semantics::ListOrder => match self.items.iter().find(|item| hit(item)) {
                Some(item) => !item.negated,
                None => self.items.last().is_some_and(|item| item.negated),
            },
        }
    }
}

/// A word of a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Word {
    name: &'static str,
    aliases: &'static [&'static str],
}

impl Word {
    /// Makes a word of its name and the other names that lists may use.
    #[must_use]
    pub const fn new(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases }
    }

    fn is(&self, text: &str) -> bool {
        let mut names = std::iter::once(&self.name).chain(self.aliases);
        names.any(|name| name.eq_ignore_ascii_case(text))
    }
}

/// How the items of a [`WordList`] work together.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the two ways that configurations are written for")]
pub enum Semantics {
    /// Each item is tested alone, from left to right, and the first that succeeds decides; `!x`
    /// succeeds when the outcome is not `x`. What Exim's experimental specification of 2014 says.
    #[default]
    EachItem,
    /// The first item whose word is the outcome decides: the list fails if that item has a `!`. At
    /// the end the list succeeds if its last item has a `!`. What Exim does today.
    ListOrder,
}

/// Why a list is not a [`WordList`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WordListError {
    /// An item that is no word of this result.
    #[error("item {item} is not a word of this result")]
    Unknown {
        /// Which, from 1.
        item: usize,
    },
    /// More than [`WordList::MAX_ITEMS`].
    #[error("more than 100 items")]
    TooMany,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Item {
    negated: bool,
    /// `None` for any word.
    word: Option<&'static str>,
}
