//! Why the store cannot do what it should.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

/// Why a store cannot be opened, or a message not be kept.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// The system refused something.
    #[error("cannot {doing} {path}", path = .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// Another gateway uses the directory.
    #[error("{path} is in use by another gateway", path = .path.display())]
    Locked {
        /// The Maildir or the journal.
        path: PathBuf,
    },
    /// The message is longer than the limit.
    #[error("the message has {bytes} bytes, more than the {limit} that are allowed")]
    TooLong {
        /// The message's length.
        bytes: usize,
        /// [`StoreLimits::message_bytes`](super::settings::StoreLimits::message_bytes).
        limit: usize,
    },
    /// The store was closed.
    #[error("the store takes no more messages")]
    Stopped,
}

impl StoreError {
    /// Says what failed, on what, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), source: Arc::new(error) }
    }

    /// Lends the error to the log, which writes its source as well.
    pub(crate) fn as_dyn(&self) -> &(dyn Error + 'static) {
        self
    }
}
