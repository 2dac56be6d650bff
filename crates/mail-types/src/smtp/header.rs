//! The header section of a message: RFC 5322 section 2.2.

use std::ops::Range;

/// A message, split into its header section and its body.
///
/// It is lenient, for programs that must not overlook a field: lines may end with LF alone, and a
/// line that is not a field does not end the header section.
///
/// ```
/// use mail_types::smtp::Header;
///
/// let header = Header::of(b"From: ann@example.com\r\nSubject: a\r\n b\r\n\r\nFrom: not a field\r\n");
/// assert_eq!(header.bodies("subject").collect::<Vec<_>>(), [b" a\r\n b\r\n"]);
/// assert_eq!(header.bodies("from").count(), 1);
/// assert_eq!(header.body, b"From: not a field\r\n");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a message has these two parts")]
pub struct Header<'m> {
    /// All fields, with their line ends.
    pub text: &'m [u8],
    /// The octets after the empty line.
    pub body: &'m [u8],
}

impl<'m> Header<'m> {
    /// Splits a message at the first empty line.
    #[must_use]
    pub fn of(message: &'m [u8]) -> Self {
        let length = Self::spans(message).last().map_or(0, |span| span.end);
        let (text, rest) = message.split_at_checked(length).unwrap_or((message, &[]));
        let body = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).unwrap_or(rest);
        Self { text, body }
    }

    /// Returns the fields in order; lines that are not fields are left out.
    pub fn fields(self) -> impl Iterator<Item = Field<'m>> {
        Self::spans(self.text).filter_map(move |span| Field::of(self.text.get(span)?))
    }

    /// Returns the bodies of the fields with this name in order, with their line ends.
    pub fn bodies(self, name: &str) -> impl Iterator<Item = &'m [u8]> {
        self.fields().filter(move |field| field.is(name)).map(|field| field.body)
    }

    /// Returns the range of each field of a message, continuation lines included. A line that is
    /// not a field counts as one.
    pub fn spans(message: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let mut lines = message.split_inclusive(|&octet| octet == b'\n').peekable();
        let mut at = 0;
        std::iter::from_fn(move || {
            let first = lines.next_if(|line| !matches!(*line, b"\r\n" | b"\n"))?;
            let begin = at;
            at += first.len();
            while let Some(more) = lines.next_if(|line| matches!(line, [b' ' | b'\t', ..])) {
                at += more.len();
            }
            Some(begin..at)
        })
    }

    /// Tells whether a message begins neither with a field nor with the empty line that ends a
    /// header section. A server that adds fields before such a message adds an empty line after
    /// them: else a first line with leading white space would continue the last of these fields.
    ///
    /// A field has a name of printable ASCII (RFC 5322 section 2.2), optional white space, folded
    /// too (section 4.5), and a colon.
    ///
    /// ```
    /// use mail_types::smtp::Header;
    ///
    /// assert!(Header::is_missing(b"\t; dkim=pass header.d=bank.example\r\n"));
    /// assert!(!Header::is_missing(b"Subject : a\r\n\r\n"));
    /// assert!(!Header::is_missing(b"\r\nonly a body\r\n"));
    /// ```
    #[must_use]
    pub fn is_missing(message: &[u8]) -> bool {
        let named = |octet: &u8| octet.is_ascii_graphic() && *octet != b':';
        let name = message.iter().take_while(|octet| named(octet)).count();
        if name == 0 {
            return !matches!(message, [] | [b'\r', b'\n', ..]);
        }
        let mut rest = message.get(name..).unwrap_or_default();
        loop {
            rest = match rest {
                [b':', ..] => return false,
                [b' ' | b'\t', behind @ ..] | [b'\r', b'\n', b' ' | b'\t', behind @ ..] => behind,
                _ => return true,
            };
        }
    }
}

/// A header field.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5322 section 2.2 has just these two")]
pub struct Field<'m> {
    /// The octets before the colon, unchanged.
    pub name: &'m [u8],
    /// The octets after the colon, with their line ends.
    pub body: &'m [u8],
}

impl<'m> Field<'m> {
    /// Splits a field at its first colon; returns `None` without a colon.
    #[must_use]
    pub fn of(text: &'m [u8]) -> Option<Self> {
        let colon = text.iter().position(|&octet| octet == b':')?;
        let (name, body) = text.split_at(colon);
        Some(Self { name, body: body.get(1..)? })
    }

    /// Tells whether the field has this name; case does not matter, nor does anything but printable
    /// ASCII: some programs drop a NUL from within a name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        graphic(self.name).eq(graphic(name.as_bytes()))
    }

    /// Returns the name without the white space, folded or not, that may precede the colon (RFC
    /// 5322 section 4.5). Control characters and octets beyond ASCII are removed too, since some
    /// programs drop them around a name, or end the name there.
    ///
    /// ```
    /// use mail_types::smtp::Header;
    ///
    /// let message = b"Subject : a\r\n b\r\nTo: c\r\n\r\n";
    /// let names: Vec<_> = Header::of(message).fields().map(|field| field.bare_name()).collect();
    /// assert_eq!(names, [&b"Subject"[..], b"To"]);
    /// assert_eq!(Header::spans(message).collect::<Vec<_>>(), [0..17, 17..24]);
    /// ```
    #[must_use]
    pub fn bare_name(&self) -> &'m [u8] {
        let graphic = |octet: &u8| octet.is_ascii_graphic();
        let begin = self.name.iter().position(graphic).unwrap_or_default();
        let end = self.name.iter().rposition(graphic).map_or(0, |last| last + 1);
        self.name.get(begin..end).unwrap_or_default()
    }
}

/// Returns the printable octets of a name, in lower case.
fn graphic(name: &[u8]) -> impl Iterator<Item = u8> {
    let graphic = name.iter().filter(|octet| octet.is_ascii_graphic());
    graphic.map(u8::to_ascii_lowercase)
}
