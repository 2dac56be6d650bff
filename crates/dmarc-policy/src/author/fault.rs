//! Faults of `From` fields.

use std::fmt;

use crate::Author;

/// A fault of the `From` fields that leaves the author domains uncertain.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum AuthorFault {
    /// A `From` field has an `@` without a readable domain after it.
    Unreadable {
        /// The first position where the first such field violates RFC 5322, in bytes of its body.
        at: usize,
    },
    /// The `From` fields are longer than [`Author::MAX_OCTETS`].
    TooLong,
    /// The fields have more domains than [`Author::MAX_DOMAINS`].
    TooMany,
}

impl fmt::Display for AuthorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { at } => write!(f, "invalid address in the From field, at byte {at}"),
            Self::TooLong => {
                write!(f, "From fields longer than {} octets", Author::MAX_OCTETS)
            }
            Self::TooMany => {
                write!(f, "From fields have more than {} domains", Author::MAX_DOMAINS)
            }
        }
    }
}
