//! A signature of a message, with its result.

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
    /// Its `d=`, if it is a valid name.
    pub domain: Option<Name>,
    /// Its `s=`, if it is a valid name; else empty.
    pub selector: String,
    /// The result so far.
    pub result: AuthResult,
    reason: String,
    algorithm: Option<Algorithm>,
    /// The first eight characters of its `b=` (RFC 6008).
    start: String,
    /// Its tags, if it is still to be verified.
    terms: Option<Terms>,
}

impl Signature {
    /// Parses the body of a field. A malformed signature keeps its readable tags, for the report.
    pub(crate) fn read(field: usize, body: &[u8], limits: &DkimLimits, now: SystemTime) -> Self {
        let mut signature = Self::refused(field, AuthResult::Neutral, "not verified");
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

    /// Makes a signature with a result without verification.
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

    /// Returns the name of its key record; `None` if it needs no key.
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
