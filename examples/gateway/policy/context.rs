//! All that a rule can see.

use std::time::Instant;

use event_expand::{EventVariables, Variables as _};
use mail_types::exim::Variable;
use mail_types::smtp::Mailbox;

use super::delay::Patience;
use super::given::Given;
use super::services::Services;
use super::stage::Stage;
use super::state::PolicyState;
use crate::gateway::authentication::envelope::Envelope;
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::Greeting;
use crate::gateway::smtp::transaction::Transaction;

/// The client, the message and the services at the time a list of rules is asked.
#[derive(Debug)]
pub struct Context<'a> {
    /// Where in the session.
    pub stage: Stage,
    /// When.
    pub now: Instant,
    /// This host's name.
    pub host: &'a str,
    /// The client of a session.
    pub client: Option<&'a Client>,
    /// What the client said of itself.
    pub greeting: Option<&'a Greeting>,
    /// The event whose action calls a list of rules.
    pub event: Option<EventVariables<'a>>,
    /// Variables that stand before those of the session.
    pub given: Option<&'a Given>,
    /// From `MAIL` on.
    pub transaction: Option<&'a Transaction>,
    /// The recipient that is asked about, with its number from 0 among those accepted.
    pub recipient: Option<&'a Mailbox>,
    /// Its number.
    pub recipient_number: Option<usize>,
    /// The command under way, as it came.
    pub command: &'a [u8],
    /// Empty until it has come.
    pub message: &'a [u8],
    /// What rules have noted down.
    pub state: &'a mut PolicyState,
    /// What the whole program has for conditions.
    pub services: &'a Services,
    /// The time for delays; a rule of a context without it does not wait.
    pub patience: Option<Patience<'a>>,
}

impl Context<'_> {
    /// Returns who sends, from `MAIL` on.
    pub(crate) fn envelope(&self) -> Option<Envelope<'_>> {
        Some(Envelope {
            client: self.client?.address.ip(),
            helo: &self.greeting?.name,
            sender: &self.transaction?.sender,
            receiver: self.host,
        })
    }

    /// Returns a variable of the event, if it has a value.
    pub(crate) fn of_event(&self, name: &str) -> Option<String> {
        match self.event.as_ref()?.variable(name) {
            Variable::Value(value) => Some(String::from_utf8_lossy(value.as_bytes()).into_owned()),
            Variable::Unset | Variable::Unknown => None,
        }
    }

    /// Returns the content-filter profile: the recipient's or, without a recipient, the one that all
    /// recipients share.
    pub(crate) fn profile(&self) -> Option<&[u8]> {
        match (self.stage, self.recipient_number) {
            (Stage::Rcpt, _) => Some(self.state.candidate_profile()),
            (_, Some(at)) => self.state.profile(at),
            (Stage::Data, None) => self.state.shared_profile(),
            _ => None,
        }
    }
}
