//! The path from a server's certificate to a trust anchor, by webpki: RFC 5280 section 6.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use crate::anchor::{Anchors, Source};
use crate::certificate::Certificate;
use crate::leaf::Unlabelled;
use crate::path_fault::PathFault;
use crate::path_steps;
use crate::server_names::{self, Identity};
use crate::uses::Uses;

/// The algorithms that a signature may be made with, as of a rustls provider:
/// `provider.signature_verification_algorithms.all`.
pub type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// The input of the search for a path.
pub(crate) struct Search<'a> {
    pub(crate) leaf: &'a Certificate<'a>,
    pub(crate) uses: Uses<'a>,
    pub(crate) anchors: &'a Anchors<'a>,
    pub(crate) identity: Identity<'a>,
    pub(crate) algorithms: Algorithms<'a>,
    pub(crate) now: UnixTime,
}

/// Where a path ends: the record, and the depth at which it matches.
pub(crate) type End = (usize, usize);

impl Search<'_> {
    /// Finds the path to the trust anchor that is nearest to the leaf.
    pub(crate) fn run(&self) -> Result<End, PathFault> {
        if !self.uses.allows_tls() {
            return Err(PathFault::KeyUsage);
        }
        if path_steps::are_too_many(self.leaf, &self.anchors.others) {
            return Err(PathFault::Limit);
        }
        let Some(authority_at) = self.uses.authority_at else {
            return self.run_webpki(&CertificateDer::from(self.leaf.as_der()), self.algorithms);
        };
        let copy = Unlabelled::new(self.leaf, authority_at);
        let wrapped: Vec<_> = self.algorithms.iter().map(|alg| copy.wrap(*alg)).collect();
        let algorithms: Vec<_> =
            wrapped.iter().map(|alg| alg as &dyn SignatureVerificationAlgorithm).collect();
        self.run_webpki(&copy.der, &algorithms)
    }

    fn run_webpki(
        &self,
        leaf: &CertificateDer<'_>,
        algorithms: Algorithms<'_>,
    ) -> Result<End, PathFault> {
        let leaf = EndEntityCert::try_from(leaf)?;
        let path = leaf.verify_for_usage(
            algorithms,
            &self.anchors.trusted,
            &self.anchors.others,
            self.now,
            KeyUsage::server_auth(),
            None,
            Some(&|path| self.check(path)),
        )?;
        let source = self.source(&path).ok_or(PathFault::Issuer)?;
        let between = path.intermediate_certificates().count();
        Ok((source.record, if source.is_bare_key { between } else { between + 1 }))
    }

    fn source(&self, path: &VerifiedPath<'_>) -> Option<&Source<'_>> {
        let mut anchors = self.anchors.trusted.iter().zip(&self.anchors.sources);
        anchors.find(|(anchor, _)| std::ptr::eq(*anchor, path.anchor())).map(|(_, source)| source)
    }

    /// Checks what webpki does not: path lengths that trust anchors allow, the key usage of authorities,
    /// and name constraints of common names.
    fn check(&self, path: &VerifiedPath<'_>) -> Result<(), webpki::Error> {
        let anchor = self.source(path).ok_or(webpki::Error::UnknownIssuer)?;
        let mut counted = 0;
        self.check_common_name(&anchor.uses)?;
        for authority in path.intermediate_certificates() {
            let der = authority.der();
            let certificate = Certificate::parse(&der).map_err(|_| webpki::Error::BadDer)?;
            let uses = Uses::of(&certificate).map_err(|_| webpki::Error::BadDer)?;
            if !uses.allows_signing_certificates() {
                return Err(webpki::Error::EndEntityUsedAsCa);
            }
            self.check_common_name(&uses)?;
            // RFC 5280 section 4.2.1.9: those that an authority has issued to itself do not count.
            counted += u32::from(authority.issuer() != authority.subject());
        }
        if anchor.uses.path_length.is_some_and(|most| counted > most) {
            return Err(webpki::Error::PathLenConstraintViolated);
        }
        Ok(())
    }

    fn check_common_name(&self, authority: &Uses<'_>) -> Result<(), webpki::Error> {
        let (Identity::CommonName { text, reference }, Some(constraints)) =
            (self.identity, authority.name_constraints)
        else {
            return Ok(());
        };
        match server_names::allows(&constraints, text, reference) {
            Ok(true) => Ok(()),
            Ok(false) => Err(webpki::Error::NameConstraintViolation),
            Err(_) => Err(webpki::Error::MalformedNameConstraint),
        }
    }
}
