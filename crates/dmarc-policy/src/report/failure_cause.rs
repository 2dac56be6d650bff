//! The conditions for a failure report: RFC 9991 section 2, the tag `fo` of RFC 9989.

use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
use mail_types::smtp::Header;

use crate::{DkimInput, Psd, Verdict};

/// Whether a message calls for a failure report.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a report or no report")]
pub enum FailureCause {
    /// A report of this kind.
    Report(AuthFailure),
    /// No report, for this reason.
    Withheld(Withheld),
}

impl FailureCause {
    /// Decides whether a message calls for a report.
    ///
    /// `envelope_null` says that the message has the null reverse-path, `header` is its header:
    /// reports on automatic messages could cause a mail loop.
    #[must_use]
    pub fn of(
        verdict: &Verdict,
        spf: Option<&SpfInput>,
        dkim: &[DkimInput],
        envelope_null: bool,
        header: &[u8],
    ) -> Self {
        let Some(record) = verdict.record() else { return Self::Withheld(Withheld::NotWanted) };
        if record.ruf.is_empty() {
            return Self::Withheld(Withheld::NotWanted);
        }
        if record.psd == Psd::Yes {
            return Self::Withheld(Withheld::PublicSuffix);
        }
        if envelope_null {
            return Self::Withheld(Withheld::NullSender);
        }
        if is_automatic(header) {
            return Self::Withheld(Withheld::Automatic);
        }
        let told = matches!(verdict.result, AuthResult::Pass | AuthResult::Fail);
        let (spf_aligned, dkim_aligned) = (verdict.spf.is_aligned(), verdict.dkim.is_aligned());
        let failed = |result| matches!(result, AuthResult::Fail | AuthResult::PermError);
        let fo = record.fo;
        if told && (fo.any && !(spf_aligned && dkim_aligned) || fo.all && !verdict.is_aligned()) {
            Self::Report(AuthFailure::Dmarc)
        } else if fo.dkim && dkim.iter().any(|signature| failed(signature.result)) {
            Self::Report(AuthFailure::Signature)
        } else if fo.spf && spf.is_some_and(spf_failed) {
            Self::Report(AuthFailure::Spf)
        } else {
            Self::Withheld(Withheld::NotWanted)
        }
    }
}

/// The kind of failure in a report, in the words of `Auth-Failure` (RFC 6591 section 3.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AuthFailure {
    /// No aligned pass, or not of every method (`fo=0`, `fo=1`).
    Dmarc,
    /// A signature failed (`fo=d`).
    Signature,
    /// SPF failed (`fo=s`).
    Spf,
}

impl AuthFailure {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Signature => "signature",
            Self::Spf => "spf",
        }
    }
}

/// The reason why a failure report is withheld.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Withheld {
    /// The record requests no report for this message.
    NotWanted,
    /// The record belongs to a public suffix, which must not see reports on the domains below it
    /// (RFC 9991 section 2).
    PublicSuffix,
    /// The message has the null reverse-path: it is a bounce or a report.
    NullSender,
    /// The message is automatic: by its field `Auto-Submitted` (RFC 3834), or as a report, by its
    /// type (RFC 6522) or the subject of aggregate reports (RFC 9990 section 3.5.2).
    Automatic,
}

fn spf_failed(spf: &SpfInput) -> bool {
    spf.identity == SpfIdentity::MailFrom
        && matches!(spf.result, AuthResult::Fail | AuthResult::SoftFail | AuthResult::PermError)
}

/// Tells whether a header belongs to an automatic message.
fn is_automatic(header: &[u8]) -> bool {
    Header::of(header).fields().any(|field| {
        let body = field.body.trim_ascii().to_ascii_lowercase();
        match field.bare_name().to_ascii_lowercase().as_slice() {
            b"auto-submitted" => body != b"no" && !body.starts_with(b"no;"),
            b"content-type" => body.starts_with(b"multipart/report"),
            b"subject" => body.starts_with(b"report domain:"),
            _ => false,
        }
    })
}
