//! The options that are lists of clients: Exim's host lists, asked when a client is known.

use std::time::Instant;

use event_expand::{ListKind, Membership};

use super::condition::RuleScope;
use super::context::Context;
use super::list::{RuleList, Subject};
use super::rules::Problem;
use super::services::Services;
use super::stage::Stage;
use super::state::PolicyState;
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::Greeting;

/// The lists.
#[derive(Debug)]
pub(crate) struct ClientLists {
    pub(crate) dmarc_verify_hosts: ClientList,
    pub(crate) helo_accept_junk_hosts: ClientList,
    pub(crate) host_lookup: ClientList,
    pub(crate) tls_advertise_hosts: ClientList,
    /// Without it, all clients but those on loopback and trusted proxies.
    pub(crate) smtp_max_refused_hosts: Option<ClientList>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct ClientList {
    option: &'static str,
    list: RuleList,
    /// What holds where the list cannot be expanded, or depends on a name that the client does not
    /// have.
    otherwise: bool,
}

impl ClientList {
    /// Reads a list.
    ///
    /// # Errors
    ///
    /// The option, and why it is wrong.
    pub(crate) fn read(
        option: &'static str,
        text: &str,
        otherwise: bool,
        home: &RuleScope<'_>,
    ) -> Result<Self, (&'static str, Problem)> {
        let stage = if option == "host_lookup" { Stage::Accept } else { Stage::Client };
        let list = RuleList::read(text, stage, home, ListKind::Host);
        Ok(Self { option, list: list.map_err(|problem| (option, problem))?, otherwise })
    }

    /// Tells whether a client is in the list, which may be expanded with the services of rules. `log` gets
    /// the lines for the log.
    pub(crate) async fn contains(
        &self,
        client: &Client,
        host: &str,
        services: &Services,
        log: &mut Vec<String>,
    ) -> bool {
        let subject = Subject::Host(client.address.ip(), client.host_name.clone());
        let membership = match self.list.decide_known(&subject) {
            Some(membership) => membership,
            // Few lists are expanded, and every connection has room for it otherwise.
            None => match Box::pin(self.expanded(&subject, client, host, services, log)).await {
                Some(membership) => membership,
                None => return self.otherwise,
            },
        };
        match membership {
            Membership::Yes => true,
            Membership::No => false,
            Membership::NameNeeded => self.otherwise,
        }
    }

    async fn expanded(
        &self,
        subject: &Subject,
        client: &Client,
        host: &str,
        services: &Services,
        log: &mut Vec<String>,
    ) -> Option<Membership> {
        let (greeting, mut state) = (Greeting::default(), PolicyState::default());
        let mut context = Context {
            stage: Stage::Client,
            now: Instant::now(),
            host,
            client,
            greeting: &greeting,
            transaction: None,
            recipient: None,
            recipient_number: None,
            command: b"",
            message: b"",
            state: &mut state,
            services,
        };
        let found = self.list.decide(&mut context, subject).await;
        let (option, address) = (self.option, client.address.ip());
        log.extend(state.take_log().iter().map(|line| format!("{option}: H=[{address}] {line}")));
        found.ok()
    }
}
