//! An OCSP response, read strictly and without copying: RFC 6960 section 4.2.1.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Reader as _, SliceReader, Tag};
use rustls_pki_types::UnixTime;

use crate::cert_id::CertId;
use crate::extension::Extensions;
use crate::fields::{self, DerError, DerFault, Field};
use crate::name::Name;
use crate::options::Limits;
use crate::signature::Signed;
use crate::status::{CertificateStatus, ResponderError};

/// A response, borrowing from its DER.
///
/// Reading one verifies nothing; [`Check`](crate::Check) does.
///
/// ```
/// use ocsp_staple::{Limits, ResponderError, Response};
///
/// let response = Response::parse(&[0x30, 3, 0x0a, 1, 3], &Limits::default())?;
/// assert!(matches!(response, Response::Failed(ResponderError::TryLater)));
/// # Ok::<(), ocsp_staple::DerError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a response is one or the other")]
pub enum Response<'a> {
    /// What the responder has signed.
    Successful(BasicResponse<'a>),
    /// It gives no answer.
    Failed(ResponderError),
}

/// A signed response, about one certificate or several.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct BasicResponse<'a> {
    pub(crate) signed: Signed<'a>,
    pub(crate) responder: Responder<'a>,
    pub(crate) produced_at: UnixTime,
    pub(crate) extensions: Extensions<'a>,
    /// The contents of the list of answers.
    responses: &'a [u8],
    /// The contents of the list of certificates.
    certificates: &'a [u8],
}

/// Who says to have signed a response.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the standard knows just these")]
pub enum Responder<'a> {
    /// By the name in its certificate.
    Name(Name<'a>),
    /// By the SHA-1 digest of its key.
    Key(std::borrow::Cow<'a, [u8]>),
}

impl fmt::Display for Responder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "\"{name}\""),
            Self::Key(hash) => {
                let shown = hash.get(..hash.len().min(20)).unwrap_or_default();
                write!(f, "the key with SHA-1 {}", data_encoding::HEXLOWER.encode(shown))
            }
        }
    }
}

/// What a response says about one certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SingleResponse<'a> {
    pub(crate) cert_id: CertId<'a>,
    pub(crate) status: CertificateStatus,
    pub(crate) this_update: UnixTime,
    pub(crate) next_update: Option<UnixTime>,
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> Response<'a> {
    /// Reads a response from its DER, to the last byte.
    ///
    /// # Errors
    ///
    /// [`DerError`] if it is malformed, or has more of something than the limits allow.
    pub fn parse(der: &'a [u8], limits: &Limits) -> Result<Self, DerError> {
        const FIELD: &str = "OCSPResponse";
        if der.len() > limits.response {
            return Err(DerError::new(limits.response, FIELD, DerFault::Limit(limits.response)));
        }
        fields::whole(der, FIELD, |reader| {
            fields::sequence(reader, FIELD, |reader| {
                let failed = ResponderError::read(reader)?;
                if let Some(error) = failed {
                    fields::explicit(reader, 0, "responseBytes", |reader| {
                        fields::any(reader, "responseBytes")
                    })?;
                    return Ok(Self::Failed(error));
                }
                let basic = fields::explicit(reader, 0, "responseBytes", |reader| {
                    fields::sequence(reader, "responseBytes", |reader| {
                        response_bytes(reader, limits)
                    })
                })?;
                let missing = fields::fault(reader, "responseBytes", DerFault::Incomplete);
                basic.map(Self::Successful).ok_or(missing)
            })
        })
    }
}

fn response_bytes<'a>(reader: &mut SliceReader<'a>, limits: &Limits) -> Field<BasicResponse<'a>> {
    let other = fields::fault(reader, "responseType", DerFault::Unsupported);
    if fields::oid(reader, "responseType")? != BASIC.as_bytes() {
        return Err(other);
    }
    fields::nested(reader, Tag::OctetString, "response", |reader| {
        fields::sequence(reader, "BasicOCSPResponse", |reader| {
            let message = fields::encoded(&mut reader.clone(), Tag::Sequence, "tbsResponseData")?;
            let basic = fields::sequence(reader, "tbsResponseData", |reader| {
                BasicResponse::read(reader, limits)
            })?;
            let algorithm = fields::algorithm(reader, "signatureAlgorithm")?;
            let signature = fields::bits(reader, "signature")?;
            let certificates =
                fields::explicit(reader, 0, "certs", |reader| certificates(reader, limits))?;
            let signed = Signed { message, algorithm, signature };
            Ok(BasicResponse { signed, certificates: certificates.unwrap_or_default(), ..basic })
        })
    })
}

impl<'a> BasicResponse<'a> {
    fn read(reader: &mut SliceReader<'a>, limits: &Limits) -> Field<Self> {
        // Version 1 is the default and so to be left out; RFC 5019 appendix A.2 has it written.
        fields::explicit(reader, 0, "version", |reader| {
            let other = fields::fault(reader, "version", DerFault::Unsupported);
            if fields::integer(reader, "version")? == [0] { Ok(()) } else { Err(other) }
        })?;
        let responder = Responder::read(reader)?;
        let produced_at = fields::generalized_time(reader, "producedAt")?;
        let responses = fields::contents(&mut reader.clone(), Tag::Sequence, "responses")?;
        fields::sequence(reader, "responses", |reader| {
            counted(reader, limits.responses, "responses", |reader| {
                SingleResponse::read(reader).map(|_| ())
            })
        })?;
        let extensions = fields::explicit(reader, 1, "responseExtensions", |reader| {
            Extensions::read(reader, "responseExtensions")
        })?;
        let signed = Signed { message: &[], algorithm: &[], signature: &[] };
        let extensions = extensions.unwrap_or_default();
        Ok(Self { signed, responder, produced_at, extensions, responses, certificates: &[] })
    }

    /// Returns the signer, as the response names it.
    #[must_use]
    pub fn responder(&self) -> &Responder<'a> {
        &self.responder
    }

    /// Returns when it was signed.
    #[must_use]
    pub fn produced_at(&self) -> UnixTime {
        self.produced_at
    }

    /// Returns the certificates in it, each as its DER, or what takes the place of one.
    pub fn certificates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let certificate = |reader: &mut SliceReader<'a>| Ok(reader.tlv_bytes()?);
        items(self.certificates, certificate)
    }

    /// Returns what it says of each certificate.
    pub fn responses(&self) -> impl Iterator<Item = SingleResponse<'a>> + use<'a> {
        items(self.responses, SingleResponse::read)
    }
}

impl fmt::Debug for BasicResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicResponse")
            .field("responder", &self.responder.to_string())
            .field("produced_at", &self.produced_at)
            .field("responses", &self.responses().count())
            .field("certificates", &self.certificates().count())
            .finish_non_exhaustive()
    }
}

impl<'a> Responder<'a> {
    fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        const FIELD: &str = "responderID";
        let by_name = |reader: &mut _| Name::read(reader, FIELD);
        if let Some(name) = fields::explicit(reader, 1, FIELD, by_name)? {
            return Ok(Self::Name(name));
        }
        let by_key = |reader: &mut _| fields::contents(reader, Tag::OctetString, FIELD);
        let key = fields::explicit(reader, 2, FIELD, by_key)?;
        let other = fields::fault(reader, FIELD, DerFault::Tag);
        key.map(|key| Self::Key(key.into())).ok_or(other)
    }

    pub(crate) fn into_owned(self) -> Responder<'static> {
        match self {
            Self::Name(name) => Responder::Name(name.into_owned()),
            Self::Key(hash) => Responder::Key(hash.into_owned().into()),
        }
    }
}

impl<'a> SingleResponse<'a> {
    /// Returns the number of the certificate, in network order; the first bit is its sign.
    #[must_use]
    pub fn serial_number(&self) -> &'a [u8] {
        self.cert_id.serial
    }

    /// Returns whether the certificate is revoked.
    #[must_use]
    pub fn status(&self) -> CertificateStatus {
        self.status
    }

    /// Returns when that was known to be so.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// Returns by when there is newer word.
    ///
    /// ```
    /// use ocsp_staple::{Limits, Responder, Response};
    ///
    /// let der = include_bytes!("../tests/data/responses/good_delegated.der");
    /// let Response::Successful(response) = Response::parse(der, &Limits::default())? else { unreachable!() };
    /// assert!(matches!(response.responder(), Responder::Name(_)));
    /// let single = response.responses().next().ok_or("about no certificate")?;
    /// assert!(single.this_update() <= response.produced_at() && single.next_update() > Some(single.this_update()));
    /// assert!(!single.serial_number().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        fields::sequence(reader, "SingleResponse", |reader| {
            let cert_id = CertId::read(reader)?;
            let status = CertificateStatus::read(reader)?;
            let this_update = fields::generalized_time(reader, "thisUpdate")?;
            let next_update = fields::explicit(reader, 0, "nextUpdate", |reader| {
                fields::generalized_time(reader, "nextUpdate")
            })?;
            let extensions = fields::explicit(reader, 1, "singleExtensions", |reader| {
                Extensions::read(reader, "singleExtensions")
            })?;
            let extensions = extensions.unwrap_or_default();
            Ok(Self { cert_id, status, this_update, next_update, extensions })
        })
    }
}

/// Reads the list of certificates, and returns its contents. Each is only looked at when the signer
/// is sought: one that cannot be read does not spoil the others.
fn certificates<'a>(reader: &mut SliceReader<'a>, limits: &Limits) -> Field<&'a [u8]> {
    let list = fields::contents(&mut reader.clone(), Tag::Sequence, "certs")?;
    fields::sequence(reader, "certs", |reader| {
        counted(reader, limits.certificates, "certs", |reader| {
            fields::any(reader, "certs").map(|_| ())
        })
    })?;
    Ok(list)
}

fn counted<'a>(
    reader: &mut SliceReader<'a>,
    most: usize,
    field: &'static str,
    mut read: impl FnMut(&mut SliceReader<'a>) -> Field<()>,
) -> Field<()> {
    let mut count = 0;
    while !reader.is_finished() {
        if count == most {
            return Err(fields::fault(reader, field, DerFault::Limit(most)));
        }
        count += 1;
        read(reader)?;
    }
    Ok(())
}

/// Goes through a list that has been read before.
fn items<'a, T: fmt::Debug>(
    list: &'a [u8],
    read: impl Fn(&mut SliceReader<'a>) -> Field<T>,
) -> impl Iterator<Item = T> {
    let mut rest = SliceReader::new(list).ok();
    std::iter::from_fn(move || {
        let reader = rest.as_mut().filter(|reader| !reader.is_finished())?;
        let item = read(reader);
        debug_assert!(item.is_ok(), "the list was read before: {item:?}");
        item.ok()
    })
}

const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
