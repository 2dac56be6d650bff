//! The seven results of a check: RFC 7208 section 2.6.

use std::fmt;
use std::str::FromStr;

use mail_types::exim::Word;
use mail_types::results::AuthResult;
use thiserror::Error;

/// The result of a check.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 section 2.6 has just these")]
pub enum SpfResult {
    /// No domain to check, or no record published.
    None,
    /// The domain makes no statement.
    Neutral,
    /// The client is authorized.
    Pass,
    /// The client is not authorized.
    Fail,
    /// The client is probably not authorized.
    SoftFail,
    /// A temporary failure of the DNS; a later try may give another result.
    TempError,
    /// The published record cannot be interpreted.
    PermError,
}

impl SpfResult {
    /// The words of a condition `spf`, with Exim's former names: `err_perm` is `permerror`,
    /// `err_temp` is `temperror`, although the text of 2014 swaps them. `invalid` is never the
    /// result of a check.
    ///
    /// ```
    /// use mail_types::exim::{List, Semantics, WordList};
    /// use spf_result::SpfResult;
    ///
    /// let list = WordList::new(List::new("fail : err_perm"), SpfResult::WORDS)?;
    /// assert!(list.matches(SpfResult::PermError.as_str(), Semantics::EachItem));
    /// # Ok::<(), mail_types::exim::WordListError>(())
    /// ```
    pub const WORDS: &[Word] = &[
        Word::new("none", &[]),
        Word::new("neutral", &[]),
        Word::new("pass", &[]),
        Word::new("fail", &[]),
        Word::new("softfail", &[]),
        Word::new("temperror", &["err_temp"]),
        Word::new("permerror", &["err_perm"]),
        Word::new("invalid", &[]),
    ];

    const ALL: [Self; 7] = [
        Self::None,
        Self::Neutral,
        Self::Pass,
        Self::Fail,
        Self::SoftFail,
        Self::TempError,
        Self::PermError,
    ];

    /// Returns the word of RFC 7208.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        AuthResult::from(self).as_str()
    }
}

impl From<SpfResult> for AuthResult {
    fn from(result: SpfResult) -> Self {
        match result {
            SpfResult::None => Self::None,
            SpfResult::Neutral => Self::Neutral,
            SpfResult::Pass => Self::Pass,
            SpfResult::Fail => Self::Fail,
            SpfResult::SoftFail => Self::SoftFail,
            SpfResult::TempError => Self::TempError,
            SpfResult::PermError => Self::PermError,
        }
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SpfResult {
    type Err = SpfResultError;

    fn from_str(text: &str) -> Result<Self, SpfResultError> {
        let found = Self::ALL.into_iter().find(|word| word.as_str().eq_ignore_ascii_case(text));
        found.ok_or(SpfResultError)
    }
}

/// A text is not the word of an [`SpfResult`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not an SPF result word")]
#[non_exhaustive]
pub struct SpfResultError;
