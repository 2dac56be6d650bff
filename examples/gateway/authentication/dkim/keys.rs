//! The public keys of signatures in the DNS: RFC 6376 section 3.6.

use std::sync::Arc;

use mail_types::dns::{Answer, Inquiry, Known, Name, RecordType, Unanswered};
use mail_types::results::AuthResult;
use thiserror::Error;

use super::Signature;
use super::public_key::PublicKey;
use super::tag_list::{TagList, TagListError};
use super::terms::Terms;

/// The inquiry for the keys of signatures, in their order.
#[derive(Clone, Debug)]
pub struct Keys {
    names: Vec<Option<Name>>,
}

impl Keys {
    /// Asks for the keys of the signatures that are still to be verified.
    pub fn of(signatures: &[Signature]) -> Self {
        Self { names: signatures.iter().map(Signature::key_name).collect() }
    }

    /// Tells whether there is nothing to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.iter().all(Option::is_none)
    }

    /// Returns the most questions that it asks: the limit of its session.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.names.len()
    }
}

impl Inquiry for Keys {
    type Verdict = Vec<KeyAnswer>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<KeyAnswer>, Unanswered> {
        // Ask for all keys before waiting for the first.
        let answers: Vec<_> = self
            .names
            .iter()
            .map(|name| name.as_ref().map(|name| known.ask(name, RecordType::Txt)).transpose())
            .collect();
        answers.into_iter().map(|answer| Ok(KeyAnswer(answer?))).collect()
    }
}

/// The answer of the DNS for a key; `None` without a question.
#[derive(Clone, Debug)]
pub struct KeyAnswer(pub(super) Option<Arc<Answer>>);

impl KeyAnswer {
    /// The keys that fit a signature, in any order.
    pub(super) fn fitting(&self, terms: &Terms) -> Result<Vec<Key>, KeyError> {
        let texts = match self.0.as_deref() {
            Some(Answer::Failed(_)) => return Err(KeyError::Unanswered),
            answer => answer.and_then(Answer::texts).ok_or(KeyError::None)?,
        };
        let (mut keys, mut problem) = (Vec::new(), KeyError::None);
        for text in texts.iter() {
            match Key::read(text, terms) {
                Ok(key) => keys.push(key),
                // Report the error of the record that is closest to a valid key.
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

/// A public key that fits a signature.
#[derive(Clone, Debug)]
pub struct Key {
    pub(super) public: PublicKey,
    /// Whether it is in test mode (`t=y`).
    pub(super) testing: bool,
}

impl Key {
    /// Parses a key record for a signature: RFC 6376 section 3.6.1.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the record is malformed, or does not fit the signature.
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

/// A signature has no valid key. A later error means a record closer to one.
#[derive(Clone, Debug, Eq, Error, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each has its text")]
pub enum KeyError {
    #[error("no key record for the selector")]
    None,
    #[error("invalid key record: {0}")]
    Tags(#[from] TagListError),
    #[error("invalid key record: v= is not DKIM1")]
    Version,
    #[error("invalid key record: v= is not its first tag")]
    VersionBehind,
    #[error("invalid key record: p= is missing")]
    Missing,
    #[error("the key type is not {wanted} (k=)")]
    Type { wanted: &'static str },
    #[error("the key is revoked (p= is empty)")]
    Revoked,
    #[error("the key is not for email (s=)")]
    Service,
    #[error("the key is not for sha256 (h=)")]
    Hash,
    /// RFC 6376 section 3.6.1, `t=s`.
    #[error("i= is a subdomain of d=, which the key forbids (t=s)")]
    Identity,
    #[error("invalid key record: p= is not base64")]
    Base64,
    #[error("invalid key record: p= is not a public key of its type")]
    Malformed,
    #[error("key too short: {bits} bits, less than 1024")]
    TooShort { bits: usize },
    #[error("key too long: {bits} bits, more than 8192")]
    TooLong { bits: usize },
    #[error("more than {MOST_KEYS} matching keys for the selector")]
    TooMany,
    #[error("the DNS did not answer")]
    Unanswered,
}

impl KeyError {
    /// Returns the result of the signature: RFC 8601 section 2.7.1.
    pub(crate) fn result(&self) -> AuthResult {
        match self {
            Self::Unanswered => AuthResult::TempError,
            _ => AuthResult::PermError,
        }
    }
}

/// The most keys of one selector that are tried.
pub(crate) const MOST_KEYS: usize = 4;
