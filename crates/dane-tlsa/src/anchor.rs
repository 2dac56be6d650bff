//! Trust anchors, as records give them: RFC 7671 section 5.2.

use rustls_pki_types::{CertificateDer, Der, TrustAnchor};

use crate::certificate::Certificate;
use crate::der::Reader;
use crate::matching_type::MatchingType;
use crate::path_fault::PathFault;
use crate::record_set::RecordSet;
use crate::selected::Selected;
use crate::selector::Selector;
use crate::usage::Usage;
use crate::uses::Uses;
use crate::verdict::MismatchReason;

/// The trust anchors that the records of a host give for what its server has sent.
#[derive(Debug, Default)]
pub(crate) struct Anchors<'a> {
    /// The same anchors in webpki's form.
    pub(crate) trusted: Vec<TrustAnchor<'a>>,
    /// Where each is from.
    pub(crate) sources: Vec<Source<'a>>,
    /// Records that have no anchor, and why not.
    pub(crate) reasons: Vec<(usize, MismatchReason)>,
    /// The other certificates that the server has sent: no path goes through an anchor.
    pub(crate) others: Vec<CertificateDer<'a>>,
}

/// Where a trust anchor is from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The place of its record.
    pub(crate) record: usize,
    /// The constraints of its certificate; none of a key without one.
    pub(crate) uses: Uses<'a>,
    pub(crate) is_bare_key: bool,
}

impl<'a> Anchors<'a> {
    /// Finds the trust anchors, those that the server has sent before those in the DNS.
    pub(crate) fn find(
        records: &'a RecordSet,
        leaf: &Certificate<'a>,
        own: &Selected<'a>,
        chain: &'a [CertificateDer<'a>],
    ) -> Self {
        let mut anchors = Self::default();
        let mut sent = vec![*leaf];
        let above = chain.iter().skip(1).filter(|der| der.as_ref() != leaf.as_der());
        for certificate in above.filter_map(|der| Certificate::parse(der).ok()) {
            let selected = Selected::of(&certificate);
            let mut is_anchor = false;
            for (place, record) in records.used(Usage::DANE_TA) {
                if selected.matches(record) {
                    is_anchor = true;
                    anchors.take(place, &certificate);
                }
            }
            if !is_anchor {
                anchors.others.push(certificate.as_der().into());
            }
            sent.push(certificate);
        }
        for (place, record) in records.used(Usage::DANE_TA) {
            if !anchors.has(place) && own.matches(record) {
                anchors.reasons.push((place, MismatchReason::OwnAnchor));
            }
        }
        // Certificates before keys: they have constraints.
        for selector in [Selector::CERT, Selector::SPKI] {
            for (place, record) in records.used(Usage::DANE_TA) {
                let is_whole = record.matching_type == MatchingType::FULL;
                if record.selector != selector || !is_whole || anchors.has(place) {
                    continue;
                }
                match Certificate::parse(&record.data) {
                    Ok(certificate) if selector == Selector::CERT => {
                        anchors.take(place, &certificate);
                    }
                    _ => anchors.take_key(place, &record.data, &sent),
                }
            }
        }
        anchors
    }

    fn has(&self, place: usize) -> bool {
        self.has_trusted(place) || self.reasons.iter().any(|(record, _)| *record == place)
    }

    /// Tells whether a record has an anchor.
    pub(crate) fn has_trusted(&self, place: usize) -> bool {
        self.sources.iter().any(|source| source.record == place)
    }

    /// Returns the anchors of one record alone.
    pub(crate) fn of_record(&self, place: usize) -> Self {
        let all = self.trusted.iter().zip(&self.sources);
        let own = all.filter(|(_, source)| source.record == place);
        let (trusted, sources) = own.map(|(anchor, source)| (anchor.clone(), *source)).unzip();
        Self { trusted, sources, reasons: Vec::new(), others: self.others.clone() }
    }

    /// Takes a certificate that a record has named as an anchor, unless it says that it cannot be one.
    fn take(&mut self, record: usize, certificate: &Certificate<'a>) {
        match uses_of_anchor(certificate) {
            Ok(uses) => {
                self.trusted.push(TrustAnchor {
                    subject: Der::from_slice(certificate.subject().contents),
                    subject_public_key_info: Der::from_slice(certificate.key_contents()),
                    name_constraints: uses.name_constraints.map(|it| Der::from_slice(it.contents)),
                });
                self.sources.push(Source { record, uses, is_bare_key: false });
            }
            Err(fault) => self.reasons.push((record, MismatchReason::Path(fault))),
        }
    }

    /// Takes a key as the issuer of the topmost certificates (RFC 7671 section 5.2.3).
    fn take_key(&mut self, record: usize, key: &'a [u8], sent: &[Certificate<'a>]) {
        let Ok(key) = Reader::new(key).any("subjectPublicKeyInfo") else { return };
        for top in sent {
            if sent.iter().any(|other| other.subject().contents == top.issuer()) {
                continue;
            }
            self.trusted.push(TrustAnchor {
                subject: Der::from_slice(top.issuer()),
                subject_public_key_info: Der::from_slice(key.contents),
                name_constraints: None,
            });
            self.sources.push(Source { record, uses: Uses::default(), is_bare_key: true });
        }
    }
}

/// Returns the constraints of a trust anchor (RFC 7671 section 5.2.1). Its validity does not count:
/// the DNS says for how long it is trusted.
fn uses_of_anchor<'a>(certificate: &Certificate<'a>) -> Result<Uses<'a>, PathFault> {
    let uses = Uses::of(certificate).map_err(|_| PathFault::Malformed)?;
    // RFC 5280 section 4.2.1.9: a key of version 3 that is not an authority's must not verify.
    if certificate.is_version_3() && uses.authority_at.is_none() {
        return Err(PathFault::NotAuthority);
    }
    if !uses.allows_signing_certificates() {
        return Err(PathFault::KeyUsage);
    }
    if !uses.allows_servers() {
        return Err(PathFault::Purpose);
    }
    if uses.has_unknown_critical {
        return Err(PathFault::CriticalExtension);
    }
    Ok(uses)
}
