//! Interprets the elements of a report.

use std::net::IpAddr;

use mail_types::results::{AuthResult, SpfIdentity};

use crate::report::feedback_reading::missing;
use crate::report::node::Node;
use crate::{
    AlignmentMode, Deviation, DeviationKind, DiscoveryMethod, FailureOptions, FeedbackError,
    FeedbackRow, Override, OverrideKind, PublishedPolicy, ReportMetadata, RowDisposition,
    SignatureRow, SpfRow,
};

/// The deviations so far.
pub(crate) struct Reading {
    deviations: Vec<Deviation>,
    limit: usize,
    /// The octets copied for several rows of one record.
    copied: usize,
}

impl Reading {
    pub(crate) fn new(limit: usize) -> Self {
        Self { deviations: Vec::new(), limit, copied: 0 }
    }

    pub(crate) fn note(&mut self, at: usize, kind: DeviationKind) {
        if self.deviations.len() < self.limit {
            self.deviations.push(Deviation { at, kind });
        } else if let Some(last) = self.deviations.last_mut() {
            last.kind = DeviationKind::More;
        }
    }

    pub(crate) fn finish(self) -> Vec<Deviation> {
        self.deviations
    }

    pub(crate) fn metadata(&mut self, node: &Node) -> Result<ReportMetadata, FeedbackError> {
        let range = node.child("date_range").ok_or(missing("date_range"))?;
        self.repeated(node, &["date_range", "org_name", "email", "report_id"]);
        self.repeated(range, &["begin", "end"]);
        let second = |name| {
            let node = range.child(name).ok_or(missing(name))?;
            let value = node.text().into();
            second_of(node).ok_or(FeedbackError::Invalid { element: name, value })
        };
        let errors: Vec<_> = node.children("error").map(Node::text).collect();
        Ok(ReportMetadata {
            org_name: self.text(node, "org_name"),
            email: self.text(node, "email"),
            extra_contact_info: optional(node, "extra_contact_info"),
            report_id: self.text(node, "report_id"),
            begin: second("begin")?,
            end: second("end")?,
            // RFC 7489 allows several.
            error: Some(errors.join("; ")).filter(|text| !text.is_empty()),
            generator: optional(node, "generator"),
        })
    }

    pub(crate) fn policy(&mut self, node: &Node) -> Result<PublishedPolicy, FeedbackError> {
        let domain = node.child("domain").ok_or(missing("domain"))?.text().to_owned();
        if domain.is_empty() {
            return Err(FeedbackError::Invalid { element: "domain", value: "".into() });
        }
        self.repeated(node, &["domain", "p", "sp", "np", "adkim", "aspf", "fo", "testing", "pct"]);
        let policy = |text: &str| text.parse().ok();
        let mode = |text: &str| match text {
            "r" | "R" => Some(AlignmentMode::Relaxed),
            "s" | "S" => Some(AlignmentMode::Strict),
            _ => None,
        };
        let discovery = |text: &str| match text {
            "psl" => Some(DiscoveryMethod::Psl),
            "treewalk" => Some(DiscoveryMethod::TreeWalk),
            _ => None,
        };
        let testing = |text: &str| match text {
            "y" | "Y" => Some(true),
            "n" | "N" => Some(false),
            _ => None,
        };
        Ok(PublishedPolicy {
            domain,
            discovery: self.word(node, "discovery_method", discovery),
            p: self.needed(node, "p", policy),
            sp: self.word(node, "sp", policy),
            np: self.word(node, "np", policy),
            adkim: self.word(node, "adkim", mode),
            aspf: self.word(node, "aspf", mode),
            fo: self.word(node, "fo", |text| FailureOptions::parse(text.as_bytes())),
            testing: self.word(node, "testing", testing),
            pct: self.word(node, "pct", |text| text.parse().ok()),
        })
    }

    /// Returns the rows of a record: one, but some reporters put several under the same
    /// identifiers.
    pub(crate) fn rows(&mut self, node: &Node) -> Vec<FeedbackRow> {
        self.repeated(node, &["row", "identifiers", "auth_results"]);
        let counted: Vec<_> = node.children("row").filter_map(|row| self.counted(row)).collect();
        if node.child("row").is_none() {
            self.note(node.at, DeviationKind::Record);
        }
        if counted.is_empty() {
            return counted;
        }
        let mut shared = FeedbackRow::new(IpAddr::from([0; 4]), "");
        match node.child("identifiers") {
            Some(identifiers) => {
                self.repeated(identifiers, &["header_from", "envelope_from", "envelope_to"]);
                shared.header_from = self.text(identifiers, "header_from");
                shared.envelope_from =
                    identifiers.child("envelope_from").map(|node| node.text().to_owned());
                shared.envelope_to = optional(identifiers, "envelope_to");
            }
            None => self.note(node.at, DeviationKind::Missing("identifiers")),
        }
        if node.child("auth_results").is_none() {
            self.note(node.at, DeviationKind::Missing("auth_results"));
        }
        for results in node.children("auth_results") {
            self.results(results, &mut shared);
        }
        let copies = counted.len() - 1;
        self.copied = self.copied.saturating_add(copies.saturating_mul(size(&shared)));
        let whole = counted.into_iter().map(|row| FeedbackRow {
            source: row.source,
            count: row.count,
            disposition: row.disposition,
            dkim: row.dkim,
            spf: row.spf,
            reasons: row.reasons,
            ..shared.clone()
        });
        whole.collect()
    }

    /// Returns the number of copied octets: a few in the XML can be many in the rows.
    pub(crate) fn copied(&self) -> usize {
        self.copied
    }

    /// Interprets a `row`; `None` without an address or a count.
    fn counted(&mut self, node: &Node) -> Option<FeedbackRow> {
        self.repeated(node, &["source_ip", "count", "policy_evaluated"]);
        let source = self.needed(node, "source_ip", |text| text.parse::<IpAddr>().ok());
        let count = self.needed(node, "count", |text| text.parse().ok());
        let (Some(source), Some(count)) = (source, count) else {
            self.note(node.at, DeviationKind::Record);
            return None;
        };
        let mut row = FeedbackRow { count, ..FeedbackRow::new(source, "") };
        (row.disposition, row.dkim, row.spf) = (None, None, None);
        match node.child("policy_evaluated") {
            Some(evaluated) => self.evaluated(evaluated, &mut row),
            None => self.note(node.at, DeviationKind::Missing("policy_evaluated")),
        }
        Some(row)
    }

    fn evaluated(&mut self, node: &Node, row: &mut FeedbackRow) {
        let pass = |text: &str| match text {
            "pass" => Some(true),
            "fail" => Some(false),
            _ => None,
        };
        let disposition = |text: &str| {
            let all = [
                RowDisposition::None,
                RowDisposition::Pass,
                RowDisposition::Quarantine,
                RowDisposition::Reject,
            ];
            all.into_iter().find(|word| word.as_str() == text)
        };
        self.repeated(node, &["disposition", "dkim", "spf"]);
        row.disposition = self.needed(node, "disposition", disposition);
        row.dkim = self.needed(node, "dkim", pass);
        row.spf = self.needed(node, "spf", pass);
        for reason in node.children("reason") {
            let kind = |text: &str| {
                let found = OverrideKind::ALL.iter().find(|(word, _)| *word == text);
                found.map(|(_, kind)| *kind)
            };
            let kind = self.needed(reason, "type", kind).unwrap_or(OverrideKind::Other);
            row.reasons.push(Override { kind, comment: optional(reason, "comment") });
        }
    }

    fn results(&mut self, node: &Node, row: &mut FeedbackRow) {
        for signature in node.children("dkim") {
            self.repeated(signature, &["domain", "selector", "result"]);
            let mut result = self.result(signature);
            if result == Some(AuthResult::SoftFail) {
                let value = signature.child("result").map_or("", Node::text).into();
                self.note(signature.at, DeviationKind::Value("result", value));
                result = Some(AuthResult::Fail);
            }
            row.signatures.push(SignatureRow {
                domain: self.text(signature, "domain"),
                // RFC 7489 does not require it.
                selector: optional(signature, "selector").unwrap_or_default(),
                result,
                human_result: optional(signature, "human_result"),
            });
        }
        let scope = |text: &str| match text {
            "mfrom" | "mailfrom" => Some(SpfIdentity::MailFrom),
            "helo" => Some(SpfIdentity::Helo),
            _ => None,
        };
        for spf in node.children("spf") {
            self.repeated(spf, &["domain", "scope", "result"]);
            let found = SpfRow {
                domain: self.text(spf, "domain"),
                scope: self.word(spf, "scope", scope),
                result: self.result(spf),
                human_result: optional(spf, "human_result"),
            };
            match &row.spf_result {
                None => row.spf_result = Some(found),
                // RFC 7489 allows several: the result that DMARC uses counts.
                Some(first) if first.scope == Some(SpfIdentity::Helo) => {
                    row.spf_result = Some(found);
                }
                Some(_) if found.scope == Some(SpfIdentity::Helo) => {}
                Some(_) => self.note(spf.at, DeviationKind::Repeated("spf")),
            }
        }
    }

    /// A result; words from before RFC 7208 and invalid ones become the nearest: RFC 7489 appendix
    /// C has `unknown` for temperror, and `error` for permerror.
    fn result(&mut self, node: &Node) -> Option<AuthResult> {
        let Some(result) = node.child("result") else {
            self.note(node.at, DeviationKind::Missing("result"));
            return None;
        };
        let word = result.text();
        if let Ok(result) = word.parse().or_else(|_| word.to_ascii_lowercase().parse()) {
            return Some(result);
        }
        self.note(result.at, DeviationKind::Value("result", word.into()));
        match &*word.to_ascii_lowercase() {
            "hardfail" => Some(AuthResult::Fail),
            "unknown" => Some(AuthResult::TempError),
            "error" => Some(AuthResult::PermError),
            _ => None,
        }
    }

    /// Records repeated elements that may occur once.
    fn repeated(&mut self, node: &Node, names: &[&'static str]) {
        for name in names {
            if let Some(second) = node.children(name).nth(1) {
                self.note(second.at, DeviationKind::Repeated(name));
            }
        }
    }

    /// A required text.
    fn text(&mut self, node: &Node, name: &'static str) -> String {
        let child = node.child(name);
        let text = child.map(Node::text).unwrap_or_default();
        match child {
            None => self.note(node.at, DeviationKind::Missing(name)),
            Some(child) if text.is_empty() => {
                self.note(child.at, DeviationKind::Value(name, text.into()));
            }
            Some(_) => {}
        }
        text.to_owned()
    }

    /// A required word.
    fn needed<T>(
        &mut self,
        node: &Node,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if node.child(name).is_none() {
            self.note(node.at, DeviationKind::Missing(name));
        }
        self.word(node, name, parse)
    }

    /// An optional word.
    fn word<T>(
        &mut self,
        node: &Node,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let child = node.child(name)?;
        let text = child.text();
        let found = parse(text).or_else(|| parse(&text.to_ascii_lowercase()));
        if found.is_none() {
            self.note(child.at, DeviationKind::Value(name, text.into()));
        }
        found
    }
}

fn optional(node: &Node, name: &str) -> Option<String> {
    let text = node.child(name)?.text();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A second since 1970; a fraction, which some reporters write, is ignored.
fn second_of(node: &Node) -> Option<u64> {
    let text = node.text();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    whole.parse().ok().filter(|_| digits(whole) && digits(fraction))
}

/// The approximate octets of a row without reasons.
fn size(row: &FeedbackRow) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let signatures = row.signatures.iter().map(|signature| {
        let SignatureRow { domain, selector, human_result, .. } = signature;
        size_of::<SignatureRow>() + domain.len() + selector.len() + length(human_result)
    });
    let spf = row.spf_result.as_ref();
    let spf = spf.map_or(0, |spf| spf.domain.len() + length(&spf.human_result));
    let envelope = length(&row.envelope_from) + length(&row.envelope_to);
    let shared = row.header_from.len() + envelope + spf + signatures.sum::<usize>();
    size_of::<FeedbackRow>() + shared
}
