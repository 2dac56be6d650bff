//! Dot stuffing: RFC 5321 section 4.5.2.

use memchr::memchr;

/// Writes a message in the form that follows `DATA`.
#[derive(Clone, Copy, Debug)]
pub struct Stuffing {
    at: At,
}

impl Stuffing {
    /// Appends the next piece of the message to `out`. The pieces may be cut anywhere; all their
    /// line ends are CRLF.
    pub fn write(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        // The octets before `copied` are in `out`, those before `at` are known.
        let (mut copied, mut at) = (0, 0);
        while let Some(&octet) = piece.get(at) {
            if self.at == At::LineStart && octet == b'.' {
                out.extend_from_slice(piece.get(copied..at).unwrap_or_default());
                out.push(b'.');
                copied = at;
            }
            if self.at == At::CarriageReturn && octet == b'\n' {
                (self.at, at) = (At::LineStart, at + 1);
                continue;
            }
            let behind = piece.get(at..).unwrap_or_default();
            (self.at, at) = match memchr(b'\r', behind) {
                Some(cr) => (At::CarriageReturn, at + cr + 1),
                None => (At::WithinLine, piece.len()),
            };
        }
        out.extend_from_slice(piece.get(copied..).unwrap_or_default());
    }

    /// Appends the final dot, after completing the last line.
    pub fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.at {
            At::LineStart => b".\r\n",
            At::CarriageReturn => b"\n.\r\n",
            At::WithinLine => b"\r\n.\r\n",
        });
    }
}

impl Default for Stuffing {
    fn default() -> Self {
        Self { at: At::LineStart }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    LineStart,
    CarriageReturn,
    WithinLine,
}
