//! DKIM (RFC 6376): reads the signatures of a message, asks for their keys, and verifies them.
//!
//! The input is the header and body of a message and the answers of the DNS; the output is a result for
//! each signature (RFC 8601 section 2.7.1). It has no I/O and no clock. ring does the public-key
//! operation and SHA-256.
//!
//! Choices:
//! - A syntax error is `neutral`, with the reason; an unusable key is `permerror`; only a missing answer
//!   of the DNS is `temperror`.
//! - A valid signature passes whatever else the message has (RFC 6376 section 8.15): a signer who names a
//!   field in `h=` once more than it occurs repudiates further ones.
//! - `rsa-sha1` and RSA keys below 1024 bits are refused (RFC 8301). A signature with `l=` is
//!   refused: anybody can append text to the body (RFC 6376 section 8.2).
//! - The words of tags are case-insensitive, the names of tags and `DKIM1` case-sensitive; `d=` and `s=`
//!   may have underscores.
//! - A time in `t=` may be up to a day in the future. A failure with a key in test mode (`t=y`) is
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

/// Reads the signatures of a message, as many as the limits allow. Those of the authors' domains, and of
/// domains above and below them, come first; else their order counts.
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
            return Signature::refused(at, AuthResult::Policy, "the header section is too large");
        }
        Signature::read(at, field.body, limits, now)
    };
    // Reading costs little, and a signature beyond the limit may be the author's.
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

/// Verifies the signatures of a message with the answers for their keys.
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
            let reason = format!("{problem}, key in test mode (t=y)");
            signature.set(AuthResult::Neutral, &reason);
        } else {
            signature.set(AuthResult::Fail, problem);
        }
    }
}

/// The number of signatures that are searched for the author's.
const MOST_READ: usize = 100;
