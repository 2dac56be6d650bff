//! A proof in a file that somebody else replaces: Exim's `tls_ocsp_file`.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::fields::DerError;
use crate::file_stamp::FileStamp;
use crate::issuer::IssuerError;
use crate::proof::{Proof, ProofError, Staple};
use crate::status::{CertificateStatus, Revocation};
use crate::store::read_up_to;
use crate::time::Written;

/// A file with the proof of one certificate, as DER or PEM (`OCSP RESPONSE`).
///
/// [Look](Self::look) at it for each connection: it is read only when it has changed. Whoever
/// fetches the proof replaces the file with a rename, so that it is always whole. A proof that does
/// not count is not stapled, and never an error that takes TLS down.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::rustls_pki_types::UnixTime;
/// use ocsp_staple::{Certificate, Check, FileStamp, Issuer, Look, ProofFile, decode_response, replace_file};
///
/// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
/// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
/// # let response = include_bytes!("../tests/data/responses/good_delegated.der");
/// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
/// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
/// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
/// let path = std::env::temp_dir().join(format!("example-{}.ocsp", std::process::id()));
/// replace_file(&path, response)?;
/// let stamp = FileStamp::of(&path)?;
///
/// let mut file = ProofFile::new(&path);
/// let verify = |response: &[u8]| Ok(Check::new(&leaf, [Issuer::from(&issuer)], algorithms)?.verify(response, now)?);
/// assert!(matches!(file.look(now, verify), Look::Loaded(proof) if proof.is_to_be_stapled(now)));
/// assert_eq!(file.look(now, |_| unreachable!("it has not changed")), Look::Unchanged);
/// assert_eq!(file.staple(now).map(|staple| staple.response.len()), Some(response.len()));
/// assert_eq!((file.path(), FileStamp::of(&path)?), (&*path, stamp));
///
/// // Both forms of a file.
/// assert_eq!(decode_response(response).as_deref(), Some(&response[..]));
/// let pem = b"-----BEGIN OCSP RESPONSE-----\nMAMKAQM=\n-----END OCSP RESPONSE-----\n";
/// assert_eq!(decode_response(pem).as_deref(), Some(&b"0\x03\x0a\x01\x03"[..]));
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ProofFile {
    path: PathBuf,
    seen: Option<Result<FileStamp, io::ErrorKind>>,
    held: Option<(Proof, Arc<[u8]>)>,
}

/// What a look at a file found.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers log two of the three")]
pub enum Look {
    /// Nothing new.
    Unchanged,
    /// There is a new proof.
    Loaded(Proof),
    /// From now on nothing is stapled.
    Ignored(ProofFileError),
}

impl ProofFile {
    /// Names the file, without looking at it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), seen: None, held: None }
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file if it has changed, and then verifies its response; drops its proof if that has
    /// ended. A fault is told once, until the file changes.
    ///
    /// `verify` is called only when there is something to be verified, so that a look costs next to
    /// nothing: `|response| Ok(Check::new(…)?.verify(response, now)?)`.
    pub fn look(
        &mut self,
        now: UnixTime,
        verify: impl FnOnce(&[u8]) -> Result<Proof, ProofFileError>,
    ) -> Look {
        let seen = FileStamp::of(&self.path).map_err(|error| error.kind());
        if self.seen.as_ref() == Some(&seen) {
            return match self.held.take_if(|(proof, _)| now > proof.until) {
                Some((proof, _)) => Look::Ignored(ProofFileError::Ended(proof.until)),
                None => Look::Unchanged,
            };
        }
        self.seen = Some(seen);
        self.held = None;
        match self.load(now, verify) {
            Ok((proof, response)) => {
                self.held = Some((proof, response));
                Look::Loaded(proof)
            }
            Err(error) => Look::Ignored(error),
        }
    }

    /// Returns the staple that was loaded, while it is good.
    #[must_use]
    pub fn staple(&self, now: UnixTime) -> Option<Staple> {
        let (proof, response) = self.held.as_ref()?;
        let staple = || Staple { response: Arc::clone(response), until: proof.until };
        proof.is_to_be_stapled(now).then(staple)
    }

    fn load(
        &self,
        now: UnixTime,
        verify: impl FnOnce(&[u8]) -> Result<Proof, ProofFileError>,
    ) -> Result<(Proof, Arc<[u8]>), ProofFileError> {
        let unreadable = |error: io::Error| ProofFileError::Unreadable(error.kind());
        // A pipe would be waited for.
        if !fs::metadata(&self.path).map_err(unreadable)?.is_file() {
            return Err(ProofFileError::NotRegular);
        }
        let bytes = read_up_to(&self.path, LONGEST).map_err(unreadable)?;
        let response = decode_response(&bytes).ok_or(ProofFileError::Pem)?;
        let proof = verify(&response)?;
        match proof.status {
            CertificateStatus::Revoked(revocation) => Err(ProofFileError::Revoked(revocation)),
            CertificateStatus::Unknown => Err(ProofFileError::Unknown),
            CertificateStatus::Good if now > proof.until => Err(ProofFileError::Ended(proof.until)),
            CertificateStatus::Good => Ok((proof, response.as_ref().into())),
        }
    }
}

/// Why the proof in a file is not stapled.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProofFileError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// It is a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// The file is text without an `OCSP RESPONSE` in PEM.
    #[error("it is not DER, and has no PEM block \"OCSP RESPONSE\"")]
    Pem,
    /// The certificate that it should be about cannot be read.
    #[error("the certificate is malformed: {0}")]
    Certificate(DerError),
    /// The issuer is missing or cannot be used: the chain file may lack its certificate.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The certificate is revoked.
    #[error("the certificate is {0}")]
    Revoked(Revocation),
    /// The responder does not know the certificate.
    #[error("the responder does not know the certificate")]
    Unknown,
    /// The proof has ended, and was not replaced.
    #[error("the proof ended at {}", Written(*.0))]
    Ended(UnixTime),
}

/// Returns the DER of a response in DER or PEM, or `None` if a text has no `OCSP RESPONSE`.
#[must_use]
pub fn decode_response(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    const BEGIN: &str = "-----BEGIN OCSP RESPONSE-----";
    const END: &str = "-----END OCSP RESPONSE-----";
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "))
    else {
        return Some(Cow::Borrowed(bytes));
    };
    let (_, block) = text.split_once(BEGIN)?;
    let (block, _) = block.split_once(END)?;
    let base64: String = block.split_ascii_whitespace().collect();
    BASE64.decode(base64.as_bytes()).ok().map(Cow::Owned)
}

/// PEM of the longest response that makes sense.
const LONGEST: u64 = 1 << 20;
