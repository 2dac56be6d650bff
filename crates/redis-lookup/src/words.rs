//! Splits a query into words. A value never ends, joins or begins a word.

use mail_types::exim::{Query, Segment};

use crate::{CommandError, Mode, Options};

/// A word of a command.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Word {
    pub(crate) bytes: Vec<u8>,
    /// The first segment of the word that is a value.
    pub(crate) value: Option<usize>,
}

/// Returns the list of servers at the start of a query, if any, and the words.
pub(crate) fn split(
    query: &Query,
    options: &Options,
) -> Result<(Option<Vec<u8>>, Vec<Word>), CommandError> {
    let mut splitter =
        Splitter { options, words: Vec::new(), word: None, octets: 0, quoted: false };
    let (servers, skipped) = servers(query)?;
    for (at, segment) in query.segments().enumerate() {
        match segment {
            Segment::Literal(text) => {
                let from = if at == 0 { skipped } else { 0 };
                splitter.literal(text.get(from..).unwrap_or_default(), at)?;
            }
            Segment::Value { bytes, .. } => splitter.value(bytes, at)?,
        }
    }
    if splitter.quoted {
        return Err(CommandError::Quote);
    }
    splitter.end()?;
    Ok((servers, splitter.words))
}

/// Returns the list of `servers=…;` at the start, and its length.
fn servers(query: &Query) -> Result<(Option<Vec<u8>>, usize), CommandError> {
    let Some(Segment::Literal(text)) = query.segments().next() else { return Ok((None, 0)) };
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let Some(list) = text.get(blanks..).and_then(|text| text.strip_prefix(PREFIX)) else {
        return Ok((None, 0));
    };
    // The first semicolon ends the list: one that separates items would be ambiguous.
    match list.iter().position(|&b| b == b';') {
        Some(end) => {
            let skipped = blanks + PREFIX.len() + end + 1;
            Ok((Some(list.get(..end).unwrap_or_default().to_vec()), skipped))
        }
        None if query.segments().len() > 1 => Err(CommandError::ServersWord { segment: 1 }),
        None => Err(CommandError::Empty),
    }
}

struct Splitter<'a> {
    options: &'a Options,
    words: Vec<Word>,
    word: Option<Word>,
    octets: usize,
    /// Whether a double quote is open.
    quoted: bool,
}

impl Splitter<'_> {
    fn literal(&mut self, text: &[u8], segment: usize) -> Result<(), CommandError> {
        let quotes = self.options.mode != Mode::Exim;
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'\\' => {
                    let protected = bytes.next().ok_or(CommandError::Backslash { segment })?;
                    self.push(&[*protected])?;
                }
                b'"' if self.quoted => self.quoted = false,
                b'"' if quotes && self.word.is_none() => {
                    self.word = Some(Word::default());
                    self.quoted = true;
                }
                byte if is_blank(byte) && !self.quoted => self.end()?,
                byte => self.push(&[byte])?,
            }
        }
        Ok(())
    }

    fn value(&mut self, bytes: &[u8], segment: usize) -> Result<(), CommandError> {
        self.push(bytes)?;
        let word = self.word.get_or_insert_default();
        word.value = word.value.or(Some(segment));
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        let limit = self.options.limits.command;
        self.octets = self.octets.saturating_add(bytes.len());
        if self.octets > limit {
            return Err(CommandError::TooLong { limit });
        }
        self.word.get_or_insert_default().bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), CommandError> {
        let Some(word) = self.word.take() else { return Ok(()) };
        let limit = self.options.limits.words;
        if self.words.len() == limit {
            return Err(CommandError::TooManyWords { limit });
        }
        self.words.push(word);
        Ok(())
    }
}

/// `isspace` of C, as in Exim.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

const PREFIX: &[u8] = b"servers=";
