//! The parts of a certificate that records can match, digested once for all records.

use std::cell::OnceCell;

use sha2::{Digest as _, Sha256, Sha512};

use crate::certificate::Certificate;
use crate::matching_type::MatchingType;
use crate::record::TlsaRecord;
use crate::selector::Selector;

/// The parts of a certificate that records are compared with.
#[derive(Debug)]
pub(crate) struct Selected<'a> {
    certificate: Option<Part<'a>>,
    key: Part<'a>,
}

#[derive(Debug)]
struct Part<'a> {
    octets: &'a [u8],
    sha256: OnceCell<[u8; 32]>,
    sha512: OnceCell<[u8; 64]>,
}

impl<'a> Selected<'a> {
    pub(crate) fn of(certificate: &Certificate<'a>) -> Self {
        Self {
            certificate: Some(Part::new(certificate.as_der())),
            key: Part::new(certificate.key()),
        }
    }

    /// Takes a raw key, which has no certificate.
    pub(crate) fn of_key(key: &'a [u8]) -> Self {
        Self { certificate: None, key: Part::new(key) }
    }

    pub(crate) fn matches(&self, record: &TlsaRecord) -> bool {
        let part = match record.selector {
            Selector::CERT => self.certificate.as_ref(),
            Selector::SPKI => Some(&self.key),
            _ => None,
        };
        part.is_some_and(|part| match record.matching_type {
            MatchingType::FULL => *part.octets == *record.data,
            MatchingType::SHA2_256 => *part.sha256() == *record.data,
            MatchingType::SHA2_512 => *part.sha512() == *record.data,
            _ => false,
        })
    }
}

impl<'a> Part<'a> {
    fn new(octets: &'a [u8]) -> Self {
        Self { octets, sha256: OnceCell::new(), sha512: OnceCell::new() }
    }

    fn sha256(&self) -> &[u8] {
        self.sha256.get_or_init(|| Sha256::digest(self.octets).into())
    }

    fn sha512(&self) -> &[u8] {
        self.sha512.get_or_init(|| Sha512::digest(self.octets).into())
    }
}
