//! Counts with their nouns.

use std::fmt::Display;

/// Writes a count and its noun, in the plural unless the count is 1.
///
/// ```
/// use examples::cases::count::counted;
///
/// assert_eq!([0, 1, 2].map(|count| counted(count, "message")), ["0 messages", "1 message", "2 messages"]);
/// ```
#[must_use]
pub fn counted<N: Copy + Display + From<u8> + PartialEq>(count: N, noun: &str) -> String {
    let end = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{end}")
}
