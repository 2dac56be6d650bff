//! The keys of signatures: RFC 6376 section 3.6.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::DkimError;
use mail_auth::{Error, ResolverCache, Txt};
use mail_types::{Answer, AuthResult, Inquiry, Kind, Known, Name, Unanswered};

use super::Signature;

/// The question for the keys of signatures, in their order; what they are is found out in any case.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    names: Vec<Option<Name>>,
}

impl Keys {
    /// Asks for those that are still to be verified.
    pub(crate) fn of(signatures: &[Signature]) -> Self {
        Self { names: signatures.iter().map(Signature::key_name).collect() }
    }

    /// Tells whether there is nothing to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.iter().all(Option::is_none)
    }

    /// Returns how many questions that are at most: a limit for its session.
    pub(crate) fn questions(&self) -> usize {
        self.names.len()
    }
}

impl Inquiry for Keys {
    type Verdict = Vec<Found>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<Found>, Unanswered> {
        // All are asked for before the first is waited for.
        let answers: Vec<_> = self
            .names
            .iter()
            .map(|name| name.as_ref().map(|name| known.ask(name, Kind::Txt)).transpose())
            .collect();
        answers.into_iter().map(|answer| Ok(Found(answer?))).collect()
    }
}

/// What the DNS has where a key should be; `None` if it was not asked.
#[derive(Clone, Debug)]
pub(crate) struct Found(Option<Arc<Answer>>);

impl Found {
    /// The first key among the records; else the result of its signature, and why.
    pub(super) fn key(&self) -> Result<Arc<DomainKey>, (AuthResult, &'static str)> {
        let permanent = |reason| Err((AuthResult::PermError, reason));
        let Some(answer) = &self.0 else { return permanent("no key") };
        if let Answer::Failed(_) = **answer {
            return Err((AuthResult::TempError, "the DNS did not answer"));
        }
        let Some(texts) = answer.texts() else { return permanent("no key") };
        let mut problem = "no key";
        for text in texts.iter() {
            match DomainKey::parse(text) {
                Ok(key) => return Ok(Arc::new(key)),
                Err(error) => {
                    problem = match error {
                        Error::Dkim(DkimError::RevokedPublicKey) => "the key is revoked",
                        Error::Dkim(DkimError::UnsupportedKeyType) => "a key of another kind",
                        _ => "a key that is none",
                    };
                }
            }
        }
        permanent(problem)
    }
}

/// One key, as the answer to whatever `mail-auth` asks for: it asks for nothing else.
pub(super) struct KeyCache {
    key: Arc<DomainKey>,
}

impl KeyCache {
    pub(super) fn new(key: Arc<DomainKey>) -> Self {
        Self { key }
    }
}

impl ResolverCache<Box<str>, Txt> for KeyCache {
    fn get<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(Txt::DomainKey(Arc::clone(&self.key)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}
