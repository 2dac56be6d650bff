//! A published text with the places of its faults.

use mail_types::exim::{Trust, Value};

/// A text as its domain publishes it, for people and programs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PublishedText {
    octets: Vec<u8>,
    /// The positions of faults, in bytes.
    at: Vec<usize>,
}

impl PublishedText {
    /// Takes the octets of a text, and the positions of faults in it.
    #[must_use]
    pub fn new(octets: &[u8], at: impl IntoIterator<Item = usize>) -> Self {
        let at = at.into_iter().filter(|at| *at <= octets.len()).collect();
        Self { octets: octets.to_vec(), at }
    }

    /// Returns the text, with control characters and other octets than UTF-8 escaped.
    #[must_use]
    pub fn text(&self) -> String {
        shown(&self.octets)
    }

    /// Returns the line below the text that has a mark below each fault; `None` without a fault.
    #[must_use]
    pub fn marks(&self) -> Option<String> {
        let width = |at: &usize| shown(self.octets.get(..*at).unwrap_or_default()).chars().count();
        let widths: Vec<_> = self.at.iter().map(width).collect();
        let last = widths.iter().max()?;
        Some((0..=*last).map(|at| if widths.contains(&at) { '^' } else { ' ' }).collect())
    }

    /// Returns the text in pieces: each that begins at a fault is marked, up to the next blank.
    #[must_use]
    pub fn pieces(&self) -> Vec<(String, bool)> {
        let mut starts = self.at.clone();
        starts.sort_unstable();
        starts.dedup();
        let (mut pieces, mut done) = (Vec::new(), 0);
        for start in starts {
            if start < done {
                continue;
            }
            let rest = self.octets.get(start..).unwrap_or_default();
            let length = rest.iter().position(|octet| matches!(octet, b' ' | b';'));
            let end = start + length.unwrap_or(rest.len());
            pieces.push((shown(self.octets.get(done..start).unwrap_or_default()), false));
            pieces.push((shown(self.octets.get(start..end).unwrap_or_default()), true));
            done = end;
        }
        pieces.push((shown(self.octets.get(done..).unwrap_or_default()), false));
        pieces.retain(|(piece, is_marked)| *is_marked || !piece.is_empty());
        pieces
    }
}

/// A reader's terminal and browser would obey control characters, and those for the direction of text.
fn shown(octets: &[u8]) -> String {
    Value::new(octets, Trust::Untrusted).to_string()
}
