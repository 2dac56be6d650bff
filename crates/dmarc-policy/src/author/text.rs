//! The text of a field's body outside its quoted strings and comments.

/// Returns a body without its comments and the content of its quoted strings, or `None` if one of
/// them is unclosed. A quoted string in a domain is part of the domain, and stays.
///
/// A comment or a control character becomes a blank, or is removed.
pub(crate) fn visible(body: &[u8], blanks: bool) -> Option<Vec<u8>> {
    let mut text = Text::new(body, blanks);
    let (mut depth, mut quoted, mut shown) = (0_usize, false, false);
    let mut octets = body.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' if quoted || depth > 0 => {
                let escaped = octets.next()?;
                if shown && quoted {
                    text.push(escaped);
                }
            }
            b'"' if quoted => {
                quoted = false;
                // A program that removes the quoted string may end the domain there.
                if shown && octets.clone().next().is_some_and(is_atext) {
                    text.push(NOTHING);
                }
            }
            _ if quoted && shown => text.push(octet),
            _ if quoted => {}
            b'(' => depth += 1,
            b')' if depth == 1 => {
                depth = 0;
                text.push(NOTHING);
            }
            b')' if depth > 1 => depth -= 1,
            _ if depth > 0 => {}
            b'"' => {
                quoted = true;
                shown = text.goes_on();
                match text.last {
                    _ if !shown => text.push(b'"'),
                    b'@' | b'.' => {}
                    _ => text.push(NOTHING),
                }
            }
            // A program may show it, and end the domain there.
            b'\\' => text.push(NOTHING),
            _ => text.push(octet),
        }
    }
    (depth == 0 && !quoted).then_some(text.octets)
}

/// Returns a body whose last quoted string or comment is unclosed: the text before that as [`visible`]
/// has it, and the rest as [`all`] has it.
pub(crate) fn before_unclosed(body: &[u8], blanks: bool) -> Option<Vec<u8>> {
    let (closed, rest) = body.split_at_checked(unclosed(body)?)?;
    let mut text = visible(closed, blanks)?;
    text.extend(all(rest, blanks));
    Some(text)
}

/// Finds the start of a quoted string or a comment that is unclosed.
fn unclosed(body: &[u8]) -> Option<usize> {
    let (mut start, mut depth, mut quoted) = (None, 0_usize, false);
    let mut octets = body.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'\\' if quoted || depth > 0 => {
                octets.next();
            }
            b'"' if quoted => quoted = false,
            b'"' if depth == 0 => (quoted, start) = (true, Some(at)),
            b'(' if !quoted => {
                start = if depth == 0 { Some(at) } else { start };
                depth += 1;
            }
            b')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    start.filter(|_| quoted || depth > 0)
}

/// Returns the whole body: with an unclosed quote nothing counts as quoted.
pub(crate) fn all(body: &[u8], blanks: bool) -> Vec<u8> {
    let mut text = Text::new(body, blanks);
    for &octet in body {
        text.push(if b"\"()\\".contains(&octet) { b' ' } else { octet });
    }
    text.octets
}

/// The text so far.
struct Text {
    octets: Vec<u8>,
    /// Whether a blank replaces a removed part.
    blanks: bool,
    /// Whether the text ends in a domain, with or without blanks after it.
    in_domain: bool,
    /// The last octet that is not a blank.
    last: u8,
}

impl Text {
    fn new(body: &[u8], blanks: bool) -> Self {
        let octets = Vec::with_capacity(body.len());
        Self { octets, blanks, in_domain: false, last: NOTHING }
    }

    fn push(&mut self, octet: u8) {
        match octet {
            b' ' | b'\t' => return self.octets.push(b' '),
            _ if octet.is_ascii_control() => {
                return self.octets.extend(self.blanks.then_some(b' '));
            }
            b'@' => self.in_domain = true,
            b'<' | b'>' | b',' | b';' | b':' => self.in_domain = false,
            _ => self.in_domain = self.goes_on() || self.in_domain && octet == b'.',
        }
        self.last = octet;
        self.octets.push(octet);
    }

    /// Tells whether the next octet belongs to a domain: it follows an `@`, a dot of a domain, or a
    /// label without a blank between.
    fn goes_on(&self) -> bool {
        self.in_domain
            && (matches!(self.last, b'@' | b'.') || self.octets.last().is_some_and(|c| *c != b' '))
    }
}

/// The mark of a removed part.
const NOTHING: u8 = 0;

/// `atext` of RFC 5322 section 3.2.3, and octets beyond ASCII (RFC 6532 section 3.2).
pub(crate) fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet) || octet >= 0x80
}
