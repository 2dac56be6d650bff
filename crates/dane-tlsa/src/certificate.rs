//! The parts of a certificate that DANE uses: RFC 5280 section 4.1.

use crate::der::{self, DerError, Element, Reader};

/// A certificate, borrowing from its DER, read as far as its key.
///
/// Any certificate that has a key is one: of any version, whatever its extensions are. Reading one
/// verifies nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Certificate<'a> {
    der: &'a [u8],
    tbs: Element<'a>,
    issuer: &'a [u8],
    validity: Element<'a>,
    subject: Element<'a>,
    key: Element<'a>,
    /// The fields after the key.
    rest: Reader<'a>,
    is_version_3: bool,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate from its DER.
    ///
    /// # Errors
    ///
    /// [`DerError`] if it is malformed before the end of its key, or has bytes behind it.
    pub fn parse(der: &'a [u8]) -> Result<Self, DerError> {
        let certificate = der::whole(der, der::SEQUENCE, "Certificate")?;
        let tbs = certificate.reader().read(der::SEQUENCE, "tbsCertificate")?;
        let mut reader = tbs.reader();
        let version = reader.optional(der::context(0, true), "version")?;
        reader.read(der::INTEGER, "serialNumber")?;
        reader.read(der::SEQUENCE, "signature")?;
        let issuer = reader.read(der::SEQUENCE, "issuer")?.contents;
        let validity = reader.read(der::SEQUENCE, "validity")?;
        let subject = reader.read(der::SEQUENCE, "subject")?;
        let key = reader.read(der::SEQUENCE, "subjectPublicKeyInfo")?;
        check_key(&key)?;
        let is_version_3 = match version {
            Some(version) => {
                let number = version.reader().read(der::INTEGER, "version")?;
                !matches!(number.contents, [0 | 1])
            }
            None => false,
        };
        Ok(Self { der, tbs, issuer, validity, subject, key, rest: reader, is_version_3 })
    }

    /// Checks that it is well-formed as a whole: what a record with matching type Full(0) must have.
    pub(crate) fn check_whole(&self) -> Result<(), DerError> {
        let mut reader = der::whole(self.der, der::SEQUENCE, "Certificate")?.reader();
        reader.read(der::SEQUENCE, "tbsCertificate")?;
        reader.read(der::SEQUENCE, "signatureAlgorithm")?;
        reader.read(der::BIT_STRING, "signatureValue")?;
        reader.end("Certificate")?;
        self.each_extension(|_| Ok(()))
    }

    /// Returns its DER.
    #[must_use]
    pub fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// Returns its key, as the DER of `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        self.key.encoded
    }

    pub(crate) fn tbs(&self) -> Element<'a> {
        self.tbs
    }

    /// Returns the contents of its key.
    pub(crate) fn key_contents(&self) -> &'a [u8] {
        self.key.contents
    }

    /// Returns the contents of its issuer's name.
    pub(crate) fn issuer(&self) -> &'a [u8] {
        self.issuer
    }

    pub(crate) fn validity(&self) -> Element<'a> {
        self.validity
    }

    pub(crate) fn subject(&self) -> Element<'a> {
        self.subject
    }

    /// Tells whether it is of a version that has extensions.
    pub(crate) fn is_version_3(&self) -> bool {
        self.is_version_3
    }

    /// Hands out its extensions.
    pub(crate) fn each_extension(
        &self,
        mut take: impl FnMut(Extension<'a>) -> Result<(), DerError>,
    ) -> Result<(), DerError> {
        let mut reader = self.rest;
        for number in [1, 2] {
            reader.optional(der::context(number, false), "UniqueIdentifier")?;
        }
        let Some(extensions) = reader.optional(der::context(3, true), "extensions")? else {
            return reader.end("tbsCertificate");
        };
        reader.end("tbsCertificate")?;
        let mut list = extensions.reader().read(der::SEQUENCE, "extensions")?.reader();
        while !list.is_empty() {
            let mut reader = list.read(der::SEQUENCE, "Extension")?.reader();
            let oid = reader.read(der::OID, "extnID")?.contents;
            let critical = reader.optional(der::BOOLEAN, "critical")?;
            let is_critical = critical.is_some_and(|critical| critical.contents != [0]);
            let value = reader.read(der::OCTET_STRING, "extnValue")?;
            take(Extension { oid, is_critical, value })?;
        }
        Ok(())
    }
}

/// An extension of a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    /// The contents of its identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) is_critical: bool,
    pub(crate) value: Element<'a>,
}

/// Checks that an input is one public key, as the DER of `SubjectPublicKeyInfo`.
pub(crate) fn check_whole_key(input: &[u8]) -> Result<(), DerError> {
    check_key(&der::whole(input, der::SEQUENCE, "subjectPublicKeyInfo")?)
}

fn check_key(key: &Element<'_>) -> Result<(), DerError> {
    let mut reader = key.reader();
    reader
        .read(der::SEQUENCE, "AlgorithmIdentifier")?
        .reader()
        .read(der::OID, "AlgorithmIdentifier")?;
    let bits = reader.read(der::BIT_STRING, "subjectPublicKey")?;
    if bits.contents.len() < 2 {
        return Err(DerError { at: bits.at, field: "subjectPublicKey" });
    }
    reader.end("subjectPublicKeyInfo")
}
