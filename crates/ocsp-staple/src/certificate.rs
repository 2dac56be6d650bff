//! The parts of a certificate that OCSP uses: RFC 5280 section 4.1, RFC 7633.

use std::fmt;

use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag};
use rustls_pki_types::UnixTime;

use crate::extension::{Defaults, MOST_OF_CERTIFICATE, Oid, Seen, Start};
use crate::fields::{self, DerError, DerFault, Field};
use crate::name::Name;
use crate::signature::{PublicKey, Signed};

/// A certificate, borrowing from its DER, as far as OCSP is concerned with it.
///
/// Reading one verifies nothing.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Certificate<'a> {
    pub(crate) der: &'a [u8],
    pub(crate) signed: Signed<'a>,
    /// In its only form, so that equal numbers are equal octets.
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: Name<'a>,
    pub(crate) subject: Name<'a>,
    pub(crate) key: PublicKey<'a>,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    pub(crate) uses: Uses<'a>,
}

/// The extensions of a certificate that OCSP uses.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Uses<'a> {
    /// Whether `keyUsage`, if there, lets the key sign anything but certificates and lists.
    pub(crate) signatures: Option<bool>,
    pub(crate) ocsp_signing: bool,
    pub(crate) no_check: bool,
    pub(crate) unknown_critical: Option<Oid>,
    staple_required: bool,
    /// The contents of `AuthorityInfoAccessSyntax`.
    access: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate from its DER.
    ///
    /// # Errors
    ///
    /// [`DerError`] if it is malformed, or has more than 256 extensions. A default value that is
    /// written is accepted, as by others, and whatever an extension contains that is not used here.
    pub fn parse(der: &'a [u8]) -> Result<Self, DerError> {
        fields::whole(der, "Certificate", |reader| {
            fields::sequence(reader, "Certificate", |reader| {
                let tbs = fields::encoded(&mut reader.clone(), Tag::Sequence, "tbsCertificate")?;
                let certificate = fields::sequence(reader, "tbsCertificate", Self::read)?;
                let other = fields::fault(reader, "signatureAlgorithm", DerFault::Value);
                let algorithm = fields::algorithm(reader, "signatureAlgorithm")?;
                if algorithm != certificate.signed.algorithm {
                    return Err(other);
                }
                let signature = fields::bits(reader, "signatureValue")?;
                let signed = Signed { message: tbs, algorithm, signature };
                Ok(Self { der, signed, ..certificate })
            })
        })
    }

    fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        fields::explicit(reader, 0, "version", |reader| fields::integer(reader, "version"))?;
        let serial = fields::integer(reader, "serialNumber")?;
        let algorithm = fields::algorithm(reader, "signature")?;
        let issuer = Name::read(reader, "issuer")?;
        let (not_before, not_after) = fields::sequence(reader, "validity", |reader| {
            Ok((fields::time(reader, "notBefore")?, fields::time(reader, "notAfter")?))
        })?;
        let subject = Name::read(reader, "subject")?;
        let key = fields::sequence(reader, "subjectPublicKeyInfo", PublicKey::read)?;
        for number in [1, 2] {
            let tag = fields::context(number, false);
            if fields::next(reader, "UniqueIdentifier")? == Some(tag) {
                fields::contents(reader, tag, "UniqueIdentifier")?;
            }
        }
        let uses = fields::explicit(reader, 3, "extensions", Uses::read)?.unwrap_or_default();
        let signed = Signed { message: &[], algorithm, signature: &[] };
        let der = &[];
        Ok(Self { der, signed, serial, issuer, subject, key, not_before, not_after, uses })
    }

    /// Returns its DER.
    #[must_use]
    pub fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// Returns the name of its subject.
    #[must_use]
    pub fn subject(&self) -> &Name<'a> {
        &self.subject
    }

    /// Returns the name of its issuer.
    #[must_use]
    pub fn issuer(&self) -> &Name<'a> {
        &self.issuer
    }

    /// Returns when it begins to be valid.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// Returns the last second in which it is valid.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Tells whether it demands a staple of the server: the TLS feature `status_request` of
    /// [RFC 7633](https://www.rfc-editor.org/rfc/rfc7633), "must-staple".
    #[must_use]
    pub fn requires_staple(&self) -> bool {
        self.uses.staple_required
    }

    /// Returns the addresses of the responders that it names ([RFC 6960 section 3.1]); without one
    /// there is no responder to ask, which is not an error.
    ///
    /// [RFC 6960 section 3.1]: https://www.rfc-editor.org/rfc/rfc6960#section-3.1
    ///
    /// ```
    /// use ocsp_staple::Certificate;
    ///
    /// let der = include_bytes!("../tests/data/certificates/leaf.der");
    /// let leaf = Certificate::parse(der)?;
    /// assert_eq!(leaf.as_der(), der);
    /// assert!(leaf.responders().all(|url| url.starts_with("http://")) && leaf.responders().count() == 1);
    /// assert!(!leaf.requires_staple() && leaf.not_before() < leaf.not_after());
    /// let demanding = include_bytes!("../tests/data/certificates/leafms.der");
    /// assert!(Certificate::parse(demanding)?.requires_staple());
    /// assert_ne!(leaf.subject(), Certificate::parse(demanding)?.subject());
    /// # Ok::<(), ocsp_staple::DerError>(())
    /// ```
    pub fn responders(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = SliceReader::new(self.uses.access).ok();
        std::iter::from_fn(move || {
            let reader = rest.as_mut().filter(|reader| !reader.is_finished())?;
            let access = access_description(reader);
            debug_assert!(access.is_ok(), "the list was read before: {access:?}");
            access.ok()
        })
        .filter_map(|(method, location)| location.filter(|_| method == OCSP.as_bytes()))
    }
}

impl fmt::Debug for Certificate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject.to_string())
            .field("issuer", &self.issuer.to_string())
            .field("serial", &data_encoding::HEXLOWER.encode(self.serial))
            .finish_non_exhaustive()
    }
}

impl<'a> Uses<'a> {
    fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        let (mut uses, mut seen) = (Self::default(), Seen::default());
        fields::sequence(reader, "extensions", |reader| {
            while !reader.is_finished() {
                fields::sequence(reader, "Extension", |reader| {
                    let start = Start::read(reader, Defaults::Written)?;
                    seen.take(&start, MOST_OF_CERTIFICATE)?;
                    let value = |reader: &mut _| uses.take(&start, reader);
                    fields::nested(reader, Tag::OctetString, "extnValue", value)
                })?;
            }
            Ok(())
        })?;
        Ok(uses)
    }

    fn take(&mut self, start: &Start<'a>, reader: &mut SliceReader<'a>) -> Field<()> {
        let is = |oid: ObjectIdentifier| oid.as_bytes() == start.oid;
        if is(KEY_USAGE) {
            let bits = BitStringRef::decode(reader)?;
            // digitalSignature or nonRepudiation: RFC 5280 section 4.2.1.12.
            self.signatures = Some(bits.raw_bytes().first().is_some_and(|bits| bits & 0xc0 != 0));
        } else if is(EXTENDED_KEY_USAGE) {
            each(reader, "extKeyUsage", |reader| {
                self.ocsp_signing |=
                    fields::oid(reader, "KeyPurposeId")? == OCSP_SIGNING.as_bytes();
                Ok(())
            })?;
        } else if is(TLS_FEATURE) {
            self.staple_required = has_status_request(reader)?;
        } else if is(ACCESS) {
            self.access =
                fields::contents(&mut reader.clone(), Tag::Sequence, "authorityInfoAccess")?;
            each(reader, "authorityInfoAccess", |reader| access_description(reader).map(|_| ()))?;
        } else {
            self.no_check |= is(NO_CHECK);
            if start.critical && !IGNORED.iter().any(|known| is(*known)) {
                self.unknown_critical = self.unknown_critical.or(Some(Oid::new(start.oid)));
            }
            // RFC 5280 section 4.2: what is not known may be anything, even no DER.
            fields::rest(reader)?;
        }
        Ok(())
    }
}

/// Tells whether a certificate demands a staple. Nothing but its extensions is looked at, and of
/// these only the TLS features.
#[cfg(feature = "rustls")]
pub(crate) fn demands_staple(der: &[u8]) -> Result<bool, DerError> {
    let mut demands = false;
    let extension = |reader: &mut SliceReader<'_>| {
        fields::sequence(reader, "Extension", |reader| {
            if Start::read(reader, Defaults::Written)?.oid != TLS_FEATURE.as_bytes() {
                return fields::contents(reader, Tag::OctetString, "extnValue").map(|_| ());
            }
            demands |= fields::nested(reader, Tag::OctetString, "extnValue", has_status_request)?;
            Ok(())
        })
    };
    fields::first_of_certificate(der, |reader| {
        while fields::next(reader, "tbsCertificate")?.is_some_and(|tag| tag != EXTENSIONS) {
            fields::any(reader, "tbsCertificate")?;
        }
        fields::explicit(reader, 3, "extensions", |reader| each(reader, "extensions", extension))
    })?;
    Ok(demands)
}

fn has_status_request(reader: &mut SliceReader<'_>) -> Field<bool> {
    let mut has = false;
    each(reader, "TLSFeature", |reader| {
        has |= fields::integer(reader, "TLSFeature")? == STATUS_REQUEST;
        Ok(())
    })?;
    Ok(has)
}

fn each<'a>(
    reader: &mut SliceReader<'a>,
    field: &'static str,
    mut take: impl FnMut(&mut SliceReader<'a>) -> Field<()>,
) -> Field<()> {
    fields::sequence(reader, field, |reader| {
        while !reader.is_finished() {
            take(reader)?;
        }
        Ok(())
    })
}

/// Reads an access method, and the address that goes with it if it is a URI.
fn access_description<'a>(reader: &mut SliceReader<'a>) -> Field<(&'a [u8], Option<&'a str>)> {
    fields::sequence(reader, "AccessDescription", |reader| {
        let method = fields::oid(reader, "accessMethod")?;
        if fields::next(reader, "accessLocation")? != Some(URI) {
            fields::any(reader, "accessLocation")?;
            return Ok((method, None));
        }
        let uri = fields::contents(reader, URI, "accessLocation")?;
        let uri =
            std::str::from_utf8(uri).ok().filter(|uri| uri.bytes().all(|b| b.is_ascii_graphic()));
        Ok((method, uri))
    })
}

#[cfg(feature = "rustls")]
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: der::TagNumber(3) };
const URI: Tag = Tag::ContextSpecific { constructed: false, number: der::TagNumber(6) };
/// The TLS extension `status_request`, as the contents of an INTEGER.
const STATUS_REQUEST: &[u8] = &[5];

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
const NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
const TLS_FEATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24");
const ACCESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

/// Extensions that are ignored even if critical, since they do not limit the signing of responses: key
/// identifiers, alternative names, basic constraints, policies, distribution points.
const IGNORED: [ObjectIdentifier; 8] = [
    NO_CHECK,
    ObjectIdentifier::new_unwrap("2.5.29.14"),
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.18"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.31"),
    ObjectIdentifier::new_unwrap("2.5.29.32"),
    ObjectIdentifier::new_unwrap("2.5.29.35"),
];
