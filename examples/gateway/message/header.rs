//! The header of a message, as fields.

/// A field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field<'m> {
    /// The text before the colon, as it came.
    pub name: &'m [u8],
    /// The text behind the colon, with its line ends.
    pub body: &'m [u8],
}

impl Field<'_> {
    /// Tells whether it has this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.bare_name().eq_ignore_ascii_case(name.as_bytes())
    }
}

impl<'m> Field<'m> {
    /// Splits a field at its colon.
    pub(crate) fn of(text: &'m [u8]) -> Option<Self> {
        let colon = text.iter().position(|&octet| octet == b':')?;
        let (name, body) = text.split_at(colon);
        Some(Self { name, body: body.get(1..)? })
    }

    /// Returns its name without the blanks, or the fold, that may stand before the colon (RFC 5322
    /// section 4.5). Some programs drop or end the name at control characters and octets beyond ASCII,
    /// so these go too.
    pub(crate) fn bare_name(&self) -> &'m [u8] {
        let graphic = |octet: &u8| octet.is_ascii_graphic();
        let begin = self.name.iter().position(graphic).unwrap_or_default();
        let end = self.name.iter().rposition(graphic).map_or(0, |last| last + 1);
        self.name.get(begin..end).unwrap_or_default()
    }
}

/// The header of a message, and what follows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header<'m> {
    /// All fields, with their line ends.
    pub text: &'m [u8],
    /// What stands behind the empty line.
    pub body: &'m [u8],
}

impl<'m> Header<'m> {
    /// Splits a message.
    #[must_use]
    pub fn of(message: &'m [u8]) -> Self {
        let length = spans(message).last().map_or(0, |(_, end)| end);
        let (text, rest) = message.split_at_checked(length).unwrap_or((message, &[]));
        let body = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).unwrap_or(rest);
        Self { text, body }
    }

    /// Returns the fields in their order; a line that is no field is left out.
    pub fn fields(self) -> impl Iterator<Item = Field<'m>> {
        spans(self.text).filter_map(move |(begin, end)| Field::of(self.text.get(begin..end)?))
    }

    /// Returns the bodies of the fields of a name.
    pub(crate) fn bodies(self, name: &str) -> impl Iterator<Item = &'m [u8]> {
        self.fields().filter(move |field| field.is(name)).map(|field| field.body)
    }
}

/// Tells whether a message begins with what is neither a field nor the empty line that ends a header.
///
/// A field has a name of printable ASCII (RFC 5322 section 2.2), blanks perhaps, folded ones too, and
/// a colon. Further down, a line that is no field ends no header: whoever shows fields behind such a
/// line finds them examined.
#[must_use]
pub fn lacks_header(message: &[u8]) -> bool {
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

/// Where each field of the header begins and ends, with its continuation lines.
pub(crate) fn spans(message: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut lines = message.split_inclusive(|&octet| octet == b'\n').peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = lines.next_if(|line| !matches!(*line, b"\r\n" | b"\n"))?;
        let begin = at;
        at += first.len();
        while let Some(more) = lines.next_if(|line| matches!(line, [b' ' | b'\t', ..])) {
            at += more.len();
        }
        Some((begin, at))
    })
}
