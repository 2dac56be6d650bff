//! All that a rule can see.

use std::time::Instant;

use mail_types::Mailbox;

use super::super::client::Client;
use super::super::session::Greeting;
use super::super::transaction::Transaction;
use super::facts::Facts;
use super::notes::Notes;
use super::place::Place;

/// What is known when a list of rules is asked.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) place: Place,
    pub(crate) now: Instant,
    /// This host's name.
    pub(crate) host: &'a str,
    pub(crate) client: &'a Client,
    pub(crate) greeting: &'a Greeting,
    /// From `MAIL` on.
    pub(crate) transaction: Option<&'a Transaction>,
    /// The recipient that is asked about, with its number from 0 among those accepted.
    pub(crate) recipient: Option<&'a Mailbox>,
    pub(crate) recipient_number: Option<usize>,
    /// The command under way, as it came.
    pub(crate) command: &'a [u8],
    /// Empty until it has come.
    pub(crate) message: &'a [u8],
    /// What rules have noted down.
    pub(crate) notes: &'a mut Notes,
    /// What the whole program has for conditions.
    pub(crate) services: &'a Facts,
}

impl Scene<'_> {
    /// Returns the content-filter profile: the recipient's or, where there is none, the one that all
    /// recipients share.
    pub(crate) fn profile(&self) -> Option<&[u8]> {
        match (self.place, self.recipient_number) {
            (Place::Rcpt, _) => Some(self.notes.candidate_profile()),
            (_, Some(at)) => self.notes.profile(at),
            (Place::Data, None) => self.notes.shared_profile(),
            _ => None,
        }
    }
}
