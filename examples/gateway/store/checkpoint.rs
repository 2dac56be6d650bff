//! The thread that makes deliveries durable and segments free again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use tracing::error;

use super::StoreError;
use super::maildir::Maildir;
use super::progress::Progress;
use super::segment::Segment;
use super::trouble::Trouble;

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Segments whose messages are all delivered.
    pub(crate) sealed: Receiver<Segment>,
    /// Segments to be used again.
    pub(crate) free: Sender<Segment>,
    pub(crate) maildir: Arc<Maildir>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) trouble: Trouble,
}

impl Checkpoint {
    /// Frees segments until there come no more, or one sync has failed: the segments that have come
    /// by then, and all later ones, keep their messages for the next start.
    pub(crate) fn run(self) {
        while let Ok(first) = self.sealed.recv() {
            let segments = std::iter::once(first).chain(self.sealed.try_iter()).collect();
            if let Err(error) = self.free(segments) {
                error!(error = error.as_dyn(), "the store takes no messages until it is restarted");
                self.trouble.begin_for_good(error);
                return;
            }
        }
    }

    /// One sync serves all the segments that have come while the last one ran.
    fn free(&self, segments: Vec<Segment>) -> Result<(), StoreError> {
        self.maildir.sync().inspect_err(|_| {
            if let Err(error) = self.progress.distrust() {
                error!(error = error.as_dyn(), "cannot note that deliveries may be lost");
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
