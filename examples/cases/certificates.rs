//! Certificates in files, as DER or PEM, and their times.

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::shown::{named, read_in};

/// Reads all certificates of a file.
///
/// # Errors
///
/// Those of the file, with its name, and of PEM.
pub fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    read_in(path, certificates_in(&read(path)?))
}

/// Reads all certificates of PEM, or takes the octets for one of DER.
///
/// # Errors
///
/// Those of PEM, or that it has no certificate.
pub fn certificates_in(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    if !is_pem(bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let found: Vec<_> = found?.into_iter().map(|der| der.to_vec()).collect();
    if found.is_empty() { Err("no PEM block \"CERTIFICATE\"".into()) } else { Ok(found) }
}

/// Reads a file.
///
/// # Errors
///
/// Those of the file, with its name.
pub fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(named(path, fs::read(path))?)
}

/// Reads a file, or else base64.
///
/// # Errors
///
/// Those of the file, or that the text names no file and is not base64.
pub fn given(given: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let path = Path::new(given);
    if path.exists() {
        return read(path);
    }
    let decoded = BASE64.decode(given.as_bytes());
    // A text of base64 can be long.
    Ok(decoded.map_err(|_| format!("{given:.100}: no such file, and no base64"))?)
}

/// Puts the name of the file, if the text is one, before the error of its content.
///
/// # Errors
///
/// That of the content.
pub fn read_given<T, E: Display>(given: &str, read: Result<T, E>) -> Result<T, Box<dyn Error>> {
    let path = Path::new(given);
    if path.exists() { read_in(path, read) } else { read.map_err(|error| error.to_string().into()) }
}

/// Tells whether octets are PEM.
#[must_use]
pub fn is_pem(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains("-----BEGIN "))
}

/// Reads a time of RFC 3339 in UTC.
///
/// # Errors
///
/// The form that is expected.
pub fn time(text: &str) -> Result<UnixTime, &'static str> {
    let time: der::DateTime =
        text.parse().map_err(|_| "not a time of RFC 3339 in UTC, as 2026-12-01T00:00:00Z")?;
    Ok(UnixTime::since_unix_epoch(time.unix_duration()))
}

/// Writes a time as RFC 3339 has it.
#[must_use]
pub fn written(time: UnixTime) -> String {
    let since = Duration::from_secs(time.as_secs());
    der::DateTime::from_unix_duration(since).map_or_else(|_| "later".into(), |t| t.to_string())
}
