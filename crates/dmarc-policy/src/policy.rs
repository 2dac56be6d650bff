//! The policy of a domain owner: section 4.7 of RFC 9989.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The domain owner's request for mail that fails DMARC, the mildest first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 section 4.7 has just these")]
pub enum Policy {
    /// No action.
    #[default]
    None,
    /// Treat the message as suspicious.
    Quarantine,
    /// Treat the message as a misuse of the domain.
    Reject,
}

impl Policy {
    /// Returns the policy one level lower, as for a record in test mode (`t=y`).
    ///
    /// ```
    /// use dmarc_policy::Policy;
    ///
    /// assert_eq!(Policy::Reject.lowered(), Policy::Quarantine);
    /// assert_eq!(Policy::None.lowered(), Policy::None);
    /// ```
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }

    /// Returns the word of a record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let all = [Self::None, Self::Quarantine, Self::Reject];
        let found = all.into_iter().find(|policy| policy.as_str().eq_ignore_ascii_case(text));
        found.ok_or(PolicyError)
    }
}

/// A text is not the word of a [`Policy`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("invalid DMARC policy: not none, quarantine or reject")]
#[non_exhaustive]
pub struct PolicyError;
