//! How a responder is asked next, after what it answered.

use crate::fetch::FetchError;
use crate::proof::ProofError;
use crate::status::ResponderError;

/// How the responder is asked next; what worked stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asking {
    pub(crate) responder: usize,
    pub(crate) post: bool,
    pub(crate) other_hash: bool,
    pub(crate) bypass_caches: bool,
}

impl Asking {
    /// Asks in another way next time.
    pub(crate) fn turn(&mut self, error: &FetchError) {
        self.post = !self.post;
        self.responder = self.responder.wrapping_add(1);
        self.other_hash ^= is_unknown(error)
            || matches!(
                error,
                FetchError::Proof(
                    ProofError::OtherCertificate
                        | ProofError::Responder(ResponderError::MalformedRequest)
                )
            );
        self.bypass_caches =
            matches!(error, FetchError::Older | FetchError::Proof(ProofError::Expired(_)));
    }
}

/// Whether the responder does not know the certificate, or not yet.
pub(crate) fn is_unknown(error: &FetchError) -> bool {
    let unauthorized = ProofError::Responder(ResponderError::Unauthorized);
    *error == FetchError::Unknown || *error == FetchError::Proof(unauthorized)
}
