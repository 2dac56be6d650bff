//! Usage, selector and matching type, as people write them.

use std::fmt;

/// Writes usage, selector and matching type.
pub(crate) struct Numbers(pub(crate) [u8; 3]);

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [usage, selector, matching_type] = self.0;
        write!(f, "{usage} {selector} {matching_type}")
    }
}
