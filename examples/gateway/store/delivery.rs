//! The thread that writes synced messages into the Maildir, in the order of the journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tracing::{error, info};

use super::maildir::Maildir;
use super::message::Message;
use super::progress::Progress;
use super::segment::{JournalPosition, Segment};
use super::store_error::StoreError;
use super::trouble::Trouble;

/// What the journal hands on.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Messages that are synced.
    Messages(Vec<Delivery>),
    /// A segment that takes no more messages, all of which were handed on before it.
    Sealed(Segment),
}

/// One message on its way into the Maildir.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    pub(crate) position: JournalPosition,
    /// The message's share of the queue's room, given back when this is dropped.
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
}

impl Deliverer {
    /// Delivers until the journal has ended, or until the store stops while the Maildir takes
    /// nothing: the journal keeps the rest for the next start then.
    pub(crate) fn run(self) {
        while let Ok(parcel) = self.inbox.recv() {
            match parcel {
                Parcel::Sealed(segment) => {
                    // Without a checkpoint the segment stays as it is, for the next start.
                    let _ = self.sealed.send(segment);
                }
                Parcel::Messages(messages) => {
                    for Delivery { message, position, room } in messages {
                        if !self.deliver_at_last(&message, position) {
                            return;
                        }
                        drop(room);
                    }
                }
            }
        }
    }

    /// Delivers, trying again for as long as the store runs.
    fn deliver_at_last(&self, message: &Message, position: JournalPosition) -> bool {
        let attempt = || deliver(&self.maildir, &self.progress, message, position);
        let Err(first) = attempt() else { return true };
        error!(id = %message.id, error = first.as_dyn(), "the store takes no messages: cannot deliver");
        self.trouble.begin(first);
        while !self.trouble.is_stopping() {
            thread::sleep(RETRY);
            if attempt().is_ok() {
                info!(id = %message.id, "the store takes messages again");
                self.trouble.end();
                return true;
            }
        }
        false
    }
}

/// Delivers a message so that a later process can tell whether it came so far, whatever a reader
/// has done with it by then: see [`Progress`].
///
/// # Errors
///
/// [`StoreError::Io`] if a file cannot be written; the message is not delivered then.
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

/// How long to wait before another attempt at a Maildir that takes nothing.
const RETRY: Duration = Duration::from_millis(500);
