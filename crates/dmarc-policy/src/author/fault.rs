//! Faults of `From` fields.

use std::fmt;

use crate::Author;

/// A fault of the `From` fields, by which the author domains cannot be determined.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AuthorFault {
    /// A `From` field has an `@` without a domain that could be read behind it.
    Unreadable {
        /// Where the first such field is not as RFC 5322 has it, in bytes of its body.
        at: usize,
    },
    /// The `From` fields are longer than [`Author::MAX_OCTETS`].
    TooLong,
    /// There are more than [`Author::MAX_DOMAINS`].
    TooMany,
}

impl fmt::Display for AuthorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { at } => write!(f, "the From field is not an address at byte {at}"),
            Self::TooLong => {
                write!(f, "the From fields have more than {} octets", Author::MAX_OCTETS)
            }
            Self::TooMany => {
                write!(f, "the From field has more than {} domains", Author::MAX_DOMAINS)
            }
        }
    }
}
