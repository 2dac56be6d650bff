//! The keys of signatures: RFC 6376 section 3.6.

use std::sync::Arc;

use mail_types::dns::{Answer, Inquiry, Known, Name, RecordType, Unanswered};
use mail_types::results::AuthResult;
use thiserror::Error;

use super::Signature;
use super::public_key::PublicKey;
use super::tag_list::{TagList, TagListError};
use super::terms::Terms;

/// The question for the keys of signatures, in their order; what they are is found out in any case.
#[derive(Clone, Debug)]
pub struct Keys {
    names: Vec<Option<Name>>,
}

impl Keys {
    /// Asks for those that are still to be verified.
    pub fn of(signatures: &[Signature]) -> Self {
        Self { names: signatures.iter().map(Signature::key_name).collect() }
    }

    /// Tells whether there is nothing to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.iter().all(Option::is_none)
    }

    /// Returns how many questions that are at most: a limit for its session.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.names.len()
    }
}

impl Inquiry for Keys {
    type Verdict = Vec<KeyAnswer>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<KeyAnswer>, Unanswered> {
        // All are asked for before the first is waited for.
        let answers: Vec<_> = self
            .names
            .iter()
            .map(|name| name.as_ref().map(|name| known.ask(name, RecordType::Txt)).transpose())
            .collect();
        answers.into_iter().map(|answer| Ok(KeyAnswer(answer?))).collect()
    }
}

/// What the DNS has where a key should be; `None` if it was not asked.
#[derive(Clone, Debug)]
pub struct KeyAnswer(pub(super) Option<Arc<Answer>>);

impl KeyAnswer {
    /// The keys that fit a signature; nothing depends on their order.
    pub(super) fn fitting(&self, terms: &Terms) -> Result<Vec<Key>, KeyError> {
        let texts = match self.0.as_deref() {
            Some(Answer::Failed(_)) => return Err(KeyError::Unanswered),
            answer => answer.and_then(Answer::texts).ok_or(KeyError::None)?,
        };
        let (mut keys, mut problem) = (Vec::new(), KeyError::None);
        for text in texts.iter() {
            match Key::read(text, terms) {
                Ok(key) => keys.push(key),
                // What is told is the one that comes nearest to a key that fits.
                Err(error) => problem = problem.max(error),
            }
        }
        match keys.len() {
            0 => Err(problem),
            1..=MOST_KEYS => Ok(keys),
            _ => Err(KeyError::TooMany),
        }
    }
}

/// A key that a signature may be verified by.
#[derive(Clone, Debug)]
pub struct Key {
    pub(super) public: PublicKey,
    /// Whether the domain only tries it out (`t=y`).
    pub(super) testing: bool,
}

impl Key {
    /// Reads a record, if it is a key for this signature: RFC 6376 section 3.6.1.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn read(text: &[u8], terms: &Terms) -> Result<Self, KeyError> {
        let tags = TagList::parse(text)?;
        match tags.get("v") {
            Some(tag) if tag.value != "DKIM1" => return Err(KeyError::Version),
            Some(_) if tags.tags().first().is_none_or(|first| first.name != "v") => {
                return Err(KeyError::VersionBehind);
            }
            _ => {}
        }
        let algorithm = terms.algorithm;
        let public = tags.get("p").ok_or(KeyError::Missing)?;
        let kind = tags.get("k").map_or("rsa", |tag| tag.value);
        if !kind.eq_ignore_ascii_case(algorithm.key_type()) {
            return Err(KeyError::Type { wanted: algorithm.key_type() });
        }
        if public.value.is_empty() {
            return Err(KeyError::Revoked);
        }
        if tags.get("s").is_some_and(|tag| !tag.has("*") && !tag.has("email")) {
            return Err(KeyError::Service);
        }
        if tags.get("h").is_some_and(|tag| !tag.has("sha256")) {
            return Err(KeyError::Hash);
        }
        let flag = |flag| tags.get("t").is_some_and(|tag| tag.has(flag));
        if flag("s") && terms.identity != terms.domain {
            return Err(KeyError::Identity);
        }
        let octets = public.base64().ok_or(KeyError::Base64)?;
        Ok(Self { public: PublicKey::read(&octets, algorithm)?, testing: flag("y") })
    }
}

/// Why there is no key for a signature, the farthest from one first.
#[derive(Clone, Debug, Eq, Error, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each has its text")]
pub enum KeyError {
    #[error("the selector has no key")]
    None,
    #[error("the key is not valid: {0}")]
    Tags(#[from] TagListError),
    #[error("the key is not valid: v= is not DKIM1")]
    Version,
    #[error("the key is not valid: v= is not its first tag")]
    VersionBehind,
    #[error("the key is not valid: p= is missing")]
    Missing,
    #[error("the key is not of the type {wanted} (k=)")]
    Type { wanted: &'static str },
    #[error("the key is revoked (p= is empty)")]
    Revoked,
    #[error("the key is not for email (s=)")]
    Service,
    #[error("the key is not for sha256 (h=)")]
    Hash,
    /// RFC 6376 section 3.6.1, `t=s`.
    #[error("i= is not in the domain d= itself, as the key wants it (t=s)")]
    Identity,
    #[error("the key is not valid: p= is not base64")]
    Base64,
    #[error("the key is not valid: p= is not a public key of its type")]
    Malformed,
    #[error("the key is too short: {bits} bits, and 1024 is the least")]
    TooShort { bits: usize },
    #[error("the key is too long: {bits} bits, and 8192 is the most")]
    TooLong { bits: usize },
    #[error("the selector has more than {MOST_KEYS} keys that fit")]
    TooMany,
    #[error("the DNS did not answer")]
    Unanswered,
}

impl KeyError {
    /// Returns the result that it makes: RFC 8601 section 2.7.1.
    pub(crate) fn result(&self) -> AuthResult {
        match self {
            Self::Unanswered => AuthResult::TempError,
            _ => AuthResult::PermError,
        }
    }
}

/// So many keys of one selector are tried.
pub(crate) const MOST_KEYS: usize = 4;
