//! The fields of certificates, for `${certextract{field}{$variable}}`.
//!
//! | field                   | value                                                                   |
//! |-------------------------|-------------------------------------------------------------------------|
//! | `version`               | 1, 2 or 3                                                               |
//! | `serial_number`         | in hexadecimal, without leading zeros                                   |
//! | `subject`, `issuer`     | as in RFC 4514, the last element first; with `,CN` a list of the values of a type |
//! | `notbefore`, `notafter` | `Jan  2 03:04:05 2026 GMT`; with `,int` the seconds since 1970          |
//! | `sig_algorithm`         | its name in the RFC, such as `sha256WithRSAEncryption`, or its OID      |
//! | `signature`             | octets in hexadecimal, with blanks between them                         |
//! | `subj_altname`          | a list of `DNS=…`, `URI=…` and `MAIL=…`; with `,dns`, `,uri` or `,mail` those of one type, without its tag |
//! | `ocsp_uri`, `crl_uri`   | a list                                                                  |
//! | an OID                  | the extension with this OID, in the form of `signature`                 |
//!
//! The items of a list are separated by line feeds, with `,>;` by semicolons. In an item the separator is
//! doubled. A name or an address with a control character is left out of its list.

mod distinguished_name;
mod selector;

use event_expand::Variables;
use mail_types::exim::{LookupResult, Value};
use thiserror::Error;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::Oid;
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::oid_registry::{
    OID_PKIX_ACCESS_DESCRIPTOR_OCSP, OID_PKIX_AUTHORITY_INFO_ACCESS,
    OID_X509_EXT_CRL_DISTRIBUTION_POINTS, OID_X509_EXT_SUBJECT_ALT_NAME,
};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use self::selector::{AltName, Field, Selector};
pub(crate) use self::selector::{SelectorError, check};

/// Answers `certextract`; without a certificate nothing is found.
pub(crate) fn answer(
    variables: &dyn Variables,
    arguments: &[Value<'_>],
) -> (LookupResult, Option<String>) {
    let [selector, variable] = arguments else {
        return (
            LookupResult::Deferred,
            Some("certextract takes a field and a variable".to_owned()),
        );
    };
    let name = str::from_utf8(variable.as_bytes()).unwrap_or_default();
    let found = variables.certificate(name).map(|found| field(found, selector.as_bytes()));
    match found {
        None | Some(Ok(None)) => (LookupResult::Nothing, None),
        Some(Ok(Some(text))) => (LookupResult::Value(text.into_bytes()), None),
        Some(Err(error)) => (LookupResult::Deferred, Some(error.to_string())),
    }
}

/// Returns the subject of a certificate.
pub(crate) fn subject(certificate: &[u8]) -> Option<String> {
    field(certificate, b"subject").ok().flatten()
}

/// Returns the field of a certificate that a selector names; `None` if it has no such field.
///
/// # Errors
///
/// [`FieldError`].
pub(crate) fn field(certificate: &[u8], selector: &[u8]) -> Result<Option<String>, FieldError> {
    let Selector { field, separator } = Selector::parse(selector)?;
    let (rest, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| FieldError::Certificate)?;
    if !rest.is_empty() {
        return Err(FieldError::Certificate);
    }
    let found = match field {
        Field::Version => Some(certificate.version().0.saturating_add(1).to_string()),
        Field::SerialNumber => Some(serial_number(certificate.raw_serial())),
        Field::Subject(form) => distinguished_name::select(certificate.subject(), form, separator),
        Field::Issuer(form) => distinguished_name::select(certificate.issuer(), form, separator),
        Field::NotBefore { seconds } => date(certificate.validity().not_before, seconds),
        Field::NotAfter { seconds } => date(certificate.validity().not_after, seconds),
        Field::SigAlgorithm => Some(algorithm(&certificate.signature_algorithm.algorithm)),
        Field::Signature => Some(octets(&certificate.signature_value.data)),
        Field::SubjAltname(kind) => list(&alternative_names(&certificate, kind)?, separator),
        Field::OcspUri => list(&responders(&certificate)?, separator),
        Field::CrlUri => list(&revocation_lists(&certificate)?, separator),
        Field::Extension(oid) => {
            let mut extensions = certificate.extensions().iter();
            extensions.find(|e| e.oid.to_id_string() == oid).map(|e| octets(e.value))
        }
    };
    Ok(found)
}

fn serial_number(octets: &[u8]) -> String {
    let digits = data_encoding::HEXLOWER.encode(octets);
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

fn date(time: ASN1Time, seconds: bool) -> Option<String> {
    if seconds {
        return Some(time.timestamp().to_string());
    }
    let time = OffsetDateTime::from_unix_timestamp(time.timestamp()).ok()?;
    let month = time.month().to_string();
    let month = month.get(..3)?;
    let (day, year) = (time.day(), time.year());
    let (hour, minute, second) = time.to_hms();
    Some(format!("{month} {day:2} {hour:02}:{minute:02}:{second:02} {year} GMT"))
}

fn algorithm(oid: &Oid<'_>) -> String {
    oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned)
}

fn octets(octets: &[u8]) -> String {
    let pairs: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(" ")
}

fn alternative_names(
    certificate: &X509Certificate<'_>,
    kind: Option<AltName>,
) -> Result<Vec<String>, FieldError> {
    let Some(extension) = extension(certificate, &OID_X509_EXT_SUBJECT_ALT_NAME)? else {
        return Ok(Vec::new());
    };
    let ParsedExtension::SubjectAlternativeName(names) = extension else {
        return Err(FieldError::Certificate);
    };
    let names = names.general_names.iter().filter_map(|name| {
        let (of, tag, text) = match name {
            GeneralName::DNSName(text) => (AltName::Dns, "DNS", text),
            GeneralName::URI(text) => (AltName::Uri, "URI", text),
            GeneralName::RFC822Name(text) => (AltName::Mail, "MAIL", text),
            _ => return None,
        };
        match kind {
            _ if text.chars().any(char::is_control) => None,
            None => Some(format!("{tag}={text}")),
            Some(kind) => (kind == of).then(|| (*text).to_owned()),
        }
    });
    Ok(names.collect())
}

/// The URLs of its OCSP responders.
fn responders(certificate: &X509Certificate<'_>) -> Result<Vec<String>, FieldError> {
    let Some(extension) = extension(certificate, &OID_PKIX_AUTHORITY_INFO_ACCESS)? else {
        return Ok(Vec::new());
    };
    let ParsedExtension::AuthorityInfoAccess(access) = extension else {
        return Err(FieldError::Certificate);
    };
    let descriptions = access.iter();
    let ocsp = descriptions.filter(|d| d.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP);
    Ok(ocsp.filter_map(|description| url(&description.access_location)).collect())
}

fn revocation_lists(certificate: &X509Certificate<'_>) -> Result<Vec<String>, FieldError> {
    let Some(extension) = extension(certificate, &OID_X509_EXT_CRL_DISTRIBUTION_POINTS)? else {
        return Ok(Vec::new());
    };
    let ParsedExtension::CRLDistributionPoints(points) = extension else {
        return Err(FieldError::Certificate);
    };
    let names = points.iter().filter_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => Some(names),
        _ => None,
    });
    Ok(names.flatten().filter_map(url).collect())
}

fn url(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(url) if !url.chars().any(char::is_control) => Some((*url).to_owned()),
        _ => None,
    }
}

/// Returns the first extension with an OID.
fn extension<'c>(
    certificate: &'c X509Certificate<'_>,
    oid: &Oid<'_>,
) -> Result<Option<&'c ParsedExtension<'c>>, FieldError> {
    match certificate.extensions().iter().find(|extension| extension.oid == *oid) {
        None => Ok(None),
        Some(extension) => match extension.parsed_extension() {
            ParsedExtension::ParseError { .. } => Err(FieldError::Certificate),
            parsed => Ok(Some(parsed)),
        },
    }
}

/// Writes a list; one without an item is not found.
fn list(items: &[String], separator: char) -> Option<String> {
    let doubled = [separator; 2].iter().collect::<String>();
    let items = items.iter().map(|item| item.replace(separator, &doubled));
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then(|| items.join(separator.to_string().as_str()))
}

/// A field cannot be extracted.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum FieldError {
    #[error(transparent)]
    Selector(#[from] SelectorError),
    #[error("the certificate cannot be read")]
    Certificate,
}
