//! The surroundings of an expansion.

use std::time::Duration;

#[cfg(feature = "gateway")]
use event_expand::HostCall;
use event_expand::{Ask, Variables};

use super::context::Context;
use crate::gateway::lookups::asking::{Answering, Answers};
#[cfg(feature = "gateway")]
use crate::gateway::lookups::certificate;

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
        answer(self, &*self.services.lookups, request, spent)
    }

    fn log(&mut self, line: String) {
        self.state.log(line);
    }
}

/// Answers a request by variables, or by lookups.
#[cfg_attr(
    not(feature = "gateway"),
    expect(unused_variables, reason = "certificates need their reader")
)]
pub(super) fn answer<'a>(
    variables: &dyn Variables,
    lookups: &'a dyn Answers,
    request: &'a Ask,
    spent: Duration,
) -> Answering<'a> {
    match request {
        #[cfg(feature = "gateway")]
        Ask::Call { call: HostCall::CertExtract, arguments } => {
            let answer = certificate::answer(variables, arguments);
            Box::pin(async { answer })
        }
        _ => lookups.answer(request, spent),
    }
}
