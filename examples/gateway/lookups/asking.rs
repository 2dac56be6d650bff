//! The trait for lookups of texts.

use std::pin::Pin;
use std::time::Duration;

use event_expand::Ask;
use mail_types::exim::LookupResult;

/// An implementation of lookups.
pub trait Answers: Send + Sync {
    /// Returns the result and the reason of a deferral. The time `spent` by earlier lookups of the same
    /// text reduces the time limit.
    fn answer<'a>(&'a self, request: &'a Ask, spent: Duration) -> Answering<'a>;
}

/// A running lookup.
pub type Answering<'a> = Pin<Box<dyn Future<Output = (LookupResult, Option<String>)> + Send + 'a>>;
