//! Whom texts ask: the lookups of the program.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use event_expand::Ask;
use mail_types::Found;

/// Whoever makes lookups; among the services of a scene as [`Asked`]. Where there is nobody, every
/// lookup is deferred.
pub trait Answers: Send + Sync {
    /// Says what was found and, where it cannot be told, why. What earlier lookups of the same text
    /// have `spent` is taken off the time that there is.
    fn answer<'a>(&'a self, request: &'a Ask, spent: Duration) -> Answering<'a>;
}

/// A lookup under way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = (Found, Option<String>)> + Send + 'a>>;

/// The lookups of a program.
pub(crate) struct Asked(pub(crate) Arc<dyn Answers>);
