//! The answers to requests.

use mail_types::exim::LookupResult;

/// The answer to a [`Request`](crate::Request).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a request is answered by one or the other")]
pub enum Answered {
    /// The result of a lookup, or of another request.
    Found(LookupResult),
    /// The verdict of a list of rules, for [`HostCall::Acl`](crate::HostCall::Acl).
    Verdict(AclVerdict),
}

/// The verdict of a list of rules that a template calls. Messages are untrusted in the template.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "Exim has these four")]
pub enum AclVerdict {
    /// It accepts, with a message that may be empty.
    Accept(Vec<u8>),
    /// It denies, with a message that may be empty: for `${acl{…}}` the same, for the condition false.
    Deny(Vec<u8>),
    /// It defers, which is a forced failure of the expansion.
    Defer,
    /// It could not be run, which is an error of the expansion.
    Failed,
}

impl From<LookupResult> for Answered {
    fn from(found: LookupResult) -> Self {
        Self::Found(found)
    }
}

impl From<AclVerdict> for Answered {
    fn from(verdict: AclVerdict) -> Self {
        Self::Verdict(verdict)
    }
}
