//! What is wrong with a published record.

use std::fmt;

use crate::{FailureOptions, Policy, Psd, Record, ReportUriError};

/// Something in a record that receivers leave out, or that its owner may not have meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Defect {
    /// The tag it is in, by its first byte in the text; 0 for the record as a whole.
    pub at: usize,
    /// What it is.
    pub kind: DefectKind,
}

impl Defect {
    /// What the owner of a record that can be read may not have meant.
    pub(crate) fn of(record: &Record) -> impl Iterator<Item = Self> {
        let reports = [&record.rua, &record.ruf].into_iter().flatten();
        let foreign = reports.into_iter().any(|uri| uri.mailbox().is_none());
        let p = record.p.unwrap_or_default();
        let weaker = record.sp.is_some_and(|sp| sp < p) || record.np.is_some_and(|np| np < p);
        let kinds = [
            (record.p.is_none(), DefectKind::NoPolicy),
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

/// What a [`Defect`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DefectKind {
    /// A tag without `=`.
    NoValue,
    /// A tag that no standard knows.
    Unknown,
    /// A tag of RFC 7489 that RFC 9989 has taken away: `pct`, `rf`, `ri`.
    Removed,
    /// A tag for the second time; the first one counts.
    Repeated,
    /// The version at another place than the first.
    VersionAgain,
    /// A value that the tag does not have; the default counts.
    Value,
    /// A destination of reports that is no URI.
    Uri(ReportUriError),
    /// More destinations than [`Record::MAX_URIS`].
    ManyUris,
    /// No policy that is valid: the record has no effect, or only asks for reports.
    NoPolicy,
    /// Nobody is told how the domain is used.
    NoReports,
    /// A destination of reports that is no address of mail: hardly anybody serves it.
    NotMail,
    /// `fo` without `ruf` has no effect.
    Unused,
    /// Subdomains are less protected than the domain.
    WeakerBelow,
    /// The policy is applied one level lower.
    TestMode,
    /// The domain says that it is a public suffix.
    PublicSuffix,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValue => "a tag without =",
            Self::Unknown => "an unknown tag",
            Self::Removed => "a tag that has no meaning any more",
            Self::Repeated => "a tag for the second time; the first one counts",
            Self::VersionAgain => "the version at another place than the first",
            Self::Value => "a value that the tag does not have; the default counts",
            Self::Uri(error) => return write!(f, "a destination of reports: {error}"),
            Self::ManyUris => "more than 16 destinations; the others are left out",
            Self::NoPolicy => "no valid policy: no effect, or none but reports",
            Self::NoReports => "nobody is sent aggregate reports",
            Self::NotMail => "a destination of reports that is no address of mail",
            Self::Unused => "fo has no effect without ruf",
            Self::WeakerBelow => "subdomains are less protected than the domain",
            Self::TestMode => "the policy is being tested, and applied one level lower",
            Self::PublicSuffix => "the domain says that it is a public suffix",
        })
    }
}
