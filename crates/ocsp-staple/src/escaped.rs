//! Untrusted texts, for log lines.

use std::fmt;

/// Writes an untrusted text on one line: what cannot be seen, or changes the direction of the text, is
/// escaped, and so is a backslash. Of a long one the start is written.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        characters.by_ref().take(LONGEST).try_for_each(|character| escape(f, character))?;
        if characters.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

/// Writes a character, or its escape.
pub(crate) fn escape(to: &mut impl fmt::Write, character: char) -> fmt::Result {
    match character {
        '\'' | '"' => to.write_char(character),
        // These are letters for Rust.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => {
            write!(to, "{}", character.escape_unicode())
        }
        _ => write!(to, "{}", character.escape_debug()),
    }
}

/// The most characters that are written.
pub(crate) const LONGEST: usize = 512;
