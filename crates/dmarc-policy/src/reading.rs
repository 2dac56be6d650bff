//! What the elements of a report mean.

use std::net::IpAddr;

use mail_types::{AuthResult, SpfIdentity};

use crate::feedback_reading::missing;
use crate::node::Node;
use crate::{
    AlignmentMode, DiscoveryMethod, FailureOptions, FeedbackError, FeedbackRow, Oddity, OddityKind,
    Override, OverrideKind, PublishedPolicy, ReportMetadata, RowDisposition, SignatureRow, SpfRow,
};

/// What was odd so far.
pub(crate) struct Reading {
    oddities: Vec<Oddity>,
    limit: usize,
}

impl Reading {
    pub(crate) fn new(limit: usize) -> Self {
        Self { oddities: Vec::new(), limit }
    }

    pub(crate) fn note(&mut self, at: usize, kind: OddityKind) {
        if self.oddities.len() < self.limit {
            self.oddities.push(Oddity { at, kind });
        } else if let Some(last) = self.oddities.last_mut() {
            last.kind = OddityKind::More;
        }
    }

    pub(crate) fn finish(self) -> Vec<Oddity> {
        self.oddities
    }

    pub(crate) fn metadata(&mut self, node: &Node) -> Result<ReportMetadata, FeedbackError> {
        let range = node.child("date_range").ok_or(missing("date_range"))?;
        let second = |name| {
            let text = range.child(name).and_then(|node| node.text().parse().ok());
            text.ok_or(missing(name))
        };
        let errors: Vec<_> = node.children("error").map(Node::text).collect();
        Ok(ReportMetadata {
            org_name: self.text(node, "org_name"),
            email: self.text(node, "email"),
            extra_contact_info: optional(node, "extra_contact_info"),
            report_id: self.text(node, "report_id"),
            begin: second("begin")?,
            end: second("end")?,
            // RFC 7489 has several.
            error: Some(errors.join("; ")).filter(|text| !text.is_empty()),
            generator: optional(node, "generator"),
        })
    }

    pub(crate) fn policy(&mut self, node: &Node) -> Result<PublishedPolicy, FeedbackError> {
        let domain = optional(node, "domain").ok_or(missing("domain"))?;
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
            p: self.needed(node, "p", policy).unwrap_or_default(),
            sp: self.word(node, "sp", policy),
            np: self.word(node, "np", policy),
            adkim: self.word(node, "adkim", mode),
            aspf: self.word(node, "aspf", mode),
            fo: self.word(node, "fo", |text| FailureOptions::parse(text.as_bytes())),
            testing: self.word(node, "testing", testing),
            pct: self.word(node, "pct", |text| text.parse().ok()),
        })
    }

    pub(crate) fn row(&mut self, node: &Node) -> Option<FeedbackRow> {
        let counted = node.child("row").and_then(|row| {
            let source: IpAddr = row.child("source_ip")?.text().parse().ok()?;
            Some((row, source, row.child("count")?.text().parse().ok()?))
        });
        let Some((counted, source, count)) = counted else {
            self.note(node.at, OddityKind::Record);
            return None;
        };
        let mut row = FeedbackRow { count, ..FeedbackRow::new(source, "") };
        match counted.child("policy_evaluated") {
            Some(evaluated) => self.evaluated(evaluated, &mut row),
            None => self.note(counted.at, OddityKind::Missing("policy_evaluated")),
        }
        match node.child("identifiers") {
            Some(identifiers) => {
                row.header_from = self.text(identifiers, "header_from");
                row.envelope_from =
                    identifiers.child("envelope_from").map(|node| node.text().to_owned());
                row.envelope_to = optional(identifiers, "envelope_to");
            }
            None => self.note(node.at, OddityKind::Missing("identifiers")),
        }
        match node.child("auth_results") {
            Some(results) => self.results(results, &mut row),
            None => self.note(node.at, OddityKind::Missing("auth_results")),
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
        row.disposition = self.needed(node, "disposition", disposition).unwrap_or_default();
        row.dkim = self.needed(node, "dkim", pass).unwrap_or_default();
        row.spf = self.needed(node, "spf", pass).unwrap_or_default();
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
            let mut result = self.result(signature);
            if result == AuthResult::SoftFail {
                self.note(signature.at, OddityKind::Value("result"));
                result = AuthResult::Fail;
            }
            row.signatures.push(SignatureRow {
                domain: self.text(signature, "domain"),
                // RFC 7489 does not ask for it.
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
            let found = SpfRow {
                domain: self.text(spf, "domain"),
                scope: self.word(spf, "scope", scope),
                result: self.result(spf),
                human_result: optional(spf, "human_result"),
            };
            match &row.spf_result {
                None => row.spf_result = Some(found),
                // Of several, as RFC 7489 has them, the one counts that DMARC looks at.
                Some(first) if first.scope == Some(SpfIdentity::Helo) => {
                    row.spf_result = Some(found);
                }
                Some(_) if found.scope == Some(SpfIdentity::Helo) => {}
                Some(_) => self.note(spf.at, OddityKind::Repeated("spf")),
            }
        }
    }

    /// A result; the words of before RFC 7208, and of careless reporters, are the nearest.
    fn result(&mut self, node: &Node) -> AuthResult {
        let Some(result) = node.child("result") else {
            self.note(node.at, OddityKind::Missing("result"));
            return AuthResult::None;
        };
        if let Ok(result) = result.text().parse() {
            return result;
        }
        self.note(result.at, OddityKind::Value("result"));
        match result.text() {
            "hardfail" => AuthResult::Fail,
            "error" => AuthResult::TempError,
            "unknown" => AuthResult::PermError,
            _ => AuthResult::None,
        }
    }

    /// A text that must be there.
    fn text(&mut self, node: &Node, name: &'static str) -> String {
        optional(node, name).unwrap_or_else(|| {
            self.note(node.at, OddityKind::Missing(name));
            String::new()
        })
    }

    /// A word that must be there.
    fn needed<T>(
        &mut self,
        node: &Node,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if node.child(name).is_none() {
            self.note(node.at, OddityKind::Missing(name));
        }
        self.word(node, name, parse)
    }

    /// A word that may be there.
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
            self.note(child.at, OddityKind::Value(name));
        }
        found
    }
}

fn optional(node: &Node, name: &str) -> Option<String> {
    let text = node.child(name)?.text();
    (!text.is_empty()).then(|| text.to_owned())
}
