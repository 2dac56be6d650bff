//! The causes of results: override reasons, signatures, SPF, domains.

use std::fmt;

use dmarc_policy::FeedbackRow;
use mail_types::results::{AuthResult, SpfIdentity};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::texts::Texts;

/// The kinds of facts, in the order of their columns.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fact {
    Reason,
    Signature,
    Spf,
    EnvelopeFrom,
    HeaderFrom,
}

impl Fact {
    pub(crate) const ALL: [Self; 5] =
        [Self::Reason, Self::Signature, Self::Spf, Self::EnvelopeFrom, Self::HeaderFrom];

    /// The name of the column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reason => "reasons",
            Self::Signature => "signatures",
            Self::Spf => "spf_results",
            Self::EnvelopeFrom => "envelope_from",
            Self::HeaderFrom => "header_from",
        }
    }

    /// The names of the parts of its text.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Reason => &["type", "comment"],
            Self::Signature => &["domain", "selector", "result"],
            Self::Spf => &["domain", "scope", "result"],
            Self::EnvelopeFrom | Self::HeaderFrom => &["domain"],
        }
    }
}

/// The facts of merged rows, each with its number of messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    known: Vec<(Fact, u32, u64)>,
    /// Messages with facts beyond the limit, each fact counted.
    pub(super) others: u64,
}

/// The most facts of one kind in a merged row.
const MOST: usize = 16;
/// No text of a report has a control character.
const SEPARATOR: char = '\t';

impl Facts {
    pub(super) fn add(&mut self, row: &FeedbackRow, texts: &mut Texts) {
        let mut text = String::new();
        let mut add = |fact: Fact, parts: &[&str]| {
            text.clear();
            for (at, (part, name)) in parts.iter().zip(fact.parts()).enumerate() {
                text.extend((at > 0).then_some(SEPARATOR));
                let from = text.len();
                text.push_str(part.get(..part.floor_char_boundary(MAX_TEXT)).unwrap_or_default());
                if let ("domain", Some(domain)) = (*name, text.get_mut(from..)) {
                    domain.make_ascii_lowercase();
                }
            }
            self.count(fact, texts.number(&text), row.count);
        };
        for reason in &row.reasons {
            add(Fact::Reason, &[reason.kind.as_str(), reason.comment.as_deref().unwrap_or("")]);
        }
        let word = |result: Option<AuthResult>| result.map_or("", AuthResult::as_str);
        for signature in &row.signatures {
            add(Fact::Signature, &[&signature.domain, &signature.selector, word(signature.result)]);
        }
        if let Some(spf) = &row.spf_result {
            let scope = spf.scope.map_or("", |scope| match scope {
                SpfIdentity::MailFrom => "mfrom",
                SpfIdentity::Helo => "helo",
            });
            add(Fact::Spf, &[&spf.domain, scope, word(spf.result)]);
        }
        if let Some(domain) = &row.envelope_from {
            add(Fact::EnvelopeFrom, &[domain]);
        }
        if !row.header_from.is_empty() {
            add(Fact::HeaderFrom, &[&row.header_from]);
        }
    }

    fn count(&mut self, fact: Fact, text: u32, count: u64) {
        let same = self.known.iter().filter(|(kind, ..)| *kind == fact).count();
        let known = self.known.iter_mut();
        let mut known = known.filter(|(kind, known, _)| (*kind, *known) == (fact, text));
        match known.next() {
            Some((.., sum)) => *sum = sum.saturating_add(count),
            None if same < MOST => self.known.push((fact, text, count)),
            None => self.others = self.others.saturating_add(count),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for &(fact, text, count) in &other.known {
            self.count(fact, text, count);
        }
        self.others = self.others.saturating_add(other.others);
    }

    /// Returns the facts of a kind, those of most messages first.
    pub(super) fn shown<'t>(&self, fact: Fact, texts: &'t Texts) -> Vec<Shown<'t>> {
        let known = self.known.iter().filter(|(kind, ..)| *kind == fact);
        let shown =
            |&(fact, text, count): &(Fact, u32, u64)| Shown { fact, text: texts.text(text), count };
        let mut shown: Vec<_> = known.map(shown).collect();
        shown.sort_by_key(|fact| (u64::MAX - fact.count, fact.text));
        shown
    }
}

/// The most octets of a part.
const MAX_TEXT: usize = 300;

/// A fact as it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'t> {
    fact: Fact,
    text: &'t str,
    pub(crate) count: u64,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.text.split(SEPARATOR).filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join(" ");
        // The null reverse-path has no domain.
        f.write_str(if text.is_empty() { "<>" } else { &text })
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let domain_is_text = self.fact.parts().len() == 1;
        for (name, value) in self.fact.parts().iter().zip(self.text.split(SEPARATOR)) {
            if domain_is_text || !value.is_empty() {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("count", &self.count)?;
        map.end()
    }
}
