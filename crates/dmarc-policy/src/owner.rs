//! A domain at the start of a tree walk.

use std::fmt;

use mail_types::dns::Name;
use mail_types::smtp::Domain;

/// A domain: of the author, of SPF or of a signature.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) name: Name,
    /// The name in lower case, with dots between its labels.
    pub(crate) text: Box<[u8]>,
}

impl Owner {
    pub(crate) fn new(name: &Name) -> Self {
        let mut room = [0; Name::MAX_OCTETS];
        let length = name.write_dotted(&mut room).len();
        let text = room.get_mut(..length).unwrap_or_default();
        text.make_ascii_lowercase();
        Self { name: name.clone(), text: (&*text).into() }
    }

    /// Tells whether an address can have this domain: it is not the root, and no label contains a
    /// dot.
    pub(crate) fn is_of_address(&self) -> bool {
        Name::from_dotted(&self.text).is_ok_and(|same| same == self.name)
    }

    /// Returns the name that begins at this octet of the text.
    pub(crate) fn suffix(&self, at: usize) -> Option<Name> {
        if at == 0 {
            return Some(self.name.clone());
        }
        Name::from_dotted(self.text.get(at..)?).ok()
    }

    /// Returns a domain for a list of public suffixes, with the same number of labels. Octets that
    /// no domain has are replaced: the list has no entry for them.
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

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
