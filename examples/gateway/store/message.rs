//! A message to be stored.

use bytes::Bytes;

use crate::gateway::message::id::MessageId;

/// A message to be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its unique identifier.
    pub id: MessageId,
    /// Its bytes, in order: the added header fields, then the received message.
    pub parts: Vec<Bytes>,
}

impl Message {
    /// Returns the length of all parts, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }
}
