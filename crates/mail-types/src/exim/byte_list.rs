//! Exim's string lists over bytes: the only reader of items and separators.

use std::borrow::Cow;

/// A [`List`](crate::exim::List) over bytes that need not be UTF-8, with the same grammar.
///
/// ```
/// use mail_types::exim::ByteList;
///
/// let items: Vec<_> = ByteList::new(b"<; a\xff ; b;;c").collect();
/// assert_eq!(items, [&b"a\xff"[..], b"b;c"]);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ByteList<'a> {
    rest: &'a [u8],
    separator: u8,
}

impl<'a> ByteList<'a> {
    /// Takes a list that may begin with its separator. A `<` alone sets no separator and is not an
    /// item.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        match trim_start(text) {
            [b'<', separator, rest @ ..] if separates(*separator) => {
                Self::separated(rest, *separator)
            }
            b"<" => Self::separated(&[], b':'),
            _ => Self::separated(text, b':'),
        }
    }

    /// Takes a list with a given separator; a `<` at the start has no meaning.
    #[must_use]
    pub fn separated(text: &'a [u8], separator: u8) -> Self {
        Self { rest: text, separator }
    }

    /// Tells whether a text begins with the separator of its list.
    ///
    /// ```
    /// use mail_types::exim::ByteList;
    ///
    /// assert!(ByteList::names_separator(b"<; a") && !ByteList::names_separator(b"a : <; b"));
    /// assert_eq!(ByteList::new(b"<; a").separator(), b';');
    /// let items: Vec<_> = ByteList::separated(b"<; a : b", b':').collect();
    /// assert_eq!(items, [&b"<; a"[..], b"b"]);
    /// ```
    #[must_use]
    pub fn names_separator(text: &[u8]) -> bool {
        matches!(trim_start(text), [b'<', separator, ..] if separates(*separator))
    }

    /// Returns the separator.
    #[must_use]
    pub fn separator(&self) -> u8 {
        self.separator
    }
}

impl<'a> Iterator for ByteList<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        let separator = self.separator;
        let doubles = !separator.is_ascii_control();
        let blank = |b: &&u8| is_blank(**b) && **b != separator;
        let blanks = self.rest.iter().take_while(blank).count();
        self.rest = self.rest.get(blanks..).filter(|rest| !rest.is_empty())?;
        let mut item = Cow::Borrowed(&b""[..]);
        loop {
            let end = self.rest.iter().position(|&b| b == separator);
            let piece = self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default();
            match &mut item {
                Cow::Borrowed(item) if item.is_empty() => *item = piece,
                item => item.to_mut().extend_from_slice(piece),
            }
            self.rest = end.and_then(|end| self.rest.get(end + 1..)).unwrap_or_default();
            match self.rest.strip_prefix(&[separator]).filter(|_| doubles && end.is_some()) {
                Some(rest) => {
                    item.to_mut().push(separator);
                    self.rest = rest;
                }
                None => break,
            }
        }
        Some(trim_end(item))
    }
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    text.get(blanks..).unwrap_or_default()
}

fn trim_end(item: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let length = item.len() - item.iter().rev().take_while(|b| is_blank(**b)).count();
    match item {
        Cow::Borrowed(item) => Cow::Borrowed(item.get(..length).unwrap_or_default()),
        Cow::Owned(mut item) => {
            item.truncate(length);
            Cow::Owned(item)
        }
    }
}

fn separates(byte: u8) -> bool {
    byte.is_ascii_punctuation() || byte.is_ascii_control()
}

/// Tells whether a byte is white space for C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
