//! Which records can authenticate a mail server: RFC 6698 section 4.1, RFC 7672 section 3.1.

use thiserror::Error;

use crate::certificate::{Certificate, check_whole_key};
use crate::der::DerError;
use crate::matching_type::MatchingType;
use crate::record::TlsaRecord;
use crate::selector::Selector;
use crate::usage::Usage;

/// Why a record is not used.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unusable {
    /// SMTP has no use for the usages of public authorities ([RFC 7672 section 3.1.3]).
    ///
    /// [RFC 7672 section 3.1.3]: https://www.rfc-editor.org/rfc/rfc7672#section-3.1.3
    #[error("{0} is not for SMTP")]
    PkixUsage(Usage),
    /// The usage is not assigned.
    #[error("{0} is not assigned")]
    Usage(Usage),
    /// The selector is not assigned.
    #[error("{0} is not assigned")]
    Selector(Selector),
    /// The matching type is not assigned.
    #[error("{0} is not assigned")]
    MatchingType(MatchingType),
    /// The data is longer or shorter than the digest.
    #[error("a digest {matching_type} has {expected} octets, not {found}")]
    DigestLength {
        /// The digest.
        matching_type: MatchingType,
        /// The length of such a digest in octets.
        expected: usize,
        /// The length of the data in octets.
        found: usize,
    },
    /// The data is not one certificate, as Cert(0) Full(0) has it.
    #[error("the data is not one certificate: {0}")]
    Certificate(DerError),
    /// The data is not one public key, as SPKI(1) Full(0) has it.
    #[error("the data is not one public key: {0}")]
    Key(DerError),
}

impl TlsaRecord {
    /// Checks that the record can authenticate a mail server.
    ///
    /// # Errors
    ///
    /// [`Unusable`] tells why it cannot. A host whose records are all so is sent mail over TLS, without
    /// authentication ([RFC 7672 section 2.2](https://www.rfc-editor.org/rfc/rfc7672#section-2.2)).
    pub fn check_usable(&self) -> Result<(), Unusable> {
        match self.usage {
            Usage::DANE_TA | Usage::DANE_EE => {}
            Usage::PKIX_TA | Usage::PKIX_EE => return Err(Unusable::PkixUsage(self.usage)),
            usage => return Err(Unusable::Usage(usage)),
        }
        if self.selector != Selector::CERT && self.selector != Selector::SPKI {
            return Err(Unusable::Selector(self.selector));
        }
        let (matching_type, found) = (self.matching_type, self.data.len());
        match (matching_type, matching_type.digest_octets()) {
            (_, Some(expected)) if expected == found => Ok(()),
            (_, Some(expected)) => Err(Unusable::DigestLength { matching_type, expected, found }),
            (MatchingType::FULL, _) if self.selector == Selector::CERT => {
                Certificate::parse(&self.data)
                    .and_then(|certificate| certificate.check_whole())
                    .map_err(Unusable::Certificate)
            }
            (MatchingType::FULL, _) => check_whole_key(&self.data).map_err(Unusable::Key),
            _ => Err(Unusable::MatchingType(matching_type)),
        }
    }
}
