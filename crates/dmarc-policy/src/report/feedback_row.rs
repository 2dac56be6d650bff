//! A row of an aggregate report: sections 3.1.1.7 to 3.1.1.13 of RFC 9990.

use std::cmp::Reverse;
use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::{DkimInput, Policy, Verdict};

/// What was seen of messages that are alike in all that a report tells of them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FeedbackRow {
    /// Where they came from.
    pub source: IpAddr,
    /// How many they are.
    pub count: u64,
    /// What was done with them; `None` where a report that was read does not say.
    pub disposition: Option<RowDisposition>,
    /// Whether a signature had an aligned pass; `None` where a report that was read does not say.
    pub dkim: Option<bool>,
    /// Whether SPF had an aligned pass; `None` where a report that was read does not say.
    pub spf: Option<bool>,
    /// Why it was not what the domain's owner asks for.
    pub reasons: Vec<Override>,
    /// The author domain.
    pub header_from: String,
    /// The domain of the reverse-path; empty for the null one.
    pub envelope_from: Option<String>,
    /// The domain of the recipient.
    pub envelope_to: Option<String>,
    /// What the signatures have given, at most [`Self::MAX_SIGNATURES`] where this crate fills it.
    pub signatures: Vec<SignatureRow>,
    /// What SPF has given.
    pub spf_result: Option<SpfRow>,
}

impl FeedbackRow {
    /// Returns whether the messages had an aligned pass; what a report does not say is none.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.dkim == Some(true) || self.spf == Some(true)
    }

    /// The most signatures that are told of a message (section 3.1.3).
    pub const MAX_SIGNATURES: usize = 100;

    /// Begins the row of one message, of which nothing passed and with which nothing was done.
    #[must_use]
    pub fn new(source: IpAddr, header_from: &str) -> Self {
        Self {
            source,
            count: 1,
            disposition: Some(RowDisposition::None),
            dkim: Some(false),
            spf: Some(false),
            reasons: Vec::new(),
            header_from: header_from.to_owned(),
            envelope_from: None,
            envelope_to: None,
            signatures: Vec::new(),
            spf_result: None,
        }
    }

    /// Returns the row of a message that was tested, `applied` being what was done with it if it
    /// has failed. `None` if there is no author domain or no record: nobody asked for a report.
    ///
    /// Where what was done is not what the owner asks for, the reason is that the owner tests the
    /// policy, or else a local policy.
    #[must_use]
    pub fn of_verdict(
        source: IpAddr,
        verdict: &Verdict,
        applied: Policy,
        spf: Option<&SpfInput>,
        dkim: &[DkimInput],
    ) -> Option<Self> {
        let (author, record) = (verdict.author.as_ref()?, verdict.record()?);
        let mut row = Self::new(source, &author.to_string());
        let passed = verdict.result == AuthResult::Pass;
        row.disposition = Some(if passed { RowDisposition::Pass } else { applied.into() });
        row.dkim = Some(verdict.dkim.is_aligned());
        row.spf = Some(verdict.spf.is_aligned());
        if !passed && Some(applied) != verdict.policy {
            let testing = record.t && applied == verdict.disposition;
            let kind =
                if testing { OverrideKind::PolicyTestMode } else { OverrideKind::LocalPolicy };
            row.reasons.push(Override::new(kind));
        }
        row.signatures = Self::of_signatures(verdict, author, dkim);
        if let Some(spf) = spf.filter(|spf| spf.identity == SpfIdentity::MailFrom) {
            let domain = lower_case(&spf.domain);
            row.spf_result = Some(SpfRow {
                domain,
                scope: Some(SpfIdentity::MailFrom),
                result: Some(spf.result),
                human_result: None,
            });
        }
        Some(row)
    }

    /// Says which domain the reverse-path has; the empty one for the null path.
    #[must_use]
    pub fn with_envelope_from(self, domain: &str) -> Self {
        Self { envelope_from: Some(domain.to_owned()), ..self }
    }

    /// Says which domain the recipient has.
    #[must_use]
    pub fn with_envelope_to(self, domain: &str) -> Self {
        Self { envelope_to: Some(domain.to_owned()), ..self }
    }

    /// Gives a reason why it was not done as the owner asks.
    #[must_use]
    pub fn with_reason(mut self, reason: Override) -> Self {
        self.reasons.push(reason);
        self
    }

    /// The signatures that matter most, in the order of section 3.1.3.
    fn of_signatures(verdict: &Verdict, author: &Name, dkim: &[DkimInput]) -> Vec<SignatureRow> {
        let rank = |signature: &DkimInput| {
            let org = verdict.org_domain.as_ref();
            let domain = &signature.domain;
            match signature.result {
                AuthResult::Pass if domain == author => 3,
                AuthResult::Pass if org.is_some_and(|org| domain.is_within(org)) => 2,
                AuthResult::Pass => 1,
                _ => 0,
            }
        };
        let mut sorted: Vec<_> = dkim.iter().collect();
        sorted.sort_by_key(|signature| Reverse(rank(signature)));
        let rows = sorted.into_iter().take(Self::MAX_SIGNATURES);
        rows.map(|signature| SignatureRow {
            domain: lower_case(&signature.domain),
            selector: signature.selector.clone(),
            result: Some(signature.result),
            human_result: None,
        })
        .collect()
    }
}

/// Rows of domains that differ in case only are the same row.
fn lower_case(domain: &Name) -> String {
    domain.to_string().to_ascii_lowercase()
}

/// What was done with messages: section 3.1.1.9.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9990 has no more")]
pub enum RowDisposition {
    /// Nothing.
    #[default]
    None,
    /// Nothing, since they have passed. RFC 7489 has no word for that, and says none.
    Pass,
    /// They were taken as suspicious.
    Quarantine,
    /// They were refused.
    Reject,
}

impl RowDisposition {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

impl From<Policy> for RowDisposition {
    fn from(applied: Policy) -> Self {
        match applied {
            Policy::None => Self::None,
            Policy::Quarantine => Self::Quarantine,
            Policy::Reject => Self::Reject,
        }
    }
}

/// Why something else was done than the owner asks for: section 3.1.6.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Override {
    /// The reason.
    pub kind: OverrideKind,
    /// More on it, for people.
    pub comment: Option<String>,
}

impl Override {
    /// Gives a reason without a comment.
    #[must_use]
    pub fn new(kind: OverrideKind) -> Self {
        Self { kind, comment: None }
    }

    /// Says more on it.
    #[must_use]
    pub fn with_comment(self, comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), ..self }
    }
}

/// A reason of an [`Override`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OverrideKind {
    /// A policy of whoever has received them.
    LocalPolicy,
    /// They came by a mailing list.
    MailingList,
    /// None of the others; the comment tells.
    Other,
    /// The owner only tests the policy.
    PolicyTestMode,
    /// They came by a forwarder that is known and trusted.
    TrustedForwarder,
    /// RFC 7489: they were forwarded. It is written as `trusted_forwarder`.
    Forwarded,
    /// RFC 7489: they were not in the percentage. It is written as `other`.
    SampledOut,
}

impl OverrideKind {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("local_policy", Self::LocalPolicy),
        ("mailing_list", Self::MailingList),
        ("other", Self::Other),
        ("policy_test_mode", Self::PolicyTestMode),
        ("trusted_forwarder", Self::TrustedForwarder),
        ("forwarded", Self::Forwarded),
        ("sampled_out", Self::SampledOut),
    ];

    /// Returns the word of RFC 9990 or of RFC 7489.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("other", |(word, _)| word)
    }
}

/// What a signature has given: section 3.1.1.12.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SignatureRow {
    /// Its `d=`.
    pub domain: String,
    /// Its `s=`; empty where the reporter does not tell.
    pub selector: String,
    /// The result; `None` where a report that was read does not say.
    pub result: Option<AuthResult>,
    /// More on it, for people.
    pub human_result: Option<String>,
}

impl SignatureRow {
    /// Says what a signature has given.
    #[must_use]
    pub fn new(domain: &str, selector: &str, result: AuthResult) -> Self {
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        Self { domain, selector, result: Some(result), human_result: None }
    }

    /// Says more on it.
    #[must_use]
    pub fn with_human_result(self, text: &str) -> Self {
        Self { human_result: Some(text.to_owned()), ..self }
    }
}

/// What SPF has given: section 3.1.1.13.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SpfRow {
    /// The domain that was tested.
    pub domain: String,
    /// Whose name it is, if that is said. A result for the HELO name, as RFC 7489 has them, is read
    /// but not written.
    pub scope: Option<SpfIdentity>,
    /// The result; `None` where a report that was read does not say.
    pub result: Option<AuthResult>,
    /// More on it, for people.
    pub human_result: Option<String>,
}

impl SpfRow {
    /// Says what SPF has given for the domain of the reverse-path.
    #[must_use]
    pub fn new(domain: &str, result: AuthResult) -> Self {
        let (domain, scope) = (domain.to_owned(), Some(SpfIdentity::MailFrom));
        Self { domain, scope, result: Some(result), human_result: None }
    }

    /// Says more on it.
    #[must_use]
    pub fn with_human_result(self, text: &str) -> Self {
        Self { human_result: Some(text.to_owned()), ..self }
    }
}
