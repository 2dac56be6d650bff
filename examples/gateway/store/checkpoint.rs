//! The thread that makes deliveries durable and frees segments.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use tracing::error;

use super::maildir::Maildir;
use super::progress::Progress;
use super::segment::Segment;
use super::store_error::StoreError;
use super::trouble::Trouble;

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Segments whose messages are all delivered.
    pub(crate) sealed: Receiver<Segment>,
    /// Segments for reuse.
    pub(crate) free: Sender<Segment>,
    pub(crate) maildir: Arc<Maildir>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) trouble: Trouble,
}

impl Checkpoint {
    /// Frees segments until the channel closes or a sync fails. After a failure the segments keep their
    /// messages for the next start.
    pub(crate) fn run(self) {
        while let Ok(first) = self.sealed.recv() {
            let segments = std::iter::once(first).chain(self.sealed.try_iter()).collect();
            if let Err(error) = self.free(segments) {
                error!(error = error.as_dyn(), "the store accepts no messages until a restart");
                self.trouble.begin_for_good(error);
                return;
            }
        }
    }

    /// Frees with one sync all segments that arrived during the last one.
    fn free(&self, segments: Vec<Segment>) -> Result<(), StoreError> {
        self.maildir.sync().inspect_err(|_| {
            if let Err(error) = self.progress.distrust() {
                error!(error = error.as_dyn(), "cannot record that deliveries may be lost");
            }
        })?;
        for mut segment in segments {
            if segment.is_sound() {
                segment.clear()?;
                // The journal may have ended.
                let _ = self.free.send(segment);
            } else {
                segment.remove()?;
            }
        }
        Ok(())
    }
}
