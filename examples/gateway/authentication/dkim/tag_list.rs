//! The tag list of signatures and keys: RFC 6376 section 3.2.

use data_encoding::BASE64_NOPAD;
use thiserror::Error;

/// The tags of a text, in their order, with unique names.
#[derive(Clone, Debug)]
pub struct TagList<'a> {
    tags: Vec<Tag<'a>>,
}

/// A tag, with the position of its value.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// Its name, case-sensitive.
    pub name: &'a str,
    /// Its value, without the white space around it.
    pub value: &'a str,
    /// The start of the text between `=` and `;`, with its white space.
    pub begin: usize,
    /// The end of that text.
    pub end: usize,
}

impl<'a> TagList<'a> {
    /// Parses a text, such as the body of a header field with its line end.
    ///
    /// # Errors
    ///
    /// [`TagListError`] at the first syntax error: then no tag counts.
    pub fn parse(text: &'a [u8]) -> Result<Self, TagListError> {
        let text = text.strip_suffix(b"\r\n").unwrap_or(text);
        let text = str::from_utf8(text).map_err(|e| TagListError::Octet { at: e.valid_up_to() })?;
        if let Some(at) = wrong_octet(text.as_bytes()) {
            return Err(TagListError::Octet { at });
        }
        let mut list = Self { tags: Vec::new() };
        let mut begin = 0;
        for part in text.split(';') {
            let end = begin + part.len();
            if !part.trim_ascii().is_empty() {
                list.push(Tag::read(part, begin)?)?;
            } else if end < text.len() || list.tags.is_empty() {
                return Err(TagListError::Tag { at: end });
            }
            begin = end + 1;
        }
        Ok(list)
    }

    /// Returns the tags.
    #[must_use]
    pub fn tags(&self) -> &[Tag<'a>] {
        &self.tags
    }

    /// Returns the tag of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    fn push(&mut self, tag: Tag<'a>) -> Result<(), TagListError> {
        if self.get(tag.name).is_some() {
            let name = tag.name.chars().take(MOST_TOLD).collect();
            return Err(TagListError::Twice { name });
        }
        if self.tags.len() == MOST_TAGS {
            return Err(TagListError::TooMany);
        }
        self.tags.push(tag);
        Ok(())
    }
}

impl<'a> Tag<'a> {
    /// Parses the text between two semicolons, which starts at `begin`.
    fn read(part: &'a str, begin: usize) -> Result<Self, TagListError> {
        let wrong = TagListError::Tag { at: begin };
        let Some((name, value)) = part.split_once('=') else { return Err(wrong) };
        let end = begin + part.len();
        let tag = Self {
            name: name.trim_ascii(),
            value: value.trim_ascii(),
            begin: end - value.len(),
            end,
        };
        let letters = tag.name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        let named = tag.name.starts_with(|c: char| c.is_ascii_alphabetic()) && letters;
        if named { Ok(tag) } else { Err(wrong) }
    }

    /// Returns the items of a colon-separated value, without the white space around them.
    pub(crate) fn items(&self) -> impl Iterator<Item = &'a str> {
        self.value.split(':').map(str::trim_ascii)
    }

    /// Tells whether one of the items is this word.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.items().any(|item| item.eq_ignore_ascii_case(word))
    }

    /// Returns the value without any white space.
    pub(crate) fn without_blanks(&self) -> String {
        self.value.split_ascii_whitespace().collect()
    }

    /// Decodes a value in base64; the padding is optional.
    pub(crate) fn base64(&self) -> Option<Vec<u8>> {
        let text = self.without_blanks();
        let digits = text.trim_end_matches('=');
        let padding = text.len() - digits.len();
        let whole = padding == 0 || padding <= 2 && text.len().is_multiple_of(4);
        BASE64_NOPAD.decode(digits.as_bytes()).ok().filter(|_| whole)
    }
}

/// A text is not a valid tag list.
#[derive(Clone, Debug, Eq, Error, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each has its text")]
pub enum TagListError {
    /// A control character, or a line end without a fold.
    #[error("invalid character at octet {at}")]
    Octet { at: usize },
    /// An item is not a name, `=` and a value.
    #[error("malformed tag at octet {at}")]
    Tag { at: usize },
    /// Two tags have the same name.
    #[error("duplicate tag {name}=")]
    Twice { name: String },
    /// More than [`MOST_TAGS`] tags.
    #[error("more than {MOST_TAGS} tags")]
    TooMany,
}

/// Finds an octet that is neither allowed in a value nor part of folding white space. A value may have
/// UTF-8 (RFC 8616 section 5).
fn wrong_octet(text: &[u8]) -> Option<usize> {
    let good = |at: usize, octet: u8| match octet {
        b'\t' | b' '..=b'~' | 0x80.. => true,
        b'\r' => matches!(text.get(at + 1..), Some([b'\n', b' ' | b'\t', ..])),
        b'\n' => at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\r'),
        _ => false,
    };
    text.iter().enumerate().find(|&(at, &octet)| !good(at, octet)).map(|(at, _)| at)
}

/// The most tags of a list: signatures and keys define fewer than twenty.
pub const MOST_TAGS: usize = 100;
/// The most octets of a tag's name in an error.
const MOST_TOLD: usize = 16;
