//! One signature: what it says of itself, and what came of it.

use std::time::SystemTime;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, MethodResult};

use super::limits::DkimLimits;
use super::tag_list::TagList;
use super::terms::{Algorithm, Terms, dns_name};

/// A signature of a message.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The number of its field, from 0.
    pub(super) field: usize,
    /// Its `d=`, if that is a name.
    pub domain: Option<Name>,
    /// Its `s=`, if that is a name; else it is empty.
    pub selector: String,
    /// What was found out so far.
    pub result: AuthResult,
    reason: String,
    algorithm: Option<Algorithm>,
    /// The first eight characters of its `b=` (RFC 6008).
    start: String,
    /// Until it is verified, if it can be.
    terms: Option<Terms>,
}

impl Signature {
    /// Reads the body of a field. Of one that cannot be verified there is told what can be read.
    pub(crate) fn read(field: usize, body: &[u8], limits: &DkimLimits, now: SystemTime) -> Self {
        let mut signature = Self::refused(field, AuthResult::Neutral, "it was not verified");
        let tags = match TagList::parse(body) {
            Ok(tags) => tags,
            Err(error) => return Self::refused(field, AuthResult::Neutral, &error.to_string()),
        };
        let value = |name| tags.get(name).map(|tag| tag.value);
        signature.domain = value("d").and_then(dns_name);
        let selector = value("s").and_then(dns_name);
        signature.selector = selector.map(|name| name.to_string()).unwrap_or_default();
        signature.algorithm = value("a").and_then(Algorithm::of);
        if let Some(signed) = tags.get("b").filter(|tag| tag.base64().is_some()) {
            signature.start = signed.without_blanks().chars().take(8).collect();
        }
        match Terms::read(&tags, limits, now) {
            Ok(terms) => signature.terms = Some(terms),
            Err(error) => signature.set(error.result(), &error.to_string()),
        }
        signature
    }

    /// Makes one that is not verified.
    pub(super) fn refused(field: usize, result: AuthResult, reason: &str) -> Self {
        Self {
            field,
            domain: None,
            selector: String::new(),
            result,
            reason: reason.to_owned(),
            algorithm: None,
            start: String::new(),
            terms: None,
        }
    }

    /// Returns where its key is; `None` if that is not asked for.
    pub(super) fn key_name(&self) -> Option<Name> {
        self.terms.as_ref().map(|terms| terms.key_name.clone())
    }

    pub(super) fn take_terms(&mut self) -> Option<Terms> {
        self.terms.take()
    }

    pub(super) fn set(&mut self, result: AuthResult, reason: &str) {
        self.result = result;
        reason.clone_into(&mut self.reason);
    }

    /// Returns its part of `Authentication-Results` (RFC 8601 section 2.7.1).
    pub fn method_result(&self) -> MethodResult {
        let mut part = MethodResult::new("dkim", self.result);
        if !self.reason.is_empty() {
            part = part.with_reason(&self.reason);
        }
        let domain = self.domain.as_ref().map(ToString::to_string).unwrap_or_default();
        let domain = domain.to_ascii_lowercase();
        let algorithm = self.algorithm.map_or("", Algorithm::as_str);
        let told = [("d", &*domain), ("s", &self.selector), ("a", algorithm), ("b", &self.start)];
        for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
            part = part.with_property("header", name, value);
        }
        part
    }
}
