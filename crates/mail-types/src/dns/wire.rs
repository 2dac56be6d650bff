//! The octets of a name: RFC 1035 section 3.1.

use std::sync::Arc;

use crate::dns::{Name, NameError};

/// Labels, each after its length octet, without the zero of the root: at most 254 octets.
#[derive(Clone)]
pub(crate) enum Wire {
    /// Most names in mail are short, and need no allocation.
    Short(Short),
    Long(Arc<[u8]>),
}

impl Wire {
    pub(crate) fn octets(&self) -> &[u8] {
        match self {
            Self::Short(short) => short.octets(),
            Self::Long(octets) => octets,
        }
    }
}

impl From<&[u8]> for Wire {
    fn from(wire: &[u8]) -> Self {
        let mut room = [0; Short::MAX + 1];
        match (u8::try_from(wire.len()), room.get_mut(..wire.len())) {
            (Ok(length), Some(octets)) if wire.len() <= Short::MAX => {
                octets.copy_from_slice(wire);
                Self::Short(Short::new(room, length))
            }
            _ => Self::Long(wire.into()),
        }
    }
}

/// The octets of a short name, padded with zeros, and their number in the last octet.
///
/// It is aligned, with no other field beside it, so that it is written, copied and read in the same
/// few words: a processor stalls when it reads a word that was written in two parts.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
#[repr(align(8))]
pub(crate) struct Short([u8; Self::MAX + 1]);

impl Short {
    /// The most octets of a short name.
    pub(crate) const MAX: usize = 39;

    /// Takes labels with dots between them, shorter than [`Short::MAX`].
    #[inline]
    pub(crate) fn dotted(text: &[u8]) -> Result<Self, NameError> {
        let mut short = Self([0; Self::MAX + 1]);
        dotted(text, &mut short.0)?;
        let [.., length] = &mut short.0;
        *length = u8::try_from(text.len() + 1).unwrap_or_default();
        Ok(short)
    }

    /// Takes a label and such a text, together shorter than that, the dot between them included.
    #[inline]
    pub(crate) fn dotted_below(label: &[u8], text: &[u8]) -> Result<Self, NameError> {
        let mut short = Self([0; Self::MAX + 1]);
        dotted_below(label, text, &mut short.0)?;
        let [.., length] = &mut short.0;
        *length = u8::try_from(label.len() + text.len() + 2).unwrap_or_default();
        Ok(short)
    }

    /// Takes octets padded with zeros.
    pub(crate) fn new(mut octets: [u8; Self::MAX + 1], length: u8) -> Self {
        let [.., last] = &mut octets;
        *last = length;
        Self(octets)
    }

    pub(crate) fn len(&self) -> usize {
        let [.., length] = self.0;
        length.into()
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.0.get(..self.len()).unwrap_or_default()
    }

    /// All octets in lower case; the zeros and the length are unchanged.
    pub(crate) fn to_lower(self) -> [u8; Self::MAX + 1] {
        self.0.map(|octet| octet.to_ascii_lowercase())
    }
}

/// A name under construction, which allocates nothing before it is complete.
pub(crate) struct Building {
    octets: [u8; Name::MAX_OCTETS],
    pub(crate) length: usize,
}

impl Building {
    pub(crate) fn push(&mut self, label: &[u8], at: usize) -> Result<(), NameError> {
        let length = label_length(label.len(), at)?;
        let end = self.length + 1 + label.len();
        // The root's octet is not written, but counts.
        let room = self.octets.get_mut(self.length..end).filter(|_| end < Name::MAX_OCTETS);
        let Some([first, rest @ ..]) = room else { return Err(NameError::TooLong { at }) };
        *first = length;
        rest.copy_from_slice(label);
        self.length = end;
        Ok(())
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::from(self.octets.get(..self.length).unwrap_or_default())
    }
}

impl Default for Building {
    fn default() -> Self {
        Self { octets: [0; Name::MAX_OCTETS], length: 0 }
    }
}

/// Writes a text into `octets`, one octet longer, with the length of the next label in place of
/// each dot.
pub(crate) fn dotted(text: &[u8], octets: &mut [u8]) -> Result<(), NameError> {
    if let Some(room) = octets.get_mut(1..=text.len()) {
        room.copy_from_slice(text);
    }
    let (blocks, rest) = text.as_chunks();
    let last = match text.last_chunk() {
        // It overlaps the block before, whose octets are shifted out.
        Some(end) if !rest.is_empty() => u64::from_le_bytes(*end) >> (64 - 8 * rest.len()),
        _ => rest.iter().rev().fold(0, |word, octet| (word << 8) | u64::from(*octet)),
    };
    let mut begin = 0;
    let words = blocks.iter().map(|block| u64::from_le_bytes(*block)).chain([last]);
    for (block, word) in words.enumerate() {
        let mut dots = dots(word);
        while dots != 0 {
            let at = 8 * block + dots.trailing_zeros() as usize / 8;
            set(octets, begin, at)?;
            begin = at + 1;
            dots &= dots - 1;
        }
    }
    set(octets, begin, text.len())
}

/// Writes a label into `octets`, and after it a text as [`dotted`] does.
pub(crate) fn dotted_below(label: &[u8], text: &[u8], octets: &mut [u8]) -> Result<(), NameError> {
    let Some((first, rest)) = octets.split_at_mut_checked(label.len() + 1) else {
        return Err(NameError::TooLong { at: 0 });
    };
    set(first, 0, label.len()).map_err(|_| match label {
        [] => NameError::EmptyLabel { at: 0 },
        _ => NameError::LabelTooLong { at: 0 },
    })?;
    if let Some(room) = first.get_mut(1..) {
        room.copy_from_slice(label);
    }
    dotted(text, rest)
}

/// The dots among eight octets: the highest bit of each that is one, the first octet lowest.
fn dots(word: u64) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    let other = word ^ u64::from_le_bytes([b'.'; 8]);
    !(((other & LOW) + LOW) | other | LOW)
}

fn set(octets: &mut [u8], begin: usize, end: usize) -> Result<(), NameError> {
    let length = label_length(end - begin, end)?;
    if let Some(room) = octets.get_mut(begin) {
        *room = length;
    }
    Ok(())
}

fn label_length(length: usize, at: usize) -> Result<u8, NameError> {
    match u8::try_from(length) {
        Ok(0) => Err(NameError::EmptyLabel { at }),
        Ok(length) if usize::from(length) <= Name::MAX_LABEL => Ok(length),
        _ => Err(NameError::LabelTooLong { at }),
    }
}
