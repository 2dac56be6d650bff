//! The body of a message as it is hashed: RFC 6376 sections 3.4.3 and 3.4.4.
//!
//! It is written in pieces as it comes, and what stays as it is, is not copied. Only CRLF ends a
//! line; a CR or LF alone is an octet like any other.

use super::canonical_header::Form;

/// A body under way. However it is cut, the same octets come out.
#[derive(Clone, Debug)]
pub struct CanonicalBody {
    form: Form,
    /// Whether anything has been written.
    begun: bool,
    /// Line ends that are written if anything follows them.
    ends: usize,
    /// Whether there is white space that counts if the line goes on.
    blank: bool,
    /// Whether there is a CR, which may be half of a line end.
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

    /// Ends the body: RFC 6376 section 3.4.3 gives every body a line end, 3.4.4 only one that has
    /// octets.
    pub fn finish(mut self, out: &mut impl FnMut(&[u8])) {
        if self.cr {
            self.release(out);
        }
        if self.begun || self.form == Form::Simple {
            out(b"\r\n");
        }
    }

    /// Takes the octets at the start whose fate what follows decides: line ends, and white space
    /// under `relaxed`; returns the rest.
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

    /// Writes what was held, since the line goes on.
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

    /// Finds how much of a piece stays as it is. It begins with an octet that does, and so it ends.
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
            // One blank, or one line end, and then an octet that stays: so do they.
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

/// So many line ends are written at once.
const ENDS: &[u8] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
