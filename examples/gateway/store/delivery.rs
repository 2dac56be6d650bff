//! The thread that writes synced messages into the Maildir, in the order of the journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tracing::{error, info};

use super::level::Level;
use super::maildir::Maildir;
use super::message::Message;
use super::progress::Progress;
use super::segment::{JournalPosition, Segment};
use super::store_error::StoreError;
use super::trouble::Trouble;

/// The output of the journal.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Synced messages.
    Messages(Vec<Delivery>),
    /// A full segment, after its messages.
    Sealed(Segment),
}

/// A message to be delivered into the Maildir.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    pub(crate) position: JournalPosition,
    /// The message's share of the queue, returned by the drop.
    pub(crate) room: OwnedSemaphorePermit,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Deliverer {
    pub(crate) inbox: Receiver<Parcel>,
    pub(crate) sealed: Sender<Segment>,
    pub(crate) maildir: Arc<Maildir>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) trouble: Trouble,
    pub(crate) level: Level,
}

impl Deliverer {
    /// Delivers until the journal has ended, or until the store stops while the Maildir cannot be
    /// written: then the journal keeps the rest for the next start.
    pub(crate) fn run(self) {
        while let Ok(parcel) = self.inbox.recv() {
            match parcel {
                Parcel::Sealed(segment) => {
                    // Without the checkpoint thread the segment stays for the next start.
                    let _ = self.sealed.send(segment);
                }
                Parcel::Messages(messages) => {
                    for Delivery { message, position, room } in messages {
                        if !self.deliver_at_last(&message, position) {
                            return;
                        }
                        self.level.delivered();
                        drop(room);
                    }
                }
            }
        }
    }

    /// Delivers, with further attempts as long as the store runs.
    fn deliver_at_last(&self, message: &Message, position: JournalPosition) -> bool {
        let attempt = || deliver(&self.maildir, &self.progress, message, position);
        let Err(first) = attempt() else { return true };
        error!(id = %message.id, error = first.as_dyn(), "the store accepts no messages: cannot deliver");
        self.trouble.begin(first);
        while !self.trouble.is_stopping() {
            thread::sleep(RETRY);
            if attempt().is_ok() {
                info!(id = %message.id, "the store accepts messages again");
                self.trouble.end();
                return true;
            }
        }
        false
    }
}

/// Delivers a message. A later process can tell that it was delivered, even if a reader has moved or
/// removed it: see [`Progress`].
///
/// # Errors
///
/// [`StoreError::Io`] if a file cannot be written; then the message is not delivered.
pub(crate) fn deliver(
    maildir: &Maildir,
    progress: &Progress,
    message: &Message,
    position: JournalPosition,
) -> Result<(), StoreError> {
    maildir.write(message)?;
    progress.advance(position)?;
    maildir.publish(message.id)
}

/// The time between attempts to write to the Maildir.
const RETRY: Duration = Duration::from_millis(500);
