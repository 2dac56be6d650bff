//! The session that given variables tell of, for the conditions of lists of rules.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use event_expand::{Ask, Variables};
use mail_types::exim::{Value, Variable};
use mail_types::smtp::{Mailbox, ReversePath};
use proxy_protocol::ProxyInfo;

use crate::gateway::lookups::asking::Answers;
use crate::gateway::policy::given::Given;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;
use crate::gateway::policy::surroundings::{Answer, Surroundings, answer};
use crate::gateway::policy::text_log::TextLog;
use crate::gateway::policy::variable::{is_acl, published};
use crate::gateway::smtp::peer::{Client, TlsClient};
use crate::gateway::smtp::session::Greeting;
use crate::gateway::smtp::transaction::Transaction;

/// A session as far as its variables are given.
#[derive(Debug)]
pub(super) struct GivenSession {
    pub(super) client: Option<Client>,
    pub(super) greeting: Option<Greeting>,
    pub(super) transaction: Option<Transaction>,
    pub(super) recipient: Option<Mailbox>,
}

impl GivenSession {
    /// Reads it, as far as there is one at this stage.
    ///
    /// # Errors
    ///
    /// The variable whose value is not possible, and the reason.
    pub(super) fn read(given: &Given, stage: Stage) -> Result<Self, String> {
        let text = |name| given.text(name);
        let client = client(given)?;
        let greeting = text("sender_helo_name").filter(|_| Stage::GREETED.contains(&stage));
        let tls = client.as_ref().is_some_and(|client| client.tls.is_some());
        let greeting = greeting.map(|name| Greeting { name, extended: true, tls });
        let sender = text("sender_address").map(|address| match &*address {
            "" => Ok(ReversePath::Null),
            address => parsed("sender_address", address).map(ReversePath::Mailbox),
        });
        let sender = sender.transpose()?.filter(|_| Stage::MESSAGE.contains(&stage));
        let recipient = match (text("local_part"), text("domain")) {
            (Some(local_part), Some(domain)) if Stage::RECIPIENT.contains(&stage) => {
                let host = parsed("domain", &domain)?;
                Some(
                    Mailbox::new(&local_part, host)
                        .map_err(|error| format!("local_part: {error}"))?,
                )
            }
            _ => None,
        };
        Ok(Self { client, greeting, transaction: sender.map(Transaction::new), recipient })
    }
}

/// The client, if its address is given.
fn client(given: &Given) -> Result<Option<Client>, String> {
    let Some(address) = given.text("sender_host_address") else { return Ok(None) };
    let address: IpAddr = parsed("sender_host_address", &address)?;
    let port = given.text("sender_host_port").map(|port| parsed("sender_host_port", &port));
    let session = ProxyInfo::direct((address, port.transpose()?.unwrap_or_default()).into());
    let mut client = Client::new(session, (Ipv4Addr::UNSPECIFIED, 0).into());
    let name = given.text("sender_host_name").map(|name| parsed("sender_host_name", &name));
    client.host_name = name.transpose()?;
    let cipher = given.text("tls_in_cipher").filter(|cipher| !cipher.is_empty());
    client.tls = cipher.map(|cipher| TlsClient { cipher: Some(cipher), ..TlsClient::default() });
    Ok(Some(client))
}

/// Notes down what rules would have noted: the variables that they set, and the profile of the recipient.
pub(super) fn noted(given: &Given, stage: Stage) -> PolicyState {
    let mut noted = PolicyState::default();
    for (name, value) in given.values() {
        match published(name) {
            Some(name) => noted.publish(name, value.clone()),
            None if is_acl(name) => noted.set(name, value.clone()),
            None if name == "profile" => {
                noted.set_candidate_profile(value.as_bytes().to_vec());
                if stage != Stage::Rcpt {
                    noted.accept_recipient();
                    noted.take_message(0);
                }
            }
            None => {}
        }
    }
    noted
}

fn parsed<T>(name: &str, text: &str) -> Result<T, String>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error| format!("{name}: {error}"))
}

/// A host to which mail goes, as far as its variables are given.
pub(super) struct GivenHost<'a> {
    given: &'a Given,
    /// This host's name.
    primary_hostname: &'a str,
    lookups: &'a dyn Answers,
    log: TextLog,
}

impl<'a> GivenHost<'a> {
    pub(super) fn new(
        given: &'a Given,
        primary_hostname: &'a str,
        lookups: &'a dyn Answers,
    ) -> Self {
        Self { given, primary_hostname, lookups, log: TextLog::default() }
    }

    /// Takes the lines for the log.
    pub(super) fn take_log(&mut self) -> Vec<String> {
        self.log.take()
    }
}

impl Variables for GivenHost<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match self.given.variable(name) {
            Variable::Unknown if name == "primary_hostname" => {
                Value::trusted(self.primary_hostname).into()
            }
            Variable::Unknown => Variable::Unset,
            value => value,
        }
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.given.certificate(name)
    }
}

impl Surroundings for GivenHost<'_> {
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answer<'a> {
        answer(self, self.lookups, request, spent)
    }

    fn log(&mut self) -> &mut TextLog {
        &mut self.log
    }
}
