//! What is verified of a message's signatures.

/// The limits. With them a message costs two hashes of its body at most, and for each signature
/// [`MOST_KEYS`](super::keys::MOST_KEYS) hashes of no more than its header and the signature, with
/// a public-key operation each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DkimLimits {
    /// The signatures; those of the author's domain and those that stand first come first.
    pub signatures: usize,
    /// The octets of the message's header: with a longer one no signature counts.
    pub header: usize,
    /// The fields in the header, and the names in a signature's `h=`.
    pub fields: usize,
}

impl Default for DkimLimits {
    fn default() -> Self {
        Self { signatures: 10, header: 256 << 10, fields: 1000 }
    }
}
