//! The state of a schedule that outlives a restart, in a file or anywhere else.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::UnixTime;
use thiserror::Error;

/// The last response, and when the responder is to be asked again.
///
/// Written, it is three lines of text, and the response:
///
/// ```
/// use ocsp_staple::Saved;
///
/// let text = b"ocsp-staple 1\nsince 1781524800 failures 2 next 1781525040\nresponse 5\n0\x03\x0a\x01\x03";
/// let saved = Saved::parse(text)?;
/// assert_eq!((saved.failures, saved.response.as_deref()), (2, Some(&b"0\x03\x0a\x01\x03"[..])));
/// assert_eq!(saved.to_bytes(), text);
/// # Ok::<(), ocsp_staple::SavedError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Saved {
    /// When the responder was first to be asked.
    pub since: UnixTime,
    /// How often in a row it has failed.
    pub failures: u32,
    /// When it is to be asked next.
    pub next: UnixTime,
    /// The last response that proved something. It has to be verified again.
    pub response: Option<Arc<[u8]>>,
}

impl Saved {
    /// Reads what [`Self::to_bytes`] has written.
    ///
    /// # Errors
    ///
    /// [`SavedError`] if it is anything else, as a file that was cut off.
    pub fn parse(bytes: &[u8]) -> Result<Self, SavedError> {
        let (first, rest) = line(bytes).ok_or(SavedError::Format)?;
        if first != FIRST {
            return Err(SavedError::Format);
        }
        let (second, rest) = line(rest).ok_or(SavedError::Format)?;
        let (third, response) = line(rest).ok_or(SavedError::Format)?;
        let words: Vec<_> = second.split(' ').collect();
        let ["since", since, "failures", failures, "next", next] = *words else {
            return Err(SavedError::Format);
        };
        let length = third.strip_prefix("response ").ok_or(SavedError::Format)?;
        let length: usize = number(length)?;
        if response.len() != length {
            return Err(SavedError::Length { said: length, found: response.len() });
        }
        let failures = number(failures)?;
        let response = Some(response.into()).filter(|_| length > 0);
        Ok(Self { since: unix(number(since)?), failures, next: unix(number(next)?), response })
    }

    /// Writes it for a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let response = self.response.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(response.len() + 128);
        let Self { since, failures, next, .. } = self;
        let (since, next, length) = (since.as_secs(), next.as_secs(), response.len());
        // Writing to memory does not fail.
        let _ = write!(
            bytes,
            "{FIRST}\nsince {since} failures {failures} next {next}\nresponse {length}\n"
        );
        bytes.extend_from_slice(response);
        bytes
    }
}

/// The reason why bytes are not a [saved state](Saved).
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum SavedError {
    /// Their first lines are not those of the format.
    #[error("the lines before the saved OCSP response are not of the format \"{FIRST}\"")]
    Format,
    /// The response is cut off, or something follows it.
    #[error("the saved OCSP response has {found} octets instead of {said}")]
    Length {
        /// How many there should be.
        said: usize,
        /// How many there are.
        found: usize,
    },
}

const FIRST: &str = "ocsp-staple 1";

/// Splits off the first line, which is short and ASCII.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(128).position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
    Some((line, bytes.get(end + 1..)?))
}

/// A number in the only way in which it is written.
fn number<T: std::str::FromStr + ToString>(text: &str) -> Result<T, SavedError> {
    let number: T = text.parse().map_err(|_| SavedError::Format)?;
    if number.to_string() == text { Ok(number) } else { Err(SavedError::Format) }
}

fn unix(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
