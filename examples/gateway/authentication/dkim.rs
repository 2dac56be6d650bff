//! DKIM (RFC 6376): the signatures of a message are read, their keys asked for, and both compared
//! with what came.
//!
//! A message's header and body and the answers of the DNS go in, a result for each signature comes
//! out (RFC 8601 section 2.7.1); there is no I/O and no clock. All but the public-key operation and
//! SHA-256 is here: those are ring's, which hashes while it verifies, so that one library does both.
//!
//! What is decided here:
//! - What is not as the grammar has it is `neutral`, with its reason; a key that cannot be used is
//!   `permerror`; only a question that the DNS did not answer is `temperror`.
//! - `rsa-sha1` and RSA keys below 1024 bits are refused (RFC 8301). A signature that leaves the end
//!   of the body open (`l=`) is not taken, since anything can be added there (RFC 6376 section 8.2).
//! - Words of tags are read without regard to case, names of tags and `DKIM1` with it; `d=` and `s=`
//!   may have underscores.
//! - A time in `t=` may lie up to a day ahead. A failure by keys that are only tried out (`t=y`) is
//!   `neutral` (RFC 6376 section 3.6.1).

mod body_hashes;
pub mod canonical_body;
pub mod canonical_header;
pub mod keys;
mod limits;
mod public_key;
mod signature;
mod signed_fields;
pub mod tag_list;
pub mod terms;

use std::time::SystemTime;

use mail_types::dns::Name;
use mail_types::results::AuthResult;

use body_hashes::BodyHashes;
use keys::KeyAnswer;
pub use keys::Keys;
pub use limits::DkimLimits;
use mail_types::smtp::{Field, Header};
pub use signature::Signature;
use signed_fields::SignedFields;

/// Reads the signatures of a message: as many as the limits allow, those of the authors' domains, of
/// domains above and below them first, else in their order.
#[must_use]
pub fn read(
    header: Header<'_>,
    authors: &[Name],
    limits: &DkimLimits,
    now: SystemTime,
) -> Vec<Signature> {
    let signed = header.fields().enumerate().filter(|(_, field)| field.is("DKIM-Signature"));
    let over = header.text.len() > limits.header || header.fields().nth(limits.fields).is_some();
    let read = |(at, field): (usize, Field<'_>)| {
        if over {
            return Signature::refused(at, AuthResult::Policy, "the header is too large");
        }
        Signature::read(at, field.body, limits, now)
    };
    // Reading costs little, and one beyond the limit may be the author's.
    let mut signatures: Vec<_> = signed.take(limits.signatures.max(MOST_READ)).map(read).collect();
    signatures.sort_by_key(|signature| {
        let domain = signature.domain.as_ref();
        let related = |author: &Name| {
            domain.is_some_and(|domain| domain.is_within(author) || author.is_within(domain))
        };
        !authors.iter().any(related)
    });
    signatures.truncate(limits.signatures);
    signatures
}

/// Verifies the signatures that were read from a message, by what the DNS has of their keys.
pub fn verify(header: Header<'_>, signatures: &mut [Signature], keys: Vec<KeyAnswer>) {
    let fields = SignedFields::of(header);
    let mut hashes = BodyHashes::of(header.body);
    for (signature, found) in signatures.iter_mut().zip(keys) {
        let Some(terms) = signature.take_terms() else { continue };
        let keys = match found.fitting(&terms) {
            Ok(keys) => keys,
            Err(error) => {
                signature.set(error.result(), &error.to_string());
                continue;
            }
        };
        let problem = if hashes.hash(terms.forms.1).as_ref() == terms.body_hash {
            let signed = fields.write(&terms, signature.field);
            if keys.iter().any(|key| key.public.has_signed(&signed, &terms.signature)) {
                signature.set(AuthResult::Pass, "");
                continue;
            }
            "signature did not verify"
        } else {
            "body hash did not verify"
        };
        if keys.iter().all(|key| key.testing) {
            let reason = format!("{problem}, and the key is only tried out (t=y)");
            signature.set(AuthResult::Neutral, &reason);
        } else {
            signature.set(AuthResult::Fail, problem);
        }
    }
}

/// As many signatures are looked at to find the author's.
const MOST_READ: usize = 100;
