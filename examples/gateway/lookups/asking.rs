//! Whom texts ask: the lookups of the program.

use std::pin::Pin;
use std::time::Duration;

use event_expand::Ask;
use mail_types::exim::LookupResult;

/// Whoever makes lookups.
pub trait Answers: Send + Sync {
    /// Says what was found and, where it cannot be told, why. What earlier lookups of the same text
    /// have `spent` is taken off the time that there is.
    fn answer<'a>(&'a self, request: &'a Ask, spent: Duration) -> Answering<'a>;
}

/// A lookup under way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = (LookupResult, Option<String>)> + Send + 'a>>;
