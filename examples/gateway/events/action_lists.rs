//! The lists of rules that actions call by `${acl{NAME}{ARGUMENT}…}`.

use std::fmt::Debug;
use std::pin::Pin;

use event_expand::{AclVerdict, Variables};
use mail_types::exim::Value;

use super::raised_event::RaisedEvent;

/// The lists of rules of a program.
pub(crate) trait ActionLists: Debug + Send + Sync {
    /// Prepares the calls of one action; what its lists set holds for this action.
    fn begin<'a>(&'a self, raised: &'a RaisedEvent) -> Box<dyn ActionCalls + 'a>;
}

/// The calls of one action.
pub(crate) trait ActionCalls: Send {
    /// Runs a list, with its name as the first argument, and returns the verdict and the reason of a failure. The
    /// verdict is the answer of this number in the expansion.
    fn call<'a>(&'a mut self, number: usize, arguments: &'a [Value<'static>]) -> Calling<'a>;

    /// Returns the variables of the event, with those that lists have set.
    fn variables(&self) -> Box<dyn Variables + '_>;
}

/// A running list.
pub(crate) type Calling<'a> =
    Pin<Box<dyn Future<Output = (AclVerdict, Option<String>)> + Send + 'a>>;
