//! Access of a template to resources other than its variables.

/// Access to a resource outside the template. All are off by default; a template that needs one
/// that is off fails with [`ExpandError::Denied`](crate::ExpandError::Denied).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Capability {
    /// `pam`, `radius`, `ldapauth`, `saslauthd`, `pwcheck`, `crypteq`.
    Authentication,
    /// The current day, for `prvs`, `prvscheck`, `srs_encode` and `inbound_srs`.
    Clock,
    /// `perl` and `dlfunc`.
    Code,
    /// `run`.
    Commands,
    /// `env`.
    Environment,
    /// `readfile`, `exists`, `stat`, and lookups in files, such as `lsearch`.
    Files,
    /// `randint`.
    Random,
    /// `readsocket`.
    Sockets,
}

impl Capability {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Clock => "clock",
            Self::Code => "code",
            Self::Commands => "commands",
            Self::Environment => "environment",
            Self::Files => "files",
            Self::Random => "random",
            Self::Sockets => "sockets",
        }
    }
}

/// A set of capabilities.
///
/// ```
/// use event_expand::{Capabilities, Capability};
///
/// let capabilities = Capabilities::NONE.with(Capability::Files);
/// assert!(capabilities.has(Capability::Files));
/// assert!(!capabilities.has(Capability::Commands));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Capabilities(u8);

impl Capabilities {
    /// No capability: a template has its variables, and lookups in databases.
    pub const NONE: Self = Self(0);

    /// Returns the set with one more capability.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u8)
    }

    /// Returns whether a capability is on.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }
}
