//! The extensions that say what a certificate may be used for: RFC 5280 section 4.2.1.

use crate::certificate::{Certificate, Extension};
use crate::der::{self, DerError, Element};

/// The extensions of a certificate that limit its use. Version 1 has none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uses<'a> {
    /// Where in the DER an octet says that it is a certificate of an authority.
    pub(crate) authority_at: Option<usize>,
    pub(crate) path_length: Option<u32>,
    /// The first octet of the key usage.
    key_usage: Option<u8>,
    purposes: Option<Element<'a>>,
    pub(crate) name_constraints: Option<Element<'a>>,
    pub(crate) alternative_names: Option<Element<'a>>,
    pub(crate) has_unknown_critical: bool,
}

impl<'a> Uses<'a> {
    pub(crate) fn of(certificate: &Certificate<'a>) -> Result<Self, DerError> {
        let mut uses = Self::default();
        let mut seen = 0_u8;
        certificate.each_extension(|extension| {
            let bit = uses.take(&extension)?;
            if seen & bit != 0 {
                return Err(DerError { at: extension.value.at, field: "extensions" });
            }
            seen |= bit;
            Ok(())
        })?;
        Ok(uses)
    }

    /// Takes an extension in, and returns a bit of its own.
    fn take(&mut self, extension: &Extension<'a>) -> Result<u8, DerError> {
        let mut reader = extension.value.reader();
        let bit = match extension.oid {
            BASIC_CONSTRAINTS => {
                let mut reader = reader.read(der::SEQUENCE, "basicConstraints")?.reader();
                let authority = reader.optional(der::BOOLEAN, "cA")?;
                self.authority_at =
                    authority.filter(|octets| octets.contents == [0xff]).map(|octets| octets.at);
                if let Some(length) = reader.optional(der::INTEGER, "pathLenConstraint")? {
                    let error = DerError { at: length.at, field: "pathLenConstraint" };
                    self.path_length = Some(der::small(&length).ok_or(error)?);
                }
                1
            }
            KEY_USAGE => {
                let bits = reader.read(der::BIT_STRING, "keyUsage")?;
                self.key_usage = Some(bits.contents.get(1).copied().unwrap_or(0));
                2
            }
            EXTENDED_KEY_USAGE => {
                self.purposes = Some(reader.read(der::SEQUENCE, "extKeyUsage")?);
                4
            }
            NAME_CONSTRAINTS => {
                self.name_constraints = Some(reader.read(der::SEQUENCE, "nameConstraints")?);
                8
            }
            ALTERNATIVE_NAMES => {
                self.alternative_names = Some(reader.read(der::SEQUENCE, "subjectAltName")?);
                16
            }
            oid => {
                self.has_unknown_critical |= extension.is_critical && !NO_LIMITS.contains(&oid);
                0
            }
        };
        Ok(bit)
    }

    /// Tells whether the key may sign certificates, as far as its key usage says.
    pub(crate) fn allows_signing_certificates(&self) -> bool {
        self.key_usage.is_none_or(|bits| bits & KEY_CERT_SIGN != 0)
    }

    /// Tells whether the key may be a TLS server's, as far as its key usage says.
    pub(crate) fn allows_tls(&self) -> bool {
        self.key_usage.is_none_or(|bits| bits & TLS_BITS != 0)
    }

    /// Tells whether TLS servers are among its purposes, if it has any.
    pub(crate) fn allows_servers(&self) -> bool {
        let Some(purposes) = self.purposes else { return true };
        let mut reader = purposes.reader();
        while let Ok(purpose) = reader.read(der::OID, "KeyPurposeId") {
            if purpose.contents == SERVER_AUTH {
                return true;
            }
        }
        false
    }
}

/// The bit `keyCertSign`.
const KEY_CERT_SIGN: u8 = 0x04;
/// The bits `digitalSignature`, `keyEncipherment` and `keyAgreement`: RFC 5246 section 7.4.2.
const TLS_BITS: u8 = 0x80 | 0x20 | 0x08;

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
/// `id-kp-serverAuth`, 1.3.6.1.5.5.7.3.1.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// Extensions that do not limit what a trust anchor may sign here: key identifiers, issuer's alternative
/// names, distribution points, and those of policies, of which none is asked for.
const NO_LIMITS: [&[u8]; 8] = [
    &[0x55, 0x1d, 14],
    &[0x55, 0x1d, 18],
    &[0x55, 0x1d, 31],
    &[0x55, 0x1d, 32],
    &[0x55, 0x1d, 33],
    &[0x55, 0x1d, 35],
    &[0x55, 0x1d, 36],
    &[0x55, 0x1d, 54],
];
