//! The hashes of a message's body.

use ring::digest::{Context, Digest, SHA256};

use super::canonical_body::CanonicalBody;
use super::canonical_header::Form;

/// The hashes of a body, each computed once for all signatures.
#[derive(Debug)]
pub(crate) struct BodyHashes<'m> {
    body: &'m [u8],
    made: Vec<(Form, Digest)>,
}

impl<'m> BodyHashes<'m> {
    pub(crate) fn of(body: &'m [u8]) -> Self {
        Self { body, made: Vec::new() }
    }

    /// Returns the hash of the body in a form.
    pub(crate) fn hash(&mut self, form: Form) -> Digest {
        if let Some((_, hash)) = self.made.iter().find(|(made, _)| *made == form) {
            return *hash;
        }
        let (mut body, mut hashing) = (CanonicalBody::new(form), Hashing::new());
        body.push(self.body, &mut |piece| hashing.push(piece));
        body.finish(&mut |piece| hashing.push(piece));
        let hash = hashing.finish();
        self.made.push((form, hash));
        hash
    }
}

/// A running hash. Small pieces are buffered, since a call for each costs more than the hashing.
struct Hashing {
    context: Context,
    small: Vec<u8>,
}

impl Hashing {
    fn new() -> Self {
        Self { context: Context::new(&SHA256), small: Vec::with_capacity(ROOM) }
    }

    fn push(&mut self, piece: &[u8]) {
        if self.small.len() + piece.len() > ROOM {
            self.context.update(&self.small);
            self.small.clear();
        }
        if piece.len() > ROOM / 2 {
            self.context.update(&self.small);
            self.small.clear();
            self.context.update(piece);
        } else {
            self.small.extend_from_slice(piece);
        }
    }

    fn finish(mut self) -> Digest {
        self.context.update(&self.small);
        self.context.finish()
    }
}

/// The size of the buffer, in octets.
const ROOM: usize = 512;
