//! A message on its way into the store.

use bytes::Bytes;

use crate::gateway::message::id::MessageId;

/// A message to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its name, which no other message has.
    pub id: MessageId,
    /// Its bytes, written in order: the header fields that we add, then what was received.
    pub parts: Vec<Bytes>,
}

impl Message {
    /// Returns the length of all parts, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }
}
