//! Faults, present and future, of published records beside the certificates of a server: RFC 7671
//! sections 5, 8 and 10.

use std::fmt;

use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256, Sha512};

use crate::certificate::Certificate;
use crate::check::Check;
use crate::matching_type::MatchingType;
use crate::numbers::Numbers;
use crate::record::TlsaRecord;
use crate::record_set::RecordSet;
use crate::selected::Selected;
use crate::selector::Selector;
use crate::time::Written;
use crate::usable::Unusable;
use crate::usage::Usage;
use crate::verdict::{MismatchReason, Verdict};

/// A review of a server and its records, for their administrator.
///
/// ```
/// use dane_tlsa::rustls_pki_types::{CertificateDer, UnixTime};
/// use dane_tlsa::{Check, Limits, RecordSet, Severity};
///
/// # let chain = include_str!("../tests/data/example-chain.pem");
/// # let chain: Vec<_> = dane_tlsa::rustls_pki_types::pem::PemObject::pem_slice_iter(chain.as_bytes())
/// #     .collect::<Result<Vec<CertificateDer<'_>>, _>>()?;
/// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_796_083_200));
/// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
/// let names = ["mx.example.com".parse()?];
/// let published = ["2 0 1 8fdfdee6050d780fb0560d6d4373b65a50f39e9d176d691df3b996c47aff9a7b".parse()?];
/// let records = RecordSet::new(published, &Limits::default())?;
/// let review = Check::new(&records, &names, algorithms).review(&chain, now);
/// assert!(review.is_sound() && review.verdict.is_match());
/// // Without the authority's certificate clients fail.
/// let review = Check::new(&records, &names, algorithms).review(&chain[..1], now);
/// assert!(!review.is_sound());
/// assert!(review.findings.iter().any(|finding| finding.severity() == Severity::Problem));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Review {
    /// The verdict of clients.
    pub verdict: Verdict,
    /// Faults, and facts worth knowing.
    pub findings: Vec<Finding>,
}

/// Something that should be changed, or known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The record that it is about: its place in the set, and its usage, selector and matching type.
    pub record: Option<(usize, [u8; 3])>,
    /// Its kind.
    pub kind: FindingKind,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "as bad as it gets")]
pub enum Severity {
    /// It may be meant so.
    Notice,
    /// It works, and is likely to fail later, or with some clients.
    Warning,
    /// Clients fail because of it, or fall back to less than DANE.
    Problem,
}

/// The kind of a [`Finding`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FindingKind {
    /// The data is the digest of no octets: a tool was given a key that it could not read.
    EmptyDigest,
    /// The record cannot be used.
    Unusable(Unusable),
    /// The record does not match, and no other of the same usage, selector and matching type does:
    /// clients that know these only, or prefer them, fail (RFC 7671 section 8).
    NoMatch(MismatchReason),
    /// The record does not match, and another like it does: it is left over, or the next key's.
    LeftOver,
    /// The record is of the other part of the certificate: whole or key.
    OtherSelector,
    /// The record of the server's own certificate matches another that is sent.
    OtherDepth {
        /// Its place, from 0.
        depth: usize,
    },
    /// The same record is there twice.
    Duplicate,
    /// The record changes with each renewal of the certificate, even if the key stays: automatic renewal
    /// breaks it.
    ChangesAtRenewal {
        /// When the certificate expires.
        not_after: Option<UnixTime>,
    },
    /// The record has no digest, and is long (RFC 7671 section 10.1.2).
    Full,
    /// The record is of the trust anchor's key only, so that its constraints may change
    /// (RFC 7672 section 3.1.2).
    AnchorKey,
    /// The server sends more than its own certificate, though all records are of this.
    MoreThanOwn {
        /// How many certificates it sends.
        sent: usize,
    },
    /// The server's certificate has expired: DANE-EE(3) does not mind, others do.
    Expired {
        /// When.
        not_after: UnixTime,
    },
}

impl Check<'_> {
    /// Compares the records, as published, with what the server sends, its own certificate first.
    #[must_use]
    pub fn review(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Review {
        let alone: Vec<_> =
            self.records().records().map(|record| self.verify_alone(record, chain, now)).collect();
        let records = self.records().records();
        let matched: Vec<_> = records
            .zip(&alone)
            .filter(|(_, verdict)| verdict.is_match())
            .map(|(record, _)| record.numbers())
            .collect();
        let mut findings = Vec::new();
        for (place, (record, verdict)) in self.records().records().zip(&alone).enumerate() {
            let mut add = |kind| {
                findings.push(Finding { record: Some((place, record.numbers())), kind });
            };
            let mut earlier = self.records().records().take(place);
            if earlier.any(|other| other == record) {
                add(FindingKind::Duplicate);
                continue;
            }
            if is_empty_digest(record) {
                add(FindingKind::EmptyDigest);
            }
            match reason(verdict) {
                None => of_match(record, chain, &mut add),
                Some(MismatchReason::Unusable(unusable)) => add(FindingKind::Unusable(unusable)),
                Some(_) if matched.contains(&record.numbers()) => add(FindingKind::LeftOver),
                Some(reason) => {
                    add(FindingKind::NoMatch(reason));
                    of_mismatch(record, chain, &mut add);
                }
            }
        }
        self.review_chain(chain, now, &mut findings);
        Review { verdict: self.verify(chain, now), findings }
    }

    /// Verifies by one record, as if it were the only one.
    fn verify_alone(
        &self,
        record: &TlsaRecord,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Verdict {
        let alone = RecordSet::of_one(record.clone());
        self.with_records(&alone).verify(chain, now)
    }

    fn review_chain(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        findings: &mut Vec<Finding>,
    ) {
        let is_own = |record: &TlsaRecord| record.usage == Usage::DANE_EE;
        let usable = |record: &&TlsaRecord| record.check_usable().is_ok();
        let mut used = self.records().records().filter(usable);
        let sent = chain.len();
        if sent > 1 && self.records().is_usable() && used.all(is_own) {
            let kind = FindingKind::MoreThanOwn { sent };
            findings.push(Finding { record: None, kind });
        }
        let leaf = chain.first().and_then(|der| Certificate::parse(der).ok());
        let not_after = leaf.and_then(|leaf| leaf.not_after().ok());
        if let Some(not_after) = not_after.filter(|not_after| *not_after < now) {
            let kind = FindingKind::Expired { not_after };
            findings.push(Finding { record: None, kind });
        }
    }
}

fn reason(verdict: &Verdict) -> Option<MismatchReason> {
    match verdict {
        Verdict::Match(_) => None,
        Verdict::NoMatch(why) | Verdict::Unusable(why) => {
            why.records.first().map(|mismatch| mismatch.reason)
        }
    }
}

/// Finds what may go wrong with a record that matches.
fn of_match(record: &TlsaRecord, chain: &[CertificateDer<'_>], add: &mut impl FnMut(FindingKind)) {
    if record.usage == Usage::DANE_EE && record.selector == Selector::CERT {
        let leaf = chain.first().and_then(|der| Certificate::parse(der).ok());
        let not_after = leaf.and_then(|leaf| leaf.not_after().ok());
        add(FindingKind::ChangesAtRenewal { not_after });
    }
    if record.usage == Usage::DANE_TA && record.selector == Selector::SPKI {
        add(FindingKind::AnchorKey);
    }
    if record.matching_type == MatchingType::FULL {
        add(FindingKind::Full);
    }
}

/// Finds what a record was made of instead.
fn of_mismatch(
    record: &TlsaRecord,
    chain: &[CertificateDer<'_>],
    add: &mut impl FnMut(FindingKind),
) {
    let other = match record.selector {
        Selector::CERT => Selector::SPKI,
        _ => Selector::CERT,
    };
    let swapped = TlsaRecord { selector: other, ..record.clone() };
    for (depth, der) in chain.iter().enumerate() {
        let Ok(certificate) = Certificate::parse(der) else { continue };
        let selected = Selected::of(&certificate);
        if selected.matches(&swapped) {
            add(FindingKind::OtherSelector);
        }
        if depth > 0 && record.usage == Usage::DANE_EE && selected.matches(record) {
            add(FindingKind::OtherDepth { depth });
        }
    }
}

fn is_empty_digest(record: &TlsaRecord) -> bool {
    match record.matching_type {
        MatchingType::SHA2_256 => *Sha256::digest([]) == *record.data,
        MatchingType::SHA2_512 => *Sha512::digest([]) == *record.data,
        _ => false,
    }
}

impl Review {
    /// Tells whether clients authenticate the server, and none of the findings is a problem.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_problem = |finding: &Finding| finding.severity() == Severity::Problem;
        self.verdict.is_match() && !self.findings.iter().any(is_problem)
    }
}

impl Finding {
    /// Returns how bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.kind {
            FindingKind::EmptyDigest
            | FindingKind::NoMatch(_)
            | FindingKind::OtherSelector
            | FindingKind::OtherDepth { .. } => Severity::Problem,
            FindingKind::Unusable(_)
            | FindingKind::ChangesAtRenewal { .. }
            | FindingKind::Full
            | FindingKind::Expired { .. } => Severity::Warning,
            FindingKind::LeftOver
            | FindingKind::Duplicate
            | FindingKind::AnchorKey
            | FindingKind::MoreThanOwn { .. } => Severity::Notice,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, numbers)) = self.record {
            write!(f, "{}: ", Numbers(numbers))?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyDigest => f.write_str(
                "this is the digest of nothing: the tool that made it could not read the key \
                 (openssl rsa -pubin reads no EC key)",
            ),
            Self::Unusable(unusable) => unusable.fmt(f),
            Self::NoMatch(reason) => reason.fmt(f),
            Self::LeftOver => f.write_str(
                "matches nothing that the server sends, while another record does: \
                 it is the next key's, or left over",
            ),
            Self::OtherSelector => {
                f.write_str("the data is that of the other selector: of the certificate or its key")
            }
            Self::OtherDepth { depth } => write!(
                f,
                "matches the certificate at depth {depth}, not the server's: \
                 that is usage DANE-TA(2)"
            ),
            Self::Duplicate => f.write_str("the same record is there already"),
            Self::ChangesAtRenewal { not_after } => {
                f.write_str("ends with the certificate, ")?;
                if let Some(not_after) = not_after {
                    write!(f, "at {} at the latest, ", Written(*not_after))?;
                }
                f.write_str(
                    "even if its key stays: automatic renewal breaks it, and 3 1 1 does not",
                )
            }
            Self::Full => {
                f.write_str("has no digest, and its length may keep it from some clients")
            }
            Self::AnchorKey => f.write_str(
                "is of the trust anchor's key only: 2 0 1 holds the constraints of its certificate",
            ),
            Self::MoreThanOwn { sent } => write!(
                f,
                "the server sends {sent} certificates: its own is enough for usage DANE-EE(3)"
            ),
            Self::Expired { not_after } => write!(
                f,
                "the server's certificate expired at {}: clients without DANE may refuse it",
                Written(*not_after)
            ),
        }
    }
}
