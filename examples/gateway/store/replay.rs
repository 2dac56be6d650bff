//! What the journal has and the Maildir has not, delivered at the start.

use std::collections::HashSet;
use std::fs;

use super::super::maildir::Maildir;
use super::progress::Progress;
use super::segment::{Place, Segment};
use super::{Message, Recovery, StoreError};

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
    let mut wanted = HashSet::new();
    let missing = visit(segments, progress, |_, message| {
        wanted.insert(message.id);
        Ok(())
    })?;
    let mut recovery = Recovery { missing, ..Recovery::default() };
    let found = if wanted.is_empty() { None } else { Some(maildir.find(&wanted)?) };
    visit(segments, progress, |place, message| {
        match found.as_ref().and_then(|found| found.get(&message.id)) {
            None => {
                maildir.deliver(&message)?;
                recovery.delivered += 1;
            }
            Some(path) => {
                let there = fs::read(path).map_err(StoreError::io("read", path))?;
                let differs = !message.parts.iter().flatten().eq(&there);
                if differs || progress.is_distrusted() {
                    maildir.restore(&message, path)?;
                    recovery.restored += 1;
                }
            }
        }
        progress.advance(place)
    })?;
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

/// Visits the messages that are not known to be delivered, in the order of the journal; returns how
/// many others the journal once had that are damaged.
fn visit(
    segments: &[Segment],
    progress: &Progress,
    mut message: impl FnMut(Place, Message) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut missing = 0;
    let delivered = progress.delivered();
    for segment in segments {
        let sequence = segment.sequence();
        let mut expected = 0;
        for batch in segment.batches()? {
            let batch = batch?;
            missing += u64::from(batch.first().saturating_sub(expected));
            expected = batch.behind();
            for (record, found) in batch.messages() {
                let place = Place { sequence, record };
                if delivered.is_none_or(|delivered| delivered < place) {
                    message(place, found)?;
                }
            }
        }
    }
    Ok(missing)
}
