//! Limits of records, certificates and hosts.

/// Limits of the records and certificates that are looked at.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most records of a host (default 100). A set with more is refused whole.
    pub records: usize,
    /// The most certificates that a server may send, its own included, to be verified by DANE-TA(2)
    /// (default 10). DANE-EE(3) looks at the first only, however many there are.
    pub certificates: usize,
    /// The most hosts of a next hop, those of the best preferences (default 10). Others are left out.
    pub hosts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records: 100, certificates: 10, hosts: 10 }
    }
}

impl Limits {
    /// Sets [`Self::records`].
    #[must_use]
    pub fn with_records(self, records: usize) -> Self {
        Self { records, ..self }
    }

    /// Sets [`Self::certificates`].
    #[must_use]
    pub fn with_certificates(self, certificates: usize) -> Self {
        Self { certificates, ..self }
    }

    /// Sets [`Self::hosts`].
    #[must_use]
    pub fn with_hosts(self, hosts: usize) -> Self {
        Self { hosts, ..self }
    }
}
