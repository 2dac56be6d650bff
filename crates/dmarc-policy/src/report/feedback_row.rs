//! A row of an aggregate report: sections 3.1.1.7 to 3.1.1.13 of RFC 9990.

use std::cmp::Reverse;
use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::{DkimInput, Policy, Verdict};

/// Messages with identical properties in a report, and their number.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct FeedbackRow {
    /// The source address.
    pub source: IpAddr,
    /// The number of messages.
    pub count: u64,
    /// The disposition; `None` if a received report does not give it.
    pub disposition: Option<RowDisposition>,
    /// Whether a signature had an aligned pass; `None` if a received report does not give it.
    pub dkim: Option<bool>,
    /// Whether SPF had an aligned pass; `None` if a received report does not give it.
    pub spf: Option<bool>,
    /// The reasons for a deviation from the owner's policy.
    pub reasons: Vec<Override>,
    /// The author domain.
    pub header_from: String,
    /// The domain of the reverse-path; empty for the null one.
    pub envelope_from: Option<String>,
    /// The domain of the recipient.
    pub envelope_to: Option<String>,
    /// The results of the signatures, at most [`Self::MAX_SIGNATURES`] in a row that this crate
    /// makes.
    pub signatures: Vec<SignatureRow>,
    /// The result of SPF.
    pub spf_result: Option<SpfRow>,
}

impl FeedbackRow {
    /// Returns whether the messages had an aligned pass; a missing result does not count as one.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.dkim == Some(true) || self.spf == Some(true)
    }

    /// The most signatures reported for a message (section 3.1.3).
    pub const MAX_SIGNATURES: usize = 100;

    /// Starts the row of one message without any pass, delivered as usual.
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

    /// Returns the row of an evaluated message; `applied` is the disposition if it has failed.
    /// `None` without an author domain or a record: nobody has requested a report.
    ///
    /// If the disposition differs from the owner's policy, the reason is test mode or a local
    /// policy.
    ///
    /// ```
    /// use dmarc_policy::{Author, Dmarc, FeedbackRow, Override, OverrideKind, Policy, SignatureRow, SpfRow};
    /// use mail_types::{dns::Zone, results::AuthResult};
    ///
    /// let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=reject\"")?;
    /// let dmarc = Dmarc::new(Author::from_message(b"From: ann@example.com\r\n\r\n"));
    /// let verdict = dmarc.session().run(|question| zone.answer(question));
    /// let row = FeedbackRow::of_verdict("192.0.2.1".parse()?, &verdict, Policy::None, None, &[]);
    /// let mut row = row.ok_or("no report is wanted")?
    ///     .with_envelope_from("example.com")
    ///     .with_envelope_to("example.net")
    ///     .with_reason(Override::new(OverrideKind::MailingList).with_comment("a list of ours"));
    /// assert!(!row.passed() && row.reasons.len() == 2, "{row:?}");
    /// row.signatures.push(SignatureRow::new("example.com", "s", AuthResult::Fail).with_human_result("no key"));
    /// row.spf_result = Some(SpfRow::new("example.com", AuthResult::None).with_human_result("no record"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Sets the domain of the reverse-path; an empty one for the null path.
    #[must_use]
    pub fn with_envelope_from(self, domain: &str) -> Self {
        Self { envelope_from: Some(domain.to_owned()), ..self }
    }

    /// Sets the domain of the recipient.
    #[must_use]
    pub fn with_envelope_to(self, domain: &str) -> Self {
        Self { envelope_to: Some(domain.to_owned()), ..self }
    }

    /// Adds a reason for a deviation from the owner's policy.
    #[must_use]
    pub fn with_reason(mut self, reason: Override) -> Self {
        self.reasons.push(reason);
        self
    }

    /// The most important signatures, in the order of section 3.1.3.
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

/// Rows whose domains differ in case only are the same row.
fn lower_case(domain: &Name) -> String {
    domain.to_string().to_ascii_lowercase()
}

/// The disposition of messages: section 3.1.1.9.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9990 has just these")]
pub enum RowDisposition {
    /// No action.
    #[default]
    None,
    /// No action, since the messages have passed. RFC 7489 has no such word, and uses none.
    Pass,
    /// The messages were treated as suspicious.
    Quarantine,
    /// The messages were refused.
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

/// The reason for a deviation from the owner's policy: section 3.1.6.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct Override {
    /// The reason.
    pub kind: OverrideKind,
    /// A comment for people.
    pub comment: Option<String>,
}

impl Override {
    /// Makes a reason without a comment.
    #[must_use]
    pub fn new(kind: OverrideKind) -> Self {
        Self { kind, comment: None }
    }

    /// Sets the comment.
    #[must_use]
    pub fn with_comment(self, comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), ..self }
    }
}

/// The kind of an [`Override`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum OverrideKind {
    /// A local policy of the receiver.
    LocalPolicy,
    /// The messages came through a mailing list.
    MailingList,
    /// Another reason; see the comment.
    Other,
    /// The owner's policy is in test mode.
    PolicyTestMode,
    /// The messages came through a known and trusted forwarder.
    TrustedForwarder,
    /// RFC 7489: the messages were forwarded. Written as `trusted_forwarder`.
    Forwarded,
    /// RFC 7489: the messages were not in the percentage. Written as `other`.
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

/// The result of a signature: section 3.1.1.12.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct SignatureRow {
    /// Its `d=`.
    pub domain: String,
    /// Its `s=`; empty if the reporter omits it.
    pub selector: String,
    /// The result; `None` if a received report does not give it.
    pub result: Option<AuthResult>,
    /// A comment for people.
    pub human_result: Option<String>,
}

impl SignatureRow {
    /// Makes the result of a signature.
    #[must_use]
    pub fn new(domain: &str, selector: &str, result: AuthResult) -> Self {
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        Self { domain, selector, result: Some(result), human_result: None }
    }

    /// Sets the comment.
    #[must_use]
    pub fn with_human_result(self, text: &str) -> Self {
        Self { human_result: Some(text.to_owned()), ..self }
    }
}

/// The result of SPF: section 3.1.1.13.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct SpfRow {
    /// The tested domain.
    pub domain: String,
    /// The tested identity, if given. A result for the HELO name, as in RFC 7489, is read but not
    /// written.
    pub scope: Option<SpfIdentity>,
    /// The result; `None` if a received report does not give it.
    pub result: Option<AuthResult>,
    /// A comment for people.
    pub human_result: Option<String>,
}

impl SpfRow {
    /// Makes the result of SPF for the domain of the reverse-path.
    #[must_use]
    pub fn new(domain: &str, result: AuthResult) -> Self {
        let (domain, scope) = (domain.to_owned(), Some(SpfIdentity::MailFrom));
        Self { domain, scope, result: Some(result), human_result: None }
    }

    /// Sets the comment.
    #[must_use]
    pub fn with_human_result(self, text: &str) -> Self {
        Self { human_result: Some(text.to_owned()), ..self }
    }
}
