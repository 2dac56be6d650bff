//! The errors of the store.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// A store cannot be opened, or a message cannot be stored.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// A system call failed.
    #[error("cannot {doing} {path}", path = .path.display())]
    Io {
        /// The operation.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: Arc<io::Error>,
    },
    /// Another gateway uses the directory.
    #[error("{path} is in use by another gateway", path = .path.display())]
    Locked {
        /// The Maildir or the journal.
        path: PathBuf,
    },
    /// The message is longer than the limit.
    #[error("message of {bytes} bytes exceeds the limit of {limit}")]
    TooLong {
        /// The message's length.
        bytes: usize,
        /// [`StoreLimits::message_bytes`](super::settings::StoreLimits::message_bytes).
        limit: usize,
    },
    /// A Maildir, or the store, has not answered in time.
    #[error("{path} does not answer within {}s", time.as_secs(), path = .path.display())]
    Slow {
        /// The Maildir or the journal.
        path: PathBuf,
        /// [`StoreLimits::time`](super::settings::StoreLimits::time).
        time: Duration,
    },
    /// A Maildir has not answered an earlier message yet.
    #[error("{path} does not answer: an earlier message still waits for it", path = .path.display())]
    Stuck {
        /// The Maildir.
        path: PathBuf,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Stopped,
}

impl StoreError {
    /// Returns a function for `map_err` that adds the operation and the path.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), source: Arc::new(error) }
    }

    /// Returns the error in the form that the log writes with its source.
    pub(crate) fn as_dyn(&self) -> &(dyn Error + 'static) {
        self
    }
}
