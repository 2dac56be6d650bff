//! The surroundings of an expansion.

use std::pin::Pin;
use std::time::Duration;

use event_expand::{Answered, Ask, HostCall, Variables};

use super::context::Context;
use super::state::Snapshot;
use super::text_log::TextLog;
use crate::gateway::lookups::asking::Answers;
#[cfg(feature = "gateway")]
use crate::gateway::lookups::certificate;

/// The environment of an expansion: variables, answers to its requests, and a log.
pub(crate) trait Surroundings: Variables + Send {
    /// Answers a lookup, or another request. The time `spent` by earlier requests of the same text
    /// reduces the time limit.
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answer<'a>;

    /// Returns the log, for the faults of texts.
    fn log(&mut self) -> &mut TextLog;

    /// Returns the variables that an answer can change.
    fn snapshot(&self) -> Snapshot {
        Snapshot::default()
    }
}

/// An answer under way, with the reason for one that is deferred or failed.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = (Answered, Option<String>)> + Send + 'a>>;

impl Surroundings for Context<'_> {
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answer<'a> {
        if let Ask::Call { call: HostCall::Acl, arguments } = request {
            let services = self.services;
            return Box::pin(async move {
                let (verdict, why) = services.named.call(self, arguments).await;
                (verdict.into(), why)
            });
        }
        answer(self, &*self.services.lookups, request, spent)
    }

    fn log(&mut self) -> &mut TextLog {
        self.state.text_log()
    }

    fn snapshot(&self) -> Snapshot {
        self.state.snapshot()
    }
}

/// Answers a request by variables, or by lookups.
#[cfg_attr(
    not(feature = "gateway"),
    expect(unused_variables, reason = "certificates need their reader")
)]
pub(crate) fn answer<'a>(
    variables: &dyn Variables,
    lookups: &'a dyn Answers,
    request: &'a Ask,
    spent: Duration,
) -> Answer<'a> {
    match request {
        #[cfg(feature = "gateway")]
        Ask::Call { call: HostCall::CertExtract, arguments } => {
            let (found, why) = certificate::answer(variables, arguments);
            Box::pin(async { (found.into(), why) })
        }
        _ => Box::pin(async move {
            let (found, why) = lookups.answer(request, spent).await;
            (found.into(), why)
        }),
    }
}
