//! The SPF result that DMARC uses: RFC 9989 section 4.4.2.

use crate::dns::Name;
use crate::results::{AuthResult, SpfIdentity};

/// An SPF result with the identity and the domain that it applies to.
///
/// The crate spf-result makes it from a check, and dmarc-policy takes it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 4.4.2 needs just these")]
pub struct SpfInput {
    /// The result.
    pub result: AuthResult,
    /// The identity that SPF tested. DMARC does not use a result for the HELO name (RFC 9989
    /// section 4.4.2). For a null reverse-path SPF tests the HELO name as the sender's domain, with
    /// the identity [`MailFrom`](SpfIdentity::MailFrom).
    pub identity: SpfIdentity,
    /// The domain that SPF tested, without the local part. A HELO name may have an underscore.
    pub domain: Name,
}
