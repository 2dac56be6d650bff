//! The error that keeps the store from accepting messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::store_error::StoreError;

/// The current error of the store, if any, shared by its handles and its threads.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    state: watch::Sender<TroubleState>,
    stopping: Arc<AtomicBool>,
}

impl Trouble {
    /// Starts without an error.
    pub(crate) fn none() -> Self {
        Self { state: watch::Sender::new(TroubleState::None), stopping: Arc::default() }
    }

    /// Sets an error that can [end](Self::end).
    pub(crate) fn begin(&self, error: StoreError) {
        self.change(TroubleState::Passing(error));
    }

    /// Sets an error that lasts until the store is opened anew.
    pub(crate) fn begin_for_good(&self, error: StoreError) {
        self.change(TroubleState::Lasting(error));
    }

    /// Clears an error that can end.
    pub(crate) fn end(&self) {
        self.change(TroubleState::None);
    }

    /// Checks that the store accepts messages.
    ///
    /// # Errors
    ///
    /// The current error.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.state.borrow().check()
    }

    /// Waits for an error.
    pub(crate) async fn begun(&self) -> StoreError {
        let mut watch = self.state.subscribe();
        let state = watch.wait_for(|state| state.check().is_err()).await;
        // The sender cannot be dropped: `self` holds it.
        state.ok().and_then(|state| state.check().err()).unwrap_or(StoreError::Stopped)
    }

    /// Tells the threads to stop their further attempts.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Tells whether the store is being closed.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn change(&self, to: TroubleState) {
        self.state.send_if_modified(|state| {
            let changes = !matches!(state, TroubleState::Lasting(_));
            if changes {
                *state = to;
            }
            changes
        });
    }
}

#[derive(Debug)]
enum TroubleState {
    None,
    Passing(StoreError),
    Lasting(StoreError),
}

impl TroubleState {
    fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::None => Ok(()),
            Self::Passing(error) | Self::Lasting(error) => Err(error.clone()),
        }
    }
}
