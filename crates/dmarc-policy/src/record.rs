//! A DMARC policy record: sections 4.7 and 4.8 of RFC 9989.

use std::fmt;

use thiserror::Error;

use crate::tag::{Reading, Tags};
use crate::{Defect, FailureOptions, Policy, ReportUri};

/// What the owner of a domain publishes at `_dmarc.` and its name. The fields are the tags.
///
/// Reading is as lenient as section 4.8 wants: what is wrong is as if it were not there, and
/// [`Record::check`] tells of it. Writing is strict, and leaves out what is the default.
///
/// ```
/// use dmarc_policy::{AlignmentMode, Policy, Record};
///
/// let record = Record::parse(b"v=DMARC1; p=reject; adkim=s; pct=50; rua=mailto:d@example.com")?;
/// assert_eq!((record.p, record.adkim), (Some(Policy::Reject), AlignmentMode::Strict));
/// assert_eq!(record.to_string(), "v=DMARC1; p=reject; adkim=s; rua=mailto:d@example.com");
/// # Ok::<(), dmarc_policy::RecordError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The policy for the domain itself; `None` where there is none, or where one of `p`, `sp` and
    /// `np` is not a policy: then all three are `None` (section 4.10.1).
    pub p: Option<Policy>,
    /// The policy for subdomains, if it is another.
    pub sp: Option<Policy>,
    /// The policy for subdomains that do not exist, if it is another.
    pub np: Option<Policy>,
    /// How alike the domain of a DKIM signature must be.
    pub adkim: AlignmentMode,
    /// How alike the domain that SPF has tested must be.
    pub aspf: AlignmentMode,
    /// Whether the domain is a public suffix.
    pub psd: Psd,
    /// Whether the policy is being tested, and to be applied one level lower.
    pub t: bool,
    /// Which failures are to be reported.
    pub fo: FailureOptions,
    /// Where aggregate reports are to be sent.
    pub rua: Vec<ReportUri>,
    /// Where failure reports are to be sent.
    pub ruf: Vec<ReportUri>,
}

impl Record {
    /// The longest record that is read, in octets; what is behind them is left out.
    pub const MAX_OCTETS: usize = 8192;
    /// The most destinations of a kind that are read; the others are left out.
    pub const MAX_URIS: usize = 16;

    /// Begins a record with a policy; everything else is the default.
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

    /// Sets how alike the domain of a signature, and the one that SPF has tested, must be.
    #[must_use]
    pub fn with_alignment(self, adkim: AlignmentMode, aspf: AlignmentMode) -> Self {
        Self { adkim, aspf, ..self }
    }

    /// Says whether the domain is a public suffix.
    #[must_use]
    pub fn with_psd(self, psd: Psd) -> Self {
        Self { psd, ..self }
    }

    /// Says that the policy is being tested.
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

    /// Adds a destination of failure reports, and says which failures are to be reported.
    #[must_use]
    pub fn with_ruf(mut self, uri: ReportUri, fo: FailureOptions) -> Self {
        self.ruf.push(uri);
        Self { fo, ..self }
    }

    /// Reads the text of a TXT record, its strings joined.
    ///
    /// # Errors
    ///
    /// [`RecordError::Version`] if it does not begin with `v=DMARC1`: then it is somebody else's
    /// record. [`RecordError::LeadingBlank`] if a blank is before that. Nothing else is an error.
    pub fn parse(text: &[u8]) -> Result<Self, RecordError> {
        Self::read(text, &mut |_| {})
    }

    /// Returns what is wrong with a text, or would surprise whoever publishes it.
    ///
    /// # Errors
    ///
    /// As for [`Record::parse`].
    pub fn check(text: &[u8]) -> Result<Vec<Defect>, RecordError> {
        let mut defects = Vec::new();
        let record = Self::read(text, &mut |defect| defects.push(defect))?;
        defects.extend(Defect::of(&record));
        Ok(defects)
    }

    /// Returns the policy that counts for the domain itself: its own, or that of a record without
    /// one which asks for reports. `None` means that DMARC does not apply (section 4.10.1).
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.p.or_else(|| (!self.rua.is_empty()).then_some(Policy::None))
    }

    /// Returns the policy that counts for a subdomain, by whether that exists; `None` as above.
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
            return Err(RecordError::Version);
        }
        if version.at > 0 {
            // Section 4.8 has no blank there, and what does not match its version is no record.
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

/// How alike a domain must be to the author's: sections 3.2.10.1 and 3.2.10.2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 section 4.7 has no more")]
pub enum AlignmentMode {
    /// Both have the same organizational domain.
    #[default]
    Relaxed,
    /// They are the same.
    Strict,
}

/// Whether a domain is a public suffix, below which others register theirs: section 4.7.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 section 4.7 has no more")]
pub enum Psd {
    /// The walk up the tree is to tell.
    #[default]
    Unknown,
    /// It is one.
    Yes,
    /// It is none, but the organizational domain of itself and all below.
    No,
}

/// Why a text is not a [`Record`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// The first tag is not `v`, or its value is not `DMARC1`, in capitals.
    #[error("the text does not begin with v=DMARC1")]
    Version,
    /// A blank stands before `v=DMARC1`, so that receivers see no record.
    #[error("a blank stands before v=DMARC1, so that it is no DMARC record")]
    LeadingBlank,
}
