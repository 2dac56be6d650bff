//! The rest of a failed header that may still come.

use crate::v2;

/// Separates the bytes of a failed header from the client's commands after it.
///
/// A header can fail before it is complete: it was too slow, or wrong in its first bytes. Its end
/// is still known: the line end of version 1, the length field of version 2.
#[derive(Clone, Debug)]
pub(crate) enum Unread {
    /// These bytes can begin either header.
    Start(Vec<u8>),
    /// The rest of a line, up to its LF; with `unknown`, up to its CRLF.
    Line { unknown: bool, cr: bool },
    /// A number of bytes.
    Bytes(usize),
    /// Bytes without a known end, in a future version.
    Endless,
    /// No bytes.
    Nothing,
}

impl Default for Unread {
    fn default() -> Self {
        Self::Start(Vec::new())
    }
}

impl Unread {
    /// Skips bytes that were read before the header failed. Bytes that do not belong to it are not
    /// SMTP either; the rest of their line is skipped with them.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if let Some(other) = self.skip(bytes) {
            *self = if other.ends_with(b"\n") {
                Self::Nothing
            } else {
                Self::Line { unknown: false, cr: false }
            };
        }
    }

    /// Skips the bytes of the header; returns the bytes after it, which may begin with bytes held
    /// back, or `None` while all belong to the header.
    pub(crate) fn skip(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        loop {
            match self {
                Self::Nothing => return (!bytes.is_empty()).then_some(bytes),
                Self::Endless => return None,
                Self::Bytes(left) if *left > bytes.len() => {
                    *left -= bytes.len();
                    return None;
                }
                Self::Bytes(left) => {
                    bytes.drain(..*left);
                    *self = Self::Nothing;
                }
                Self::Line { unknown, cr } => {
                    let end = bytes.iter().position(|&c| {
                        let ends = c == b'\n' && (*cr || !*unknown);
                        *cr = c == b'\r';
                        ends
                    });
                    bytes.drain(..=end?);
                    *self = Self::Nothing;
                }
                Self::Start(start) => {
                    start.append(&mut bytes);
                    let (next, used) = begun(start)?;
                    bytes = start.split_off(used);
                    *self = next;
                }
            }
        }
    }
}

/// The header that these bytes begin, and its length so far; `None` if more bytes must decide.
fn begun(start: &[u8]) -> Option<(Unread, usize)> {
    let of = |whole: &[u8]| start.iter().zip(whole).all(|(a, b)| a == b);
    if of(LINE) {
        // One byte more than the name is there to tell `UNKNOWN` from other lines.
        let line = start.get(..LINE.len())?;
        let unknown = start.get(LINE.len()) == Some(&b'U');
        return start.get(LINE.len()).map(|_| (Unread::Line { unknown, cr: false }, line.len()));
    }
    if !of(&v2::SIGNATURE) {
        return Some((Unread::Nothing, 0));
    }
    match start.get(v2::SIGNATURE.len()..)? {
        [v2::LOCAL..=0x2f, _, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            Some((Unread::Bytes(length), v2::START))
        }
        [] | [v2::LOCAL..=0x2f, ..] => None,
        _ => Some((Unread::Endless, start.len())),
    }
}

const LINE: &[u8] = b"PROXY ";
