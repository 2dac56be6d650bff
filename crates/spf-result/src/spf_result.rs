//! The seven results of a check: RFC 7208 section 2.6.

use std::fmt;
use std::str::FromStr;

use mail_types::exim::Word;
use mail_types::results::AuthResult;
use thiserror::Error;

/// The result of a check.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 section 2.6 has no more")]
pub enum SpfResult {
    /// There is no name to check, or nothing is published for it.
    None,
    /// The domain says neither yes nor no.
    Neutral,
    /// The client is authorized.
    Pass,
    /// The client is not authorized.
    Fail,
    /// The client is probably not authorized.
    SoftFail,
    /// The DNS failed for now; a later try may end otherwise.
    TempError,
    /// What is published cannot be interpreted.
    PermError,
}

impl SpfResult {
    /// The words of a condition `spf`, with Exim's former names: `err_perm` is `permerror`,
    /// `err_temp` is `temperror`, whatever the text of 2014 says of them. `invalid` never comes out
    /// of a check.
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

/// A word is no [`SpfResult`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a result of SPF")]
#[non_exhaustive]
pub struct SpfResultError;
