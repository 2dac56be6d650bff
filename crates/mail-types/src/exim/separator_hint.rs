//! The probable mistake with the separators of a list.

use std::fmt;
use std::net::IpAddr;

/// The probable cause of an invalid item in a list of hosts or words: text that was not meant to separate
/// items does, or the reverse. It is the end of an error text.
///
/// ```
/// use mail_types::exim::{HostSet, List, SeparatorHint};
///
/// let error = HostSet::new(List::new("192.0.2.1 : 2001:db8::1")).unwrap_err();
/// assert!(error.to_string().ends_with("; double the colons of an item, or begin the list with <;"));
/// let hint = SeparatorHint::find(b':', b"192.0.2.1, 192.0.2.2", [None, None]);
/// assert_eq!(hint, Some(SeparatorHint::Blanks { separator: ':' }));
/// assert_eq!(hint.unwrap().to_string(), "items are separated by colons");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SeparatorHint {
    /// The item is a part of an IPv6 address, whose colons separate items.
    Colons,
    /// Blanks or commas in the item do not separate items.
    Blanks {
        /// The separator of the list.
        separator: char,
    },
}

impl SeparatorHint {
    /// Finds the hint for an invalid item of a list with this separator. An item is without its `!`; its
    /// neighbours are the items before and after it.
    #[must_use]
    pub fn find(
        separator: u8,
        item: &[u8],
        neighbours @ [before, _]: [Option<&[u8]>; 2],
    ) -> Option<Self> {
        let is_cut_address = || {
            let bracket = |text: &[u8]| text.starts_with(b"[") && !text.contains(&b']');
            let beside = |other: &[u8]| other.is_empty() || is_part(other) || bracket(other);
            bracket(item)
                || (item.ends_with(b"]") && before.is_some_and(bracket))
                || (is_part(item)
                    && (item.contains(&b':') || neighbours.into_iter().flatten().any(beside)))
        };
        if separator == b':' && is_cut_address() {
            return Some(Self::Colons);
        }
        let is_gap = |octet: &u8| *octet == b',' || octet.is_ascii_whitespace();
        item.iter().any(is_gap).then(|| Self::Blanks { separator: char::from(separator) })
    }

    /// Words it as the end of an error text.
    pub(crate) fn end(hint: Option<Self>) -> String {
        hint.map(|hint| format!("; {hint}")).unwrap_or_default()
    }
}

impl fmt::Display for SeparatorHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Colons => f.write_str("double the colons of an item, or begin the list with <;"),
            Self::Blanks { separator: ':' } => f.write_str("items are separated by colons"),
            Self::Blanks { separator: ';' } => f.write_str("items are separated by semicolons"),
            Self::Blanks { separator: ',' } => f.write_str("items are separated by commas"),
            Self::Blanks { separator } => write!(f, "items are separated by {separator:?}"),
        }
    }
}

/// Tells whether a text can be what colons leave of an IPv6 address or block: hexadecimal digits, with the
/// colons that a doubled one is.
fn is_part(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let (groups, prefix) = text.split_once('/').unwrap_or((text, ""));
    let is_group = |group: &str| group.len() <= 4 && group.bytes().all(|c| c.is_ascii_hexdigit());
    !groups.is_empty()
        && groups.split(':').all(is_group)
        && prefix.bytes().all(|c| c.is_ascii_digit())
        && groups.parse::<IpAddr>().is_err()
}
