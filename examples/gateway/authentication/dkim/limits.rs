//! The limits of DKIM verification.

/// The limits of the work for one message: at most two hashes of its body, and for each signature
/// [`MOST_KEYS`](super::keys::MOST_KEYS) hashes of its header and public-key operations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DkimLimits {
    /// The most signatures that are verified; the author's come first.
    pub signatures: usize,
    /// The most octets of the header section; with a longer one no signature is verified.
    pub header: usize,
    /// The most header fields, and names in `h=`.
    pub fields: usize,
}

impl Default for DkimLimits {
    fn default() -> Self {
        Self { signatures: 10, header: 256 << 10, fields: 1000 }
    }
}
