//! Texts of a report that are not valid, for messages about them.

use std::fmt;

/// The beginning of an invalid text of a report.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct InvalidText {
    octets: [u8; Self::MAX],
    length: usize,
    is_cut: bool,
}

impl InvalidText {
    /// The most octets that are kept of a text.
    pub const MAX: usize = 40;

    /// Returns the beginning of the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It was cut between characters.
        self.octets.get(..self.length).and_then(|text| str::from_utf8(text).ok()).unwrap_or("")
    }
}

impl From<&str> for InvalidText {
    fn from(text: &str) -> Self {
        let fits = |length: &usize| text.is_char_boundary(*length);
        let length = (0..=text.len().min(Self::MAX)).rev().find(fits).unwrap_or(0);
        let mut octets = [0; Self::MAX];
        for (octet, from) in octets.iter_mut().zip(text.as_bytes().iter().take(length)) {
            *octet = *from;
        }
        Self { octets, length, is_cut: length < text.len() }
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.as_str(), if self.is_cut { "…" } else { "" })
    }
}

impl fmt::Debug for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidText({self})")
    }
}
