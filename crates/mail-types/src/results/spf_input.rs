//! An SPF result for DMARC: RFC 9989 section 4.4.2.

use crate::dns::Name;
use crate::results::{AuthResult, SpfIdentity};

/// A result of SPF with the identity and the domain that it holds for.
///
/// spf-result makes it of a check, and dmarc-policy takes it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 4.4.2 wants just these")]
pub struct SpfInput {
    /// The result.
    pub result: AuthResult,
    /// The identity that SPF tested. DMARC does not use a result for the HELO name (RFC 9989 section
    /// 4.4.2); of a null reverse-path SPF tests that name as the sender's, as
    /// [`MailFrom`](SpfIdentity::MailFrom).
    pub identity: SpfIdentity,
    /// The domain that SPF tested, without the local part. A HELO name may have an underscore.
    pub domain: Name,
}
