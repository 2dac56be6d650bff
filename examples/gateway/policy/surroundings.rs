//! The surroundings of an expansion.

use std::time::Duration;

use event_expand::{Ask, Variables};

use super::context::Context;
use crate::gateway::lookups::asking::Answering;

/// What a text is expanded with: variables, answers to its requests, and a log.
pub(crate) trait Surroundings: Variables + Send {
    /// Answers a lookup, or another request. The time `spent` by earlier requests of the same text
    /// reduces the time limit.
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answering<'a>;

    /// Adds a line for the log.
    fn log(&mut self, line: String);
}

impl Surroundings for Context<'_> {
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answering<'a> {
        self.services.lookups.answer(request, spent)
    }

    fn log(&mut self, line: String) {
        self.state.log(line);
    }
}
