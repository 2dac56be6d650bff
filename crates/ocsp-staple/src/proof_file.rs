//! A proof in a file that somebody else replaces: Exim's `tls_ocsp_file`.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::fields::DerError;
use crate::file_stamp::FileStamp;
use crate::issuer::IssuerError;
use crate::proof::{Proof, ProofError, Staple};
use crate::status::{CertificateStatus, Revocation};
use crate::store::read_up_to;
use crate::time::{Written, between};

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
    held: Option<Held>,
    fault: Option<Fault>,
}

type Held = (Proof, Arc<[u8]>);

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
        Self { path: path.into(), seen: None, held: None, fault: None }
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file if it has changed, and then verifies its response; drops its proof if that has
    /// ended. A fault is told once, until the file or the fault changes. One that may go by itself, as that
    /// of a proof of a time to come, of a system without free descriptors or of a missing issuer, is
    /// looked at again after ten seconds.
    ///
    /// `verify` is called only when there is something to be verified, so that a look costs next to
    /// nothing: `|response| Ok(Check::new(…)?.verify(response, now)?)`.
    pub fn look(
        &mut self,
        now: UnixTime,
        verify: impl FnOnce(&[u8]) -> Result<Proof, ProofFileError>,
    ) -> Look {
        let seen = FileStamp::of(&self.path).map_err(|error| error.kind());
        let same = self.seen.as_ref() == Some(&seen);
        let again = self.fault.as_ref().is_some_and(|fault| fault.may_have_gone(now));
        if same && !again {
            let Some((Proof { until, .. }, _)) = self.held.take_if(|(proof, _)| now > proof.until)
            else {
                return Look::Unchanged;
            };
            let error = ProofFileError::Ended(until);
            self.fault = Some(Fault { error: error.clone(), at: now, end: End::ClockSetBack });
            return Look::Ignored(error);
        }
        self.seen = Some(seen);
        self.held = None;
        let before = self.fault.take().filter(|_| same);
        match self.load(now, verify) {
            Ok((proof, response)) => {
                self.held = Some((proof, response));
                Look::Loaded(proof)
            }
            Err(fault) => {
                let error = fault.error.clone();
                self.fault = Some(fault);
                let told = before.is_some_and(|before| before.error == error);
                if told { Look::Unchanged } else { Look::Ignored(error) }
            }
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
    ) -> Result<Held, Fault> {
        let fault = |error, end| Fault { error, at: now, end };
        let unreadable = |error: io::Error| {
            let too_large = error.kind() == io::ErrorKind::FileTooLarge;
            let end = if too_large { End::NewFile } else { End::Time };
            fault(ProofFileError::Unreadable(error.kind()), end)
        };
        // A pipe would be waited for.
        if !fs::metadata(&self.path).map_err(unreadable)?.is_file() {
            return Err(fault(ProofFileError::NotRegular, End::NewFile));
        }
        let bytes = read_up_to(&self.path, LONGEST).map_err(unreadable)?;
        let response =
            decode_response(&bytes).ok_or_else(|| fault(ProofFileError::Pem, End::NewFile))?;
        let proof = verify(&response).map_err(|error| {
            let end = End::of(&error);
            fault(error, end)
        })?;
        match proof.status {
            CertificateStatus::Revoked(revocation) => {
                Err(fault(ProofFileError::Revoked(revocation), End::NewFile))
            }
            CertificateStatus::Unknown => Err(fault(ProofFileError::Unknown, End::NewFile)),
            CertificateStatus::Good if now > proof.until => {
                Err(fault(ProofFileError::Ended(proof.until), End::ClockSetBack))
            }
            CertificateStatus::Good => Ok((proof, response.as_ref().into())),
        }
    }
}

/// A fault of the file as it is, and when it was found.
#[derive(Debug)]
struct Fault {
    error: ProofFileError,
    at: UnixTime,
    end: End,
}

/// The event that ends a fault.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Another file.
    NewFile,
    /// Another file, or a clock that is set back.
    ClockSetBack,
    /// Time, or what the system or the caller lacked and has again.
    Time,
}

impl Fault {
    /// Tells whether it is time to look whether the fault has gone.
    fn may_have_gone(&self, now: UnixTime) -> bool {
        let earlier = now < self.at;
        match self.end {
            End::NewFile => false,
            End::ClockSetBack => earlier,
            End::Time => earlier || between(self.at, now) >= AGAIN,
        }
    }
}

impl End {
    /// Returns what ends a fault that the verification has found.
    fn of(error: &ProofFileError) -> Self {
        match error {
            ProofFileError::Proof(
                ProofError::NotYetValid(_)
                | ProofError::SignerNotYetValid { .. }
                | ProofError::ProducedAt(_),
            ) => Self::Time,
            ProofFileError::Proof(
                ProofError::Expired(_)
                | ProofError::SignerExpired { .. }
                | ProofError::CertificateExpired(_),
            ) => Self::ClockSetBack,
            ProofFileError::Proof(_) => Self::NewFile,
            // The certificates are the caller's.
            _ => Self::Time,
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

/// After how long a fault is looked at again that may have gone.
const AGAIN: Duration = Duration::from_secs(10);
/// PEM of the longest response that makes sense.
const LONGEST: u64 = 1 << 20;
