//! Defects of a published record.

use std::fmt;

use crate::{FailureOptions, Policy, Psd, Record, ReportUriError};

/// A part of a record that receivers ignore, or that its owner may not intend.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Defect {
    /// The position of the tag in the text, in bytes; 0 for the record as a whole.
    pub at: usize,
    /// The kind of defect.
    pub kind: DefectKind,
}

impl Defect {
    /// The likely mistakes in a readable record; a broken one has an invalid policy tag.
    pub(crate) fn of(record: &Record, is_broken: bool) -> impl Iterator<Item = Self> {
        let reports = [&record.rua, &record.ruf].into_iter().flatten();
        let foreign = reports.into_iter().any(|uri| uri.mailbox().is_none());
        let p = record.p.unwrap_or_default();
        let weaker = record.sp.is_some_and(|sp| sp < p) || record.np.is_some_and(|np| np < p);
        let kinds = [
            (record.policy().is_none(), DefectKind::NoPolicy),
            (is_broken && !record.rua.is_empty(), DefectKind::PolicyOff),
            (!is_broken && record.p.is_none() && !record.rua.is_empty(), DefectKind::ReportsOnly),
            (record.rua.is_empty(), DefectKind::NoReports),
            (foreign, DefectKind::NotMail),
            (record.fo != FailureOptions::default() && record.ruf.is_empty(), DefectKind::Unused),
            (weaker, DefectKind::WeakerBelow),
            (record.t && p != Policy::None, DefectKind::TestMode),
            (record.psd == Psd::Yes, DefectKind::PublicSuffix),
        ];
        kinds.into_iter().filter(|(found, _)| *found).map(|(_, kind)| Self { at: 0, kind })
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            0 => write!(f, "{}", self.kind),
            at => write!(f, "byte {at}: {}", self.kind),
        }
    }
}

/// The kind of a [`Defect`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DefectKind {
    /// A tag without `=`.
    NoValue,
    /// A tag that neither RFC 9989 nor RFC 7489 defines.
    Unknown,
    /// A tag of RFC 7489 that RFC 9989 has removed: `pct`, `rf`, `ri`.
    Removed,
    /// A repeated tag; the first one counts.
    Repeated,
    /// A second version tag.
    VersionAgain,
    /// A value that is not valid for the tag; the default counts.
    Value,
    /// A value of `p`, `sp` or `np` that is not valid: no policy of the record counts.
    PolicyValue,
    /// A report destination that is not a valid URI.
    Uri(ReportUriError),
    /// More destinations than [`Record::MAX_URIS`].
    ManyUris,
    /// Neither valid policies nor a destination for reports: DMARC does not apply.
    NoPolicy,
    /// A policy tag is invalid, and the record requests reports: the policy is `none`.
    PolicyOff,
    /// The record has no policy tag and requests reports: the policy is `none`.
    ReportsOnly,
    /// Nobody receives aggregate reports on the domain.
    NoReports,
    /// A report destination other than a mail address: few reporters support it.
    NotMail,
    /// `fo` without `ruf` has no effect.
    Unused,
    /// Subdomains are less protected than the domain.
    WeakerBelow,
    /// The policy is applied one level lower.
    TestMode,
    /// The record declares its domain a public suffix.
    PublicSuffix,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValue => "tag without =",
            Self::Unknown => "unknown tag",
            Self::Removed => "tag of RFC 7489 without effect in RFC 9989",
            Self::Repeated => "duplicate tag; the first one counts",
            Self::VersionAgain => "version tag v= not at the start",
            Self::Value => "invalid value of the tag; the default counts",
            Self::Uri(error) => return write!(f, "invalid report destination: {error}"),
            Self::ManyUris => "more than 16 report destinations; the others are ignored",
            Self::PolicyValue => "invalid policy: no policy of the record (p, sp, np) counts",
            Self::NoPolicy => {
                "neither a valid policy (p) nor a destination (rua): DMARC does not apply"
            }
            Self::PolicyOff => "the policy is none, because a policy tag is invalid",
            Self::ReportsOnly => {
                "no policy (p): the policy is none, and the record only requests reports"
            }
            Self::NoReports => "no destination for aggregate reports (rua)",
            Self::NotMail => "report destination is not a mailto: address",
            Self::Unused => "fo has no effect without ruf",
            Self::WeakerBelow => "subdomains are less protected than the domain",
            Self::TestMode => "test mode (t=y): the policy is applied one level lower",
            Self::PublicSuffix => "the record declares the domain a public suffix (psd=y)",
        })
    }
}
