//! DKIM (RFC 6376): the signatures of a message, verified by `mail-auth`.
//!
//! The keys are asked for here, all at once and within the caller's time; `mail-auth` has the
//! cryptography and asks nobody. What RFC 8301 no longer allows, `rsa-sha1`, is a permanent error;
//! a signature that leaves the end of the body open (`l=`) is not taken, since anything can be added
//! there (RFC 6376 section 8.2).

#[path = "dkim/keys.rs"]
mod keys;
#[path = "dkim/signature.rs"]
mod signature;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mail_auth::common::crypto::HashAlgorithm;
use mail_auth::common::headers::Header as Signed;
use mail_auth::dkim::Canonicalization;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters};
use mail_types::{AuthResult, Domain};

use super::header::{Field, Header};
use super::rules::dmarc::DkimLimits;
pub(crate) use keys::Keys;
use keys::{Found, KeyCache};
pub(crate) use signature::Signature;

/// Verifies signatures.
pub(crate) struct Dkim {
    authenticator: MessageAuthenticator,
}

impl Dkim {
    /// Makes it ready; `None` if that cannot be, for want of a random number or the like.
    pub(crate) fn new() -> Option<Self> {
        // It has no server to ask: the keys are put before it.
        let made = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default());
        Some(Self { authenticator: made.ok()? })
    }

    /// Verifies the signatures that were read from a message, by what the DNS has of their keys.
    pub(crate) fn verify(
        &self,
        header: Header<'_>,
        signatures: &mut [Signature],
        keys: Vec<Found>,
    ) {
        let headers: Vec<_> = header.fields().map(|field| (field.name, field.body)).collect();
        let mut hashes: Vec<(Canonicalization, HashAlgorithm, u64, Vec<u8>)> = Vec::new();
        for (signature, found) in signatures.iter_mut().zip(keys) {
            let Some(parsed) = signature.take_parsed() else { continue };
            let Some(&(name, value)) = headers.get(signature.field) else { continue };
            let key = match found.key() {
                Ok(key) => key,
                Err((result, reason)) => {
                    signature.set(result, reason);
                    continue;
                }
            };
            let (form, hash) = (parsed.cb, HashAlgorithm::from(parsed.a));
            // The body is the same for all, and there are few ways to hash it.
            if !hashes.iter().any(|(known, with, ..)| (*known, *with) == (form, hash)) {
                let digest = hash.hash(form.canonical_body(header.body, 0));
                hashes.push((form, hash, 0, digest.as_ref().to_vec()));
            }
            let message = AuthenticatedMessage {
                headers: headers.clone(),
                body_hashes: hashes.clone(),
                dkim_headers: vec![Signed::new(name, value, parsed)],
                ..AuthenticatedMessage::default()
            };
            signature.conclude(self.verify_one(&message, &KeyCache::new(key)));
        }
    }

    fn verify_one(&self, message: &AuthenticatedMessage<'_>, key: &KeyCache) -> DkimResult {
        let parameters = Parameters::new(message).with_txt_cache(key);
        let verified = pin!(self.authenticator.verify_dkim(parameters));
        match verified.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outputs) => {
                outputs.first().map_or(DkimResult::None, |output| output.result().clone())
            }
            // All that it asks for is in the cache.
            Poll::Pending => DkimResult::None,
        }
    }
}

impl std::fmt::Debug for Dkim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dkim").finish_non_exhaustive()
    }
}

/// Reads the signatures of a message: as many as the limits allow, those of the authors' domains, of
/// domains above and below them first, else in their order.
pub(crate) fn read(header: Header<'_>, authors: &[Domain], limits: &DkimLimits) -> Vec<Signature> {
    let signed = header.fields().enumerate().filter(|(_, field)| field.is("DKIM-Signature"));
    let over = header.text.len() > limits.header || header.fields().nth(limits.fields).is_some();
    let read = |(at, field): (usize, Field<'_>)| {
        if over {
            return Signature::refused(at, AuthResult::Policy, "the header is too large");
        }
        Signature::read(at, field.body, limits.fields)
    };
    // Reading costs little, and one beyond the limit may be the author's.
    let mut signatures: Vec<_> = signed.take(limits.signatures.max(MOST_READ)).map(read).collect();
    signatures.sort_by_key(|signature| {
        let domain = signature.domain.as_ref();
        let related = |author: &Domain| {
            domain.is_some_and(|domain| domain.is_within(author) || author.is_within(domain))
        };
        !authors.iter().any(related)
    });
    signatures.truncate(limits.signatures);
    signatures
}

/// As many signatures are looked at to find the author's.
const MOST_READ: usize = 100;
