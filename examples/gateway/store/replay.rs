//! What the journal has and the Maildir has not, delivered at the start.

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

/// What was found in the journal at the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recovery {
    /// How many messages were not in the Maildir and are now.
    pub(crate) delivered: u64,
    /// How many were there damaged, or under suspicion, and were written again.
    pub(crate) restored: u64,
    /// How many are damaged in the journal itself. They are lost if the Maildir has them not.
    pub(crate) missing: u64,
}

/// Delivers what an earlier process did not, and makes the segments empty.
///
/// A message that the Maildir has already is left there. If its file is not what the journal says,
/// as a power loss can leave it, it is written again at the same place.
///
/// # Errors
///
/// [`StoreError::Io`] if a file cannot be read or written; the segments are as they were then.
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

/// What tells the messages that are left to deliver.
struct Left {
    reached: Option<JournalPosition>,
    undelivered: HashSet<MessageId>,
}

impl Left {
    /// Visits the messages that are not known to be delivered, in the order of the journal; returns
    /// how many others the journal once had that are damaged.
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
