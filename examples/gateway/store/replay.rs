//! Replay at the start: delivers the messages of the journal that the Maildir lacks.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs;

use super::delivery::deliver;
use super::maildir::Maildir;
use super::message::Message;
use super::progress::Progress;
use super::segment::{JournalPosition, Segment};
use super::store_error::StoreError;
use crate::gateway::message::id::MessageId;

/// The result of the replay.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recovery {
    /// Messages that were delivered.
    pub(crate) delivered: u64,
    /// Messages that were damaged in the Maildir, or possibly lost, and were written again.
    pub(crate) restored: u64,
    /// Messages that are damaged in the journal. They are lost unless the Maildir has them.
    pub(crate) missing: u64,
}

/// Delivers the messages that the last process did not, and empties the segments.
///
/// A message that the Maildir already has stays there. If its file differs from the journal, as after a
/// power loss, it is written again under the same name.
///
/// # Errors
///
/// [`StoreError::Io`] if a file cannot be read or written; then the segments are unchanged.
pub(crate) fn replay(
    segments: &mut [Segment],
    maildir: &Maildir,
    progress: &Progress,
) -> Result<Recovery, StoreError> {
    segments.sort_by_key(Segment::sequence);
    let left = Left { reached: progress.reached(), undelivered: maildir.undelivered()? };
    let mut wanted = HashSet::new();
    let missing = left.visit(segments, |_, message| {
        wanted.insert(message.id);
        Ok(())
    })?;
    let mut recovery = Recovery { missing, ..Recovery::default() };
    let found = if wanted.is_empty() { HashMap::new() } else { maildir.find(&wanted)? };
    let distrusted = progress.is_distrusted();
    left.visit(segments, |position, message| {
        let Some(path) = found.get(&message.id) else {
            recovery.delivered += 1;
            return deliver(maildir, progress, &message, position);
        };
        let there = fs::read(path).map_err(StoreError::io("read", path))?;
        if distrusted || !message.parts.iter().flatten().eq(&there) {
            maildir.write(&message)?;
            maildir.replace(message.id, path)?;
            recovery.restored += 1;
        }
        progress.advance(position)
    })?;
    maildir.sweep()?;
    if segments.iter().any(|segment| segment.sequence() > 0) {
        maildir.sync()?;
    }
    progress.trust()?;
    let used = segments.iter_mut().filter(|segment| segment.sequence() > 0);
    for segment in used {
        segment.clear()?;
    }
    Ok(recovery)
}

/// Decides which messages are still to be delivered.
struct Left {
    reached: Option<JournalPosition>,
    undelivered: HashSet<MessageId>,
}

impl Left {
    /// Visits the messages that may not be delivered, in the order of the journal; returns the number of
    /// damaged ones.
    fn visit(
        &self,
        segments: &[Segment],
        mut message: impl FnMut(JournalPosition, Message) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut missing = 0;
        for segment in segments {
            let sequence = segment.sequence();
            let mut expected = 0;
            for batch in segment.batches()? {
                let batch = batch?;
                missing += u64::from(batch.first().saturating_sub(expected));
                expected = batch.behind();
                for (record, found) in batch.messages() {
                    let position = JournalPosition { sequence, record };
                    if self.is_left(position, found.id) {
                        message(position, found)?;
                    }
                }
            }
        }
        Ok(missing)
    }

    fn is_left(&self, position: JournalPosition, id: MessageId) -> bool {
        self.reached.is_none_or(|reached| match position.cmp(&reached) {
            Ordering::Less => false,
            Ordering::Equal => self.undelivered.contains(&id),
            Ordering::Greater => true,
        })
    }
}
