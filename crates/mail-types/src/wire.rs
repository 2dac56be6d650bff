//! The octets of a name: RFC 1035 section 3.1.

use std::sync::Arc;

use crate::{Name, NameError};

/// Labels, each behind its length, without the root's zero: at most 254 octets.
#[derive(Clone)]
pub(crate) enum Wire {
    /// Most names of mail are short, and so need no allocation.
    Short {
        length: u8,
        octets: [u8; SHORT],
    },
    Long(Arc<[u8]>),
}

impl From<&[u8]> for Wire {
    fn from(wire: &[u8]) -> Self {
        let mut octets = [0; SHORT];
        match (u8::try_from(wire.len()), octets.get_mut(..wire.len())) {
            (Ok(length), Some(room)) => {
                room.copy_from_slice(wire);
                Self::Short { length, octets }
            }
            _ => Self::Long(wire.into()),
        }
    }
}

pub(crate) const SHORT: usize = 38;

/// A name in the making, which allocates nothing before it is done.
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

/// Writes a text into `octets`, one longer, with each dot as the length of the label behind it.
pub(crate) fn dotted(text: &[u8], octets: &mut [u8]) -> Result<(), NameError> {
    if let Some(room) = octets.get_mut(1..=text.len()) {
        room.copy_from_slice(text);
    }
    let mut begin = 0;
    for (at, octet) in text.iter().enumerate() {
        if *octet == b'.' {
            set(octets, begin, at)?;
            begin = at + 1;
        }
    }
    set(octets, begin, text.len())
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
