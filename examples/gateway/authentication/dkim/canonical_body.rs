//! The canonical form of a body: RFC 6376 sections 3.4.3 and 3.4.4.
//!
//! It is written in pieces; unchanged text is not copied. Only CRLF ends a line; a bare CR or LF is an
//! ordinary octet.

use super::canonical_header::Form;

/// A writer of the canonical form. The output does not depend on the size of the pieces.
#[derive(Clone, Debug)]
pub struct CanonicalBody {
    form: Form,
    /// Whether anything has been written.
    begun: bool,
    /// The number of line ends held back until other text follows.
    ends: usize,
    /// Whether white space is held back until the line continues.
    blank: bool,
    /// Whether a CR is held back, the possible start of a line end.
    cr: bool,
}

impl CanonicalBody {
    /// Starts before the body.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, begun: false, ends: 0, blank: false, cr: false }
    }

    /// Takes the next piece of the body.
    pub fn push(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut rest = piece;
        loop {
            rest = self.hold(rest, out);
            let span = self.span(rest);
            let Some((span, behind)) = rest.split_at_checked(span).filter(|_| span > 0) else {
                return;
            };
            self.release(out);
            out(span);
            rest = behind;
        }
    }

    /// Ends the body. RFC 6376 section 3.4.3 adds a line end to every body, 3.4.4 only to a body with
    /// text.
    pub fn finish(mut self, out: &mut impl FnMut(&[u8])) {
        if self.cr {
            self.release(out);
        }
        if self.begun || self.form == Form::Simple {
            out(b"\r\n");
        }
    }

    /// Holds back the octets at the start that depend on the following text: line ends, and under
    /// `relaxed` white space; returns the rest.
    fn hold<'p>(&mut self, piece: &'p [u8], out: &mut impl FnMut(&[u8])) -> &'p [u8] {
        let mut rest = piece;
        while let Some((&octet, behind)) = rest.split_first() {
            match octet {
                b'\n' if self.cr => {
                    (self.cr, self.blank) = (false, false);
                    self.ends += 1;
                }
                _ if self.cr => {
                    self.release(out);
                    continue;
                }
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.form == Form::Relaxed => self.blank = true,
                _ => break,
            }
            rest = behind;
        }
        rest
    }

    /// Writes the octets held back, since more text follows.
    fn release(&mut self, out: &mut impl FnMut(&[u8])) {
        while self.ends > 0 {
            let lines = self.ends.min(ENDS.len() / 2);
            out(ENDS.get(..2 * lines).unwrap_or_default());
            self.ends -= lines;
        }
        if std::mem::take(&mut self.blank) {
            out(b" ");
        }
        if std::mem::take(&mut self.cr) {
            out(b"\r");
        }
        self.begun = true;
    }

    /// Returns the length of the unchanged text at the start of a piece. Its first and last octets are
    /// unchanged ones.
    fn span(&self, piece: &[u8]) -> usize {
        let relaxed = self.form == Form::Relaxed;
        let mut at = 0;
        loop {
            let rest = piece.get(at..).unwrap_or_default();
            let plain = if relaxed {
                memchr::memchr3(b' ', b'\t', b'\r', rest)
            } else {
                memchr::memchr(b'\r', rest)
            };
            let Some(plain) = plain else { return piece.len() };
            at += plain;
            // A single blank or line end before an unchanged octet is unchanged too.
            at += match piece.get(at..) {
                Some([b' ', next, ..]) if !is_held(*next) => 2,
                Some([b'\r', b'\n', next, ..]) if !is_held(*next) => 3,
                _ => return at,
            };
        }
    }
}

fn is_held(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r')
}

/// The line ends of one write.
const ENDS: &[u8] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
