//! By what a request and a response name a certificate: RFC 6960 section 4.1.1.

use der::asn1::ObjectIdentifier;
use der::{Reader as _, SliceReader, Tag};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::certificate::Certificate;
use crate::fields::{self, Field};
use crate::issuer::Issuer;

/// The digest by which a request names the issuer.
///
/// SHA-1 names here, and secures nothing: whoever finds a collision has to be the issuer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IssuerHash {
    /// SHA-1, which every responder supports ([RFC 5019 section 2.1.1]).
    ///
    /// [RFC 5019 section 2.1.1]: https://www.rfc-editor.org/rfc/rfc5019#section-2.1.1
    #[default]
    Sha1,
    /// SHA-256, for responders that refuse SHA-1.
    Sha256,
}

impl IssuerHash {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Sha1 => Self::Sha256,
            Self::Sha256 => Self::Sha1,
        }
    }
}

/// A digest in a `CertID`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl From<IssuerHash> for Hash {
    fn from(hash: IssuerHash) -> Self {
        match hash {
            IssuerHash::Sha1 => Self::Sha1,
            IssuerHash::Sha256 => Self::Sha256,
        }
    }
}

impl Hash {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),
            Self::Sha256 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
            Self::Sha384 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
            Self::Sha512 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        }
    }

    /// Hands out the digests of the issuer's name and of its key.
    pub(crate) fn of<T>(self, issuer: &Issuer<'_>, take: impl FnOnce(&[u8], &[u8]) -> T) -> T {
        match self {
            Self::Sha1 => digests::<Sha1, T>(issuer, take),
            Self::Sha256 => digests::<Sha256, T>(issuer, take),
            Self::Sha384 => digests::<Sha384, T>(issuer, take),
            Self::Sha512 => digests::<Sha512, T>(issuer, take),
        }
    }
}

fn digests<D: Digest, T>(issuer: &Issuer<'_>, take: impl FnOnce(&[u8], &[u8]) -> T) -> T {
    let mut name = D::new();
    issuer.name.each_part(|part| name.update(part));
    take(&name.finalize(), &D::digest(issuer.key.bits))
}

/// The `CertID` of a response.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CertId<'a> {
    /// `None` for a digest that is not known.
    hash: Option<Hash>,
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    pub(crate) serial: &'a [u8],
}

impl<'a> CertId<'a> {
    pub(crate) fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        fields::sequence(reader, "certID", |reader| {
            let hash = fields::sequence(reader, "hashAlgorithm", |reader| {
                let oid = fields::oid(reader, "hashAlgorithm")?;
                // RFC 5754 section 2: parameters are absent or NULL.
                let without = reader.is_finished()
                    || fields::any(reader, "hashAlgorithm").map(|tag| tag == Tag::Null)?;
                let hash = Hash::ALL.into_iter().find(|hash| hash.oid().as_bytes() == oid);
                Ok(hash.filter(|_| without))
            })?;
            let name_hash = fields::contents(reader, Tag::OctetString, "issuerNameHash")?;
            let key_hash = fields::contents(reader, Tag::OctetString, "issuerKeyHash")?;
            let serial = fields::integer(reader, "serialNumber")?;
            Ok(Self { hash, name_hash, key_hash, serial })
        })
    }

    /// Tells whether it names the certificate, by all three of its issuer's name, its issuer's key
    /// and its number.
    pub(crate) fn names(&self, leaf: &Certificate<'_>, issuer: &Issuer<'_>) -> bool {
        let of_issuer = |hash: Hash| {
            hash.of(issuer, |name, key| name == self.name_hash && key == self.key_hash)
        };
        self.serial == leaf.serial && self.hash.is_some_and(of_issuer)
    }
}
