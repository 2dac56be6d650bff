//! Verifying a server by the records of its host: RFC 7672 section 3, RFC 7671 sections 5 and 9.

use mail_types::dns::Name;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};

use crate::anchor::Anchors;
use crate::certificate::{Certificate, check_whole_key};
use crate::limits::Limits;
use crate::path::{Algorithms, Search};
use crate::path_fault::PathFault;
use crate::path_steps;
use crate::record::TlsaRecord;
use crate::record_set::{RecordSet, Standing};
use crate::selected::Selected;
use crate::selector::Selector;
use crate::server_names::Identity;
use crate::usage::Usage;
use crate::uses::Uses;
use crate::verdict::{Match, Mismatch, MismatchReason, Mismatches, Verdict};

/// A check of servers by the TLSA records of their host.
///
/// It does not see the handshake: who calls it must verify the server's signature with the key of
/// the first certificate, as `rustls::DaneVerifier` does.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    records: &'a RecordSet,
    names: &'a [Name],
    algorithms: Algorithms<'a>,
    limits: Limits,
}

impl<'a> Check<'a> {
    /// Makes a check by the records, the reference identifiers ([RFC 7672 section 3.2.2]), of which the
    /// first is the TLSA base domain, and the algorithms of signatures.
    ///
    /// [RFC 7672 section 3.2.2]: https://www.rfc-editor.org/rfc/rfc7672#section-3.2.2
    #[must_use]
    pub fn new(records: &'a RecordSet, names: &'a [Name], algorithms: Algorithms<'a>) -> Self {
        Self { records, names, algorithms, limits: Limits::default() }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(crate) fn records(&self) -> &'a RecordSet {
        self.records
    }

    /// Returns the same check by other records.
    pub(crate) fn with_records<'b>(&'b self, records: &'b RecordSet) -> Check<'b> {
        Check { records, ..self.clone() }
    }

    /// Verifies the certificates that a server has sent, its own first.
    #[must_use]
    pub fn verify(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        if !self.records.is_usable() {
            return Verdict::Unusable(self.mismatches(|_, _| MismatchReason::NoCertificate));
        }
        let Some(first) = chain.first() else {
            return Verdict::NoMatch(self.mismatches(|_, _| MismatchReason::NoCertificate));
        };
        let leaf = match Certificate::parse(first) {
            Ok(leaf) => leaf,
            // Without a key nobody can prove to be the server.
            Err(error) => {
                return Verdict::NoMatch(self.mismatches(|_, _| MismatchReason::NoKey(error)));
            }
        };
        let own = Selected::of(&leaf);
        self.match_own(&own).unwrap_or_else(|| self.verify_path(&leaf, &own, chain, now))
    }

    /// Verifies the raw public key of a server ([RFC 7250](https://www.rfc-editor.org/rfc/rfc7250)),
    /// which only DANE-EE(3) SPKI(1) can match (RFC 7671 section 5.1).
    ///
    /// ```
    /// use dane_tlsa::rustls_pki_types::{CertificateDer, UnixTime};
    /// use dane_tlsa::{Certificate, Check, Limits, MatchingType, RecordSet, Selector, TlsaRecord, Usage};
    ///
    /// # let chain = include_str!("../tests/data/example-chain.pem");
    /// # let chain: Vec<_> = dane_tlsa::rustls_pki_types::pem::PemObject::pem_slice_iter(chain.as_bytes())
    /// #     .collect::<Result<Vec<CertificateDer<'_>>, _>>()?;
    /// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_796_083_200));
    /// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
    /// let leaf = Certificate::parse(&chain[0])?;
    /// assert!(leaf.as_der() == &chain[0][..] && leaf.not_after()? > now);
    /// let record = TlsaRecord::of_certificate(&leaf, Usage::DANE_EE, Selector::SPKI, MatchingType::SHA2_256)?;
    /// let same = TlsaRecord::of_key(leaf.key(), Usage::DANE_EE, MatchingType::SHA2_256)?;
    /// assert_eq!((record.numbers(), &record), ([3, 1, 1], &same));
    /// let limits = Limits::default().with_records(4).with_certificates(4).with_hosts(4);
    /// let (records, names) = (RecordSet::new([record], &limits)?, ["mx.example.com".parse()?]);
    /// let check = Check::new(&records, &names, algorithms).with_limits(limits);
    /// assert!(check.verify(&chain, now).is_match());
    /// assert!(check.verify_raw_key(&leaf.key().into()).is_match());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn verify_raw_key(&self, key: &SubjectPublicKeyInfoDer<'_>) -> Verdict {
        if !self.records.is_usable() {
            return Verdict::Unusable(self.mismatches(|_, _| MismatchReason::NoCertificate));
        }
        if let Err(error) = check_whole_key(key) {
            return Verdict::NoMatch(self.mismatches(|_, _| MismatchReason::NoKey(error)));
        }
        self.match_own(&Selected::of_key(key)).unwrap_or_else(|| {
            Verdict::NoMatch(self.mismatches(|_, record| {
                let may_match = record.usage == Usage::DANE_EE && record.selector == Selector::SPKI;
                if may_match { MismatchReason::OtherKey } else { MismatchReason::RawKey }
            }))
        })
    }

    /// Finds a record of the server's own certificate. Its names and dates do not matter
    /// (RFC 7672 section 3.1.1).
    fn match_own(&self, own: &Selected<'_>) -> Option<Verdict> {
        let mut records = self.records.used(Usage::DANE_EE);
        let (record, found) = records.find(|(_, record)| own.matches(record))?;
        Some(Verdict::Match(Match { record, numbers: found.numbers(), depth: 0 }))
    }

    /// Finds a path to a trust anchor that a record gives.
    fn verify_path(
        &self,
        leaf: &Certificate<'_>,
        own: &Selected<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Verdict {
        let limit = self.limits.certificates;
        if chain.len() > limit {
            let reason = MismatchReason::TooManyCertificates { limit };
            return Verdict::NoMatch(self.mismatches(|_, record| of_anchor(record, reason)));
        }
        let anchors = Anchors::find(self.records, leaf, own, chain);
        let failed = if anchors.trusted.is_empty() {
            MismatchReason::AnchorNotSent
        } else {
            match self.search(leaf, &anchors, now) {
                Ok(found) => return Verdict::Match(found),
                Err(reason) => reason,
            }
        };
        let is_searched_for_each = self.is_searched_for_each(leaf, &anchors);
        Verdict::NoMatch(self.mismatches(|place, record| {
            let known = anchors.reasons.iter().find(|(record, _)| *record == place);
            let own = anchors.of_record(place);
            let reason = match known {
                _ if !own.trusted.is_empty() && is_searched_for_each => {
                    self.search(leaf, &own, now).err().unwrap_or(failed)
                }
                _ if !own.trusted.is_empty() => failed,
                Some((_, reason)) => *reason,
                None => MismatchReason::AnchorNotSent,
            };
            of_anchor(record, reason)
        }))
    }

    /// Tells whether the anchors of each record have a search of their own, for its reason: not where a hostile
    /// server has made that long, and not where it would be the same again.
    fn is_searched_for_each(&self, leaf: &Certificate<'_>, anchors: &Anchors<'_>) -> bool {
        let records = self.records.used(Usage::DANE_TA);
        let count = records.filter(|(place, _)| anchors.has_trusted(*place)).count();
        count > 1 && path_steps::are_few(leaf, &anchors.others, count)
    }

    fn search(
        &self,
        leaf: &Certificate<'_>,
        anchors: &Anchors<'_>,
        now: UnixTime,
    ) -> Result<Match, MismatchReason> {
        let malformed = |_| MismatchReason::Path(PathFault::Malformed);
        let uses = Uses::of(leaf).map_err(malformed)?;
        let identity = Identity::of(leaf, &uses, self.names).map_err(malformed)?;
        let algorithms = self.algorithms;
        let search = Search { leaf, uses, anchors, identity, algorithms, now };
        let (record, depth) = search.run().map_err(MismatchReason::Path)?;
        if matches!(identity, Identity::Other) {
            return Err(MismatchReason::Name);
        }
        let numbers = self.records.get(record).map(TlsaRecord::numbers).unwrap_or_default();
        Ok(Match { record, numbers, depth })
    }

    /// Lists why records do not match: those that count for the reason that is handed in.
    fn mismatches(&self, reason: impl Fn(usize, &TlsaRecord) -> MismatchReason) -> Mismatches {
        let records = self.records.records().zip(self.records.standings()).enumerate();
        let records = records.map(|(place, (record, standing))| {
            let reason = match standing {
                Standing::Used => reason(place, record),
                Standing::Unusable(unusable) => MismatchReason::Unusable(unusable),
                Standing::Weaker { than } => MismatchReason::Weaker(than),
            };
            Mismatch { numbers: record.numbers(), reason }
        });
        Mismatches { records: records.collect() }
    }
}

/// Returns the reason of a record of the server's own certificate, which is another, or that of a trust
/// anchor's.
fn of_anchor(record: &TlsaRecord, anchor: MismatchReason) -> MismatchReason {
    match (record.usage, record.selector) {
        (Usage::DANE_EE, Selector::CERT) => MismatchReason::OtherCertificate,
        (Usage::DANE_EE, _) => MismatchReason::OtherKey,
        _ => anchor,
    }
}
