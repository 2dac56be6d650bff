//! Verifying a response for one certificate: RFC 6960 section 3.2, RFC 5019 section 4.

use der::Tag;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::UnixTime;
use sha1::{Digest as _, Sha1};

use crate::certificate::Certificate;
use crate::fields;
use crate::issuer::{Issuer, IssuerError};
use crate::options::Options;
use crate::proof::{Proof, ProofError, Signer};
use crate::response::{BasicResponse, Responder, Response, SingleResponse};
use crate::signature::{Algorithms, PublicKey, SignatureFault, Signed};
use crate::time::later;

/// A check of responses for one certificate.
///
/// A response counts only if it is signed by the very key that signed the certificate, or by one
/// whose certificate that key signed for the purpose.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    leaf: &'a Certificate<'a>,
    issuer: Issuer<'a>,
    algorithms: Algorithms<'a>,
    options: Options,
    nonce: Option<&'a [u8]>,
}

impl<'a> Check<'a> {
    /// Makes a check for a certificate. Its issuer is the one of these whose name it bears and whose
    /// key it is signed with.
    ///
    /// # Errors
    ///
    /// [`IssuerError`] if its issuer is not among them, or not among the first 16 of its name.
    pub fn new(
        leaf: &'a Certificate<'a>,
        issuers: impl IntoIterator<Item = Issuer<'a>>,
        algorithms: Algorithms<'a>,
    ) -> Result<Self, IssuerError> {
        let (mut error, mut tried) = (None, 0);
        for issuer in issuers {
            if issuer.name == leaf.issuer {
                // Each costs a signature, and anybody can make certificates of this name.
                if tried == MOST_ISSUERS {
                    return Err(IssuerError::TooMany { most: MOST_ISSUERS });
                }
                tried += 1;
            }
            match issuer.verify(leaf, algorithms) {
                Ok(()) => {
                    let options = Options::default();
                    return Ok(Self { leaf, issuer, algorithms, options, nonce: None });
                }
                Err(IssuerError::Missing { .. }) => {}
                Err(other) => error = Some(other),
            }
        }
        Err(error.unwrap_or_else(|| IssuerError::missing(leaf)))
    }

    /// Sets the options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Expects the nonce that was sent. Without one, a nonce in the response is ignored
    /// (RFC 5019 section 4).
    #[must_use]
    pub fn with_nonce(self, nonce: &'a [u8]) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// Returns the certificate.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use ocsp_staple::rustls_pki_types::UnixTime;
    /// use ocsp_staple::{Certificate, Check, Issuer, Options};
    ///
    /// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
    /// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
    /// # let response = include_bytes!("../tests/data/responses/good_delegated.der");
    /// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
    /// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
    /// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    /// let options = Options::default().with_require_nonce(true);
    /// let check = Check::new(&leaf, [Issuer::from(&issuer)], algorithms)?.with_options(options);
    /// let check = check.with_nonce(b"0123456789abcdef");
    /// assert_eq!(check.certificate(), &leaf);
    /// let error = check.verify(response, now).unwrap_err();
    /// assert!(error.to_string().contains("nonce"), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn certificate(&self) -> &'a Certificate<'a> {
        self.leaf
    }

    /// Returns its issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer<'a> {
        &self.issuer
    }

    /// Verifies a response, as its DER.
    ///
    /// # Errors
    ///
    /// [`ProofError`] if it proves nothing. That a certificate is revoked or unknown is a proof.
    pub fn verify(&self, response: &[u8], now: UnixTime) -> Result<Proof, ProofError> {
        let response = match Response::parse(response, &self.options.limits)? {
            Response::Successful(response) => response,
            Response::Failed(error) => return Err(error.into()),
        };
        let unknown = response.extensions.unknown_critical(&[NONCE, EXTENDED_REVOKE]);
        if let Some(oid) = unknown {
            return Err(ProofError::CriticalExtension(oid));
        }
        let signer = self.signer(&response, now)?;
        let single = self.single(&response, now)?;
        let until = self.until(&single)?;
        let until = match signer {
            Signer::Issuer => until,
            Signer::Delegated { until: end, .. } => until.min(end),
        };
        if now > self.leaf.not_after {
            return Err(ProofError::CertificateExpired(self.leaf.not_after));
        }
        self.check_produced_at(response.produced_at, now)?;
        let has_nonce = self.check_nonce(&response)?;
        let SingleResponse { status, this_update, next_update, .. } = single;
        let produced_at = response.produced_at;
        Ok(Proof { status, this_update, next_update, produced_at, until, signer, has_nonce })
    }

    /// Finds the signer: the issuer, or one of the certificates in the response, of which several
    /// may have the signer's name.
    fn signer(&self, response: &BasicResponse<'_>, now: UnixTime) -> Result<Signer, ProofError> {
        let owned = || response.responder.clone().into_owned();
        let mut error = None;
        let by_issuer = is_named(&response.responder, &self.issuer.name, &self.issuer.key);
        if by_issuer {
            match self.verify_signature(&response.signed, &self.issuer.key, owned) {
                Ok(()) => return Ok(Signer::Issuer),
                Err(wrong) => error = Some(wrong),
            }
        }
        for der in response.certificates() {
            let Ok(certificate) = Certificate::parse(der) else { continue };
            if !is_named(&response.responder, &certificate.subject, &certificate.key) {
                continue;
            }
            if by_issuer && certificate.key == self.issuer.key {
                // Its own certificate, as OpenSSL puts it in: that key was tried.
                continue;
            }
            let delegated = self
                .delegated(&certificate, now, owned)
                .and_then(|()| self.verify_signature(&response.signed, &certificate.key, owned));
            match delegated {
                Ok(()) => {
                    let (until, no_check) = (certificate.not_after, certificate.uses.no_check);
                    return Ok(Signer::Delegated { until, no_check });
                }
                Err(wrong) => error = Some(wrong),
            }
        }
        Err(error.unwrap_or_else(|| ProofError::SignerMissing { responder: owned() }))
    }

    /// Checks that the issuer has given this certificate for signing responses
    /// (RFC 6960 section 4.2.2.2).
    fn delegated(
        &self,
        signer: &Certificate<'_>,
        now: UnixTime,
        owned: impl Fn() -> Responder<'static>,
    ) -> Result<(), ProofError> {
        let uses = &signer.uses;
        if signer.issuer != self.issuer.name {
            return Err(ProofError::SignerIssuer { responder: owned() });
        }
        match signer.signed.verify(&self.issuer.key, self.algorithms) {
            Ok(()) => {}
            Err(SignatureFault::Wrong) => {
                return Err(ProofError::SignerIssuer { responder: owned() });
            }
            Err(SignatureFault::Unsupported) => {
                return Err(ProofError::Algorithm { responder: owned() });
            }
        }
        if !uses.ocsp_signing {
            return Err(ProofError::SignerPurpose { responder: owned() });
        }
        if uses.signatures == Some(false) {
            return Err(ProofError::SignerKeyUsage { responder: owned() });
        }
        if let Some(oid) = uses.unknown_critical {
            return Err(ProofError::SignerExtension { responder: owned(), oid });
        }
        if now < signer.not_before {
            return Err(ProofError::SignerNotYetValid {
                responder: owned(),
                from: signer.not_before,
            });
        }
        if now > signer.not_after {
            return Err(ProofError::SignerExpired { responder: owned(), until: signer.not_after });
        }
        Ok(())
    }

    fn verify_signature(
        &self,
        signed: &Signed<'_>,
        key: &PublicKey<'_>,
        owned: impl Fn() -> Responder<'static>,
    ) -> Result<(), ProofError> {
        signed.verify(key, self.algorithms).map_err(|fault| match fault {
            SignatureFault::Wrong => ProofError::Signature { responder: owned() },
            SignatureFault::Unsupported => ProofError::Algorithm { responder: owned() },
        })
    }

    /// Returns the strictest of what the response says about the certificate and what counts now.
    fn single<'r>(
        &self,
        response: &BasicResponse<'r>,
        now: UnixTime,
    ) -> Result<SingleResponse<'r>, ProofError> {
        let mut error = ProofError::OtherCertificate;
        let mut best: Option<SingleResponse<'_>> = None;
        for single in response.responses() {
            if !single.cert_id.names(self.leaf, &self.issuer) {
                continue;
            }
            if let Some(oid) = single.extensions.unknown_critical(&[TIMESTAMPS]) {
                return Err(ProofError::CriticalExtension(oid));
            }
            if let Err(wrong) = self.check_times(&single, now) {
                error = wrong;
                continue;
            }
            let strictness = single.status.strictness();
            if best.as_ref().is_none_or(|best| strictness > best.status.strictness()) {
                best = Some(single);
            }
        }
        best.ok_or(error)
    }

    fn check_times(&self, single: &SingleResponse<'_>, now: UnixTime) -> Result<(), ProofError> {
        let skew = self.options.skew;
        if let Some(next) = single.next_update.filter(|next| *next < single.this_update) {
            return Err(ProofError::NextUpdateBeforeThis(next));
        }
        if single.this_update > later(now, skew) {
            return Err(ProofError::NotYetValid(single.this_update));
        }
        let until = self.until(single)?;
        if later(until, skew) < now && until < self.leaf.not_after {
            return Err(ProofError::Expired(until));
        }
        Ok(())
    }

    /// Returns until when the answer counts, its signer left aside.
    fn until(&self, single: &SingleResponse<'_>) -> Result<UnixTime, ProofError> {
        let mut until = self.leaf.not_after;
        match single.next_update {
            Some(next) => until = until.min(next),
            None if self.options.missing_next_update => {}
            None => return Err(ProofError::NextUpdateMissing),
        }
        let oldest = self.options.max_age.map(|age| later(single.this_update, age));
        Ok(oldest.map_or(until, |oldest| until.min(oldest)))
    }

    fn check_produced_at(&self, produced_at: UnixTime, now: UnixTime) -> Result<(), ProofError> {
        let within = produced_at <= later(now, self.options.skew)
            && produced_at >= self.leaf.not_before
            && produced_at <= self.leaf.not_after;
        if within || !self.options.check_produced_at {
            return Ok(());
        }
        Err(ProofError::ProducedAt(produced_at))
    }

    /// Tells whether the response has the nonce that was sent.
    fn check_nonce(&self, response: &BasicResponse<'_>) -> Result<bool, ProofError> {
        let Some(sent) = self.nonce else { return Ok(false) };
        let Some(value) = response.extensions.value(&NONCE) else {
            let required = self.options.require_nonce;
            return if required { Err(ProofError::NonceMissing) } else { Ok(false) };
        };
        // RFC 8954 section 2.1: the value is an OCTET STRING of its own.
        let found = fields::whole(value, "Nonce", |reader| {
            fields::contents(reader, Tag::OctetString, "Nonce")
        });
        if found == Ok(sent) { Ok(true) } else { Err(ProofError::NonceDiffers) }
    }
}

/// Tells whether the response says to be from this name or key.
fn is_named(responder: &Responder<'_>, name: &crate::name::Name<'_>, key: &PublicKey<'_>) -> bool {
    match responder {
        Responder::Name(responder) => responder == name,
        Responder::Key(hash) => **hash == *Sha1::digest(key.bits),
    }
}

/// The most issuers of the right name that are tried.
const MOST_ISSUERS: usize = 16;
/// RFC 8954.
pub(crate) const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// RFC 6960 section 4.4.8.
const EXTENDED_REVOKE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.9");
/// RFC 6962 section 3.3: timestamps of certificate transparency.
const TIMESTAMPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.5");
