//! The state of this service for its manager, as in `sd_notify(3)`. Without `NOTIFY_SOCKET` nobody is told.

use std::io;

use sd_notify::NotifyState;
use tracing::warn;

/// The listeners are open, or a reload has ended.
pub(crate) fn ready() {
    told(sd_notify::notify(&[NotifyState::Ready]));
}

/// A reload begins.
pub(crate) fn reloading() {
    let now = NotifyState::monotonic_usec_now();
    told(now.and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])));
}

/// The end begins.
pub(crate) fn stopping() {
    told(sd_notify::notify(&[NotifyState::Stopping]));
}

fn told(result: io::Result<()>) {
    if let Err(error) = result {
        warn!("cannot notify the service manager (NOTIFY_SOCKET): {error}");
    }
}
