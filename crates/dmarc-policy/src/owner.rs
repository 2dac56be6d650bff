//! An author domain, ready to be walked up from.

use mail_types::{Domain, Name};

/// An author domain.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) name: Name,
    /// The same in lower case, with dots between its labels.
    pub(crate) text: Box<[u8]>,
}

impl Owner {
    /// Returns `None` for the root, and for a name that no address has: with a dot in a label.
    pub(crate) fn new(name: &Name) -> Option<Self> {
        let text = name.write_dotted(&mut [0; Name::MAX_OCTETS]).to_ascii_lowercase();
        let name = Name::from_dotted(&text).ok().filter(|same| same == name)?;
        Some(Self { name, text: text.into() })
    }

    /// Returns the name that begins at this octet of the text.
    pub(crate) fn suffix(&self, at: usize) -> Option<Name> {
        if at == 0 {
            return Some(self.name.clone());
        }
        Name::from_dotted(self.text.get(at..)?).ok()
    }

    /// Returns a domain for a list of public suffixes, with the same labels but for octets that no
    /// domain has, of which a list knows nothing.
    pub(crate) fn stand_in(&self) -> Option<Domain> {
        let mut text = String::with_capacity(self.text.len());
        for label in self.text.split(|&octet| octet == b'.') {
            if !text.is_empty() {
                text.push('.');
            }
            let last = label.len().saturating_sub(1);
            text.extend(label.iter().enumerate().map(|(at, octet)| match octet {
                b'-' if at > 0 && at < last => '-',
                octet if octet.is_ascii_alphanumeric() => char::from(*octet),
                _ => 'x',
            }));
        }
        text.parse().ok()
    }
}
