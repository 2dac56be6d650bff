//! What is looked at, at most.

/// Limits of the records and certificates that are looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most records of a host (default 100). A set with more is refused whole.
    pub records: usize,
    /// The most certificates that a server may send, its own included, to be verified by DANE-TA(2)
    /// (default 10). DANE-EE(3) looks at the first only, however many there are.
    pub certificates: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records: 100, certificates: 10 }
    }
}
