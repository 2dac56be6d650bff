//! A condition on a result word, such as `spf = pass : softfail`.

use thiserror::Error;

use crate::exim::{List, SeparatorHint};

/// A list of result words, each with an optional `!`, to test the word of a result against.
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
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct WordList {
    items: Vec<Item>,
}

impl WordList {
    /// The most items that a list may have.
    pub const MAX_ITEMS: usize = 100;

    /// Takes a list of `words`, by their names or aliases in any case; `*` matches any word.
    ///
    /// # Errors
    ///
    /// [`WordListError`] if an item is not a word, or the list has too many items.
    pub fn new(list: List<'_>, words: &[Word]) -> Result<Self, WordListError> {
        let mut items = Vec::new();
        let separator = list.clone().into_bytes().separator();
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
                return Err(WordListError::Unknown {
                    item: at + 1,
                    text: name.chars().take(SHOWN).collect(),
                    expected: words.iter().map(|word| word.name).collect(),
                    hint: SeparatorHint::find(separator, name.as_bytes(), [None, None]),
                });
            }
            items.push(Item { negated, word });
        }
        Ok(Self { items })
    }

    /// Tells whether the list matches `outcome`, the name of a word.
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

    /// Returns the answer of a list that is the same for all of `words`, so that it tests nothing. A list
    /// without a `!` may name all of them.
    ///
    /// ```
    /// use mail_types::exim::{List, Semantics, Word, WordList};
    ///
    /// const WORDS: &[Word] = &[Word::new("pass", &[]), Word::new("fail", &[])];
    /// let list = WordList::new(List::new("pass : !pass"), WORDS)?;
    /// assert_eq!(list.constant(WORDS, Semantics::EachItem), Some(true));
    /// # Ok::<(), mail_types::exim::WordListError>(())
    /// ```
    #[must_use]
    pub fn constant(&self, words: &[Word], semantics: Semantics) -> Option<bool> {
        let negates = self.items.iter().any(|item| item.negated);
        let mut answers = words.iter().map(|word| self.matches(word.name, semantics));
        let first = answers.next()?;
        (answers.all(|answer| answer == first) && (negates || !first)).then_some(first)
    }
}

/// A word of a result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Word {
    name: &'static str,
    aliases: &'static [&'static str],
}

impl Word {
    /// Makes a word from its name and the aliases for lists.
    #[must_use]
    pub const fn new(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases }
    }

    fn is(&self, text: &str) -> bool {
        let mut names = std::iter::once(&self.name).chain(self.aliases);
        names.any(|name| name.eq_ignore_ascii_case(text))
    }
}

/// The way in which the items of a [`WordList`] are combined.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "Exim had the first, and has the second")]
pub enum Semantics {
    /// Each item is tested alone, from left to right, and the first success decides; `!x` succeeds
    /// if the outcome is not `x`. Exim's experimental specification of 2014 describes this.
    #[default]
    EachItem,
    /// The first item with the word of the outcome decides: the list fails if this item has a `!`.
    /// At the end, the list succeeds if its last item has a `!`. Exim does this today.
    ListOrder,
}

/// The reason why a list is not a [`WordList`].
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum WordListError {
    /// An item is not a word of this result.
    #[error(
        "item {item} ({}) is no result; expected {}{}",
        text.escape_debug(), expected.join(", "), SeparatorHint::end(*.hint)
    )]
    Unknown {
        /// The number of the item; the first is 1.
        item: usize,
        /// The item without its `!`, cut after 60 characters.
        text: Box<str>,
        /// The words of this result.
        expected: Box<[&'static str]>,
        /// The probable mistake with separators.
        hint: Option<SeparatorHint>,
    },
    /// The list has more than [`WordList::MAX_ITEMS`].
    #[error("list has more than 100 items")]
    TooMany,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Item {
    negated: bool,
    /// `None` for any word.
    word: Option<&'static str>,
}

/// The most characters of an item in an error.
const SHOWN: usize = 60;
