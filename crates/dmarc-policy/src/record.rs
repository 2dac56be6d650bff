//! A DMARC policy record: sections 4.7 and 4.8 of RFC 9989.

use std::fmt;

use thiserror::Error;

use crate::tag::{Reading, Tags};
use crate::{Defect, DefectKind, FailureOptions, Policy, ReportUri};

/// The record that a domain owner publishes at `_dmarc.` and the domain. The fields are the tags.
///
/// Reading is as lenient as section 4.8 demands: an invalid part is ignored, and [`Record::check`]
/// reports it. Writing is strict, and omits defaults.
///
/// ```
/// use dmarc_policy::{AlignmentMode, Policy, Record};
///
/// let record = Record::parse(b"v=DMARC1; p=reject; adkim=s; pct=50; rua=mailto:d@example.com")?;
/// assert_eq!((record.p, record.adkim), (Some(Policy::Reject), AlignmentMode::Strict));
/// assert_eq!(record.to_string(), "v=DMARC1; p=reject; adkim=s; rua=mailto:d@example.com");
/// # Ok::<(), dmarc_policy::RecordError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The policy for the domain itself; `None` without one, or if one of `p`, `sp` and `np` is not
    /// a policy: then all three are `None` (section 4.10.1).
    pub p: Option<Policy>,
    /// The policy for subdomains, if it differs.
    pub sp: Option<Policy>,
    /// The policy for subdomains that do not exist, if it differs.
    pub np: Option<Policy>,
    /// The alignment mode for the domain of a DKIM signature.
    pub adkim: AlignmentMode,
    /// The alignment mode for the domain of SPF.
    pub aspf: AlignmentMode,
    /// Whether the domain is a public suffix.
    pub psd: Psd,
    /// Whether the policy is in test mode, and applied one level lower.
    pub t: bool,
    /// The failures to report.
    pub fo: FailureOptions,
    /// The destinations of aggregate reports.
    pub rua: Vec<ReportUri>,
    /// The destinations of failure reports.
    pub ruf: Vec<ReportUri>,
}

impl Record {
    /// The longest record, in octets; text after the limit is ignored.
    pub const MAX_OCTETS: usize = 8192;
    /// The most destinations of each kind; further ones are ignored.
    pub const MAX_URIS: usize = 16;

    /// Starts a record with a policy and defaults for all else.
    #[must_use]
    pub fn new(p: Policy) -> Self {
        Self { p: Some(p), ..Self::default() }
    }

    /// Sets the policy for subdomains.
    #[must_use]
    pub fn with_sp(self, sp: Policy) -> Self {
        Self { sp: Some(sp), ..self }
    }

    /// Sets the policy for subdomains that do not exist.
    #[must_use]
    pub fn with_np(self, np: Policy) -> Self {
        Self { np: Some(np), ..self }
    }

    /// Sets the alignment modes for the domain of a signature, and for that of SPF.
    #[must_use]
    pub fn with_alignment(self, adkim: AlignmentMode, aspf: AlignmentMode) -> Self {
        Self { adkim, aspf, ..self }
    }

    /// Sets whether the domain is a public suffix.
    #[must_use]
    pub fn with_psd(self, psd: Psd) -> Self {
        Self { psd, ..self }
    }

    /// Sets test mode.
    #[must_use]
    pub fn with_test_mode(self) -> Self {
        Self { t: true, ..self }
    }

    /// Adds a destination of aggregate reports.
    #[must_use]
    pub fn with_rua(mut self, uri: ReportUri) -> Self {
        self.rua.push(uri);
        self
    }

    /// Adds a destination of failure reports, and sets the failures to report.
    #[must_use]
    pub fn with_ruf(mut self, uri: ReportUri, fo: FailureOptions) -> Self {
        self.ruf.push(uri);
        Self { fo, ..self }
    }

    /// Reads the text of a TXT record, its strings joined.
    ///
    /// # Errors
    ///
    /// [`RecordError::Version`] if the text does not begin with `v=DMARC1`: then it is not a DMARC
    /// record. Another [`RecordError`] if it is a mistaken one, such as with a blank at its start.
    /// Nothing else is an error.
    pub fn parse(text: &[u8]) -> Result<Self, RecordError> {
        Self::read(text, &mut |_| {})
    }

    /// Returns the defects of a text, with the likely mistakes of its publisher.
    ///
    /// # Errors
    ///
    /// The same as of [`Record::parse`].
    pub fn check(text: &[u8]) -> Result<Vec<Defect>, RecordError> {
        Self::parse_and_check(text).map(|(_, defects)| defects)
    }

    /// Reads a text as [`Record::parse`] does; returns the defects of [`Record::check`] too.
    pub(crate) fn parse_and_check(text: &[u8]) -> Result<(Self, Vec<Defect>), RecordError> {
        let mut defects = Vec::new();
        let record = Self::read(text, &mut |defect| defects.push(defect))?;
        let is_broken = defects.iter().any(|defect| defect.kind == DefectKind::PolicyValue);
        defects.extend(Defect::of(&record, is_broken));
        Ok((record, defects))
    }

    /// Returns the policy for the domain itself: its own, or `none` for a record without a policy
    /// that requests reports. `None` means that DMARC does not apply (section 4.10.1).
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.p.or_else(|| (!self.rua.is_empty()).then_some(Policy::None))
    }

    /// Returns the policy for a subdomain, by its existence; `None` as above.
    ///
    /// ```
    /// use dmarc_policy::{AlignmentMode, Policy, Psd, Record};
    ///
    /// let record = Record::new(Policy::None)
    ///     .with_sp(Policy::Quarantine)
    ///     .with_np(Policy::Reject)
    ///     .with_alignment(AlignmentMode::Strict, AlignmentMode::Relaxed)
    ///     .with_psd(Psd::No)
    ///     .with_test_mode();
    /// assert_eq!(record.subdomain_policy(true), Some(Policy::Quarantine));
    /// assert_eq!(record.subdomain_policy(false), Some(Policy::Reject));
    /// assert_eq!(record.to_string(), "v=DMARC1; p=none; sp=quarantine; np=reject; adkim=s; psd=n; t=y");
    /// ```
    #[must_use]
    pub fn subdomain_policy(&self, exists: bool) -> Option<Policy> {
        let policy = self.sp.or(self.policy());
        if exists { policy } else { self.np.or(policy) }
    }

    fn read(text: &[u8], defect: &mut dyn FnMut(Defect)) -> Result<Self, RecordError> {
        let text = text.get(..Self::MAX_OCTETS).unwrap_or(text);
        let mut tags = Tags::new(text);
        let version = tags.next().ok_or(RecordError::Version)?;
        if !version.is(b"v") || version.value != Some(b"DMARC1") {
            return Err(RecordError::of(text));
        }
        if version.at > 0 {
            // Section 4.8 allows no blank there; a text that does not match the version is not a
            // record.
            return Err(RecordError::LeadingBlank);
        }
        let mut reading = Reading::default();
        for tag in tags {
            if let Some(kind) = reading.take(&tag) {
                defect(Defect { at: tag.at, kind });
            }
        }
        Ok(reading.finish())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=DMARC1")?;
        for (name, policy) in [("p", self.p), ("sp", self.sp), ("np", self.np)] {
            if let Some(policy) = policy {
                write!(f, "; {name}={policy}")?;
            }
        }
        for (name, mode) in [("adkim", self.adkim), ("aspf", self.aspf)] {
            if mode == AlignmentMode::Strict {
                write!(f, "; {name}=s")?;
            }
        }
        match self.psd {
            Psd::Unknown => {}
            Psd::Yes => f.write_str("; psd=y")?,
            Psd::No => f.write_str("; psd=n")?,
        }
        if self.t {
            f.write_str("; t=y")?;
        }
        if self.fo != FailureOptions::default() {
            write!(f, "; fo={}", self.fo)?;
        }
        for (name, uris) in [("rua", &self.rua), ("ruf", &self.ruf)] {
            for (i, uri) in uris.iter().enumerate() {
                let before = if i == 0 { format_args!("; {name}=") } else { format_args!(",") };
                write!(f, "{before}{uri}")?;
            }
        }
        Ok(())
    }
}

/// The alignment mode: sections 3.2.10.1 and 3.2.10.2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 section 4.7 has just these")]
pub enum AlignmentMode {
    /// The organizational domains must be equal.
    #[default]
    Relaxed,
    /// The domains must be equal.
    Strict,
}

/// Whether a domain is a public suffix, below which other organizations register domains: section
/// 4.7.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 section 4.7 has just these")]
pub enum Psd {
    /// The tree walk decides.
    #[default]
    Unknown,
    /// It is a public suffix.
    Yes,
    /// It is not a public suffix, but the organizational domain of itself and all names below it.
    No,
}

/// The reason why a text is not a [`Record`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// The first tag is not `v`, or its value is not `DMARC1` in capitals.
    #[error("DMARC record does not begin with v=DMARC1")]
    Version,
    /// A blank precedes `v=DMARC1`, so that receivers see no record.
    #[error("blank before v=DMARC1: receivers see no DMARC record")]
    LeadingBlank,
    /// A byte order mark precedes `v=DMARC1`.
    #[error("byte order mark before v=DMARC1: receivers see no DMARC record")]
    ByteOrderMark,
    /// `DMARC1` is not in capitals.
    #[error("DMARC1 is not in capitals: receivers see no DMARC record")]
    Case,
    /// Something else than a semicolon follows `v=DMARC1`.
    #[error("no semicolon after v=DMARC1, at byte {at}: receivers see no DMARC record")]
    Separator {
        /// The position behind `v=DMARC1`, in bytes.
        at: usize,
    },
    /// `v=DMARC1` is not the first tag.
    #[error("v=DMARC1 is not at the start but at byte {at}: receivers see no DMARC record")]
    NotFirst {
        /// The position of `v`, in bytes.
        at: usize,
    },
}

impl RecordError {
    /// Returns the position of the mistake in the text, in bytes, if it has one.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match *self {
            Self::Separator { at } | Self::NotFirst { at } => Some(at),
            Self::Version | Self::LeadingBlank | Self::ByteOrderMark | Self::Case => None,
        }
    }

    /// Finds the mistake of a text that is not a record, but was probably meant to be one.
    fn of(text: &[u8]) -> Self {
        let marked = text.strip_prefix("\u{feff}".as_bytes());
        let start = marked.unwrap_or(text);
        let mut places = (0..start.len()).filter_map(|at| Some((at, version(start.get(at..)?)?)));
        let word = |(at, _): &(usize, usize)| {
            let before = at.checked_sub(1).and_then(|before| start.get(before));
            before.is_none_or(|octet| !octet.is_ascii_alphanumeric())
        };
        let Some((at, length)) = places.find(word) else { return Self::Version };
        let at = at + text.len() - start.len();
        let end = at + length;
        let follows = text.get(end..).unwrap_or_default().trim_ascii_start().first();
        let is_first = text.get(..at).is_some_and(|before| before.trim_ascii().is_empty());
        match follows {
            Some(b'0'..=b'9') => Self::Version,
            _ if marked.is_some() => Self::ByteOrderMark,
            _ if !is_first => Self::NotFirst { at },
            _ if !text.get(..end).is_some_and(|text| text.ends_with(b"DMARC1")) => Self::Case,
            _ => Self::Separator { at: end },
        }
    }
}

/// Returns the length of `v=DMARC1` in any case, with blanks around the sign, at the start of a text.
fn version(text: &[u8]) -> Option<usize> {
    let [b'v' | b'V', rest @ ..] = text else { return None };
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (value, rest) = rest.split_at_checked(6)?;
    value.eq_ignore_ascii_case(b"DMARC1").then(|| text.len() - rest.len())
}
