//! The options that are lists of clients: Exim's host lists, asked when a client is known.

use std::time::Instant;

use super::condition::RuleScope;
use super::context::Context;
use super::host_list::HostList;
use super::list::Undecided;
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
    /// The proxies that must send a PROXY header.
    pub(crate) proxy_required_hosts: ClientList,
    pub(crate) tls_advertise_hosts: ClientList,
    /// Those that are asked for a certificate.
    pub(crate) tls_try_verify_hosts: ClientList,
    /// Those that need a valid one.
    pub(crate) tls_verify_hosts: ClientList,
    /// Without it, all clients but those on loopback and trusted proxies.
    pub(crate) smtp_max_refused_hosts: Option<ClientList>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct ClientList {
    option: &'static str,
    hosts: HostList,
    /// The result where the list is undecided.
    pub(crate) otherwise: bool,
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
        let stage = match option {
            "host_lookup" | "proxy_required_hosts" => Stage::Accept,
            _ => Stage::Client,
        };
        let hosts = HostList::read(text, stage, home.language, home.host);
        Ok(Self { option, hosts: hosts.map_err(|problem| (option, problem))?, otherwise })
    }

    /// Returns the list.
    pub(crate) fn hosts(&self) -> &HostList {
        &self.hosts
    }

    /// Tells whether a client is in the list, which may be expanded with the services of rules. `log` gets
    /// the lines for the log.
    ///
    /// # Errors
    ///
    /// [`Undecided`].
    pub(crate) async fn decide(
        &self,
        client: &Client,
        host: &str,
        services: &Services,
        log: &mut Vec<String>,
    ) -> Result<bool, Undecided> {
        let (name, address) = (client.host_name.as_ref(), client.address.ip());
        match self.hosts.contains_known(name, address) {
            Some(decided) => decided,
            // Few lists are expanded, and every connection would have room for it.
            None => Box::pin(self.expand_and_decide(client, host, services, log)).await,
        }
    }

    async fn expand_and_decide(
        &self,
        client: &Client,
        host: &str,
        services: &Services,
        log: &mut Vec<String>,
    ) -> Result<bool, Undecided> {
        let (greeting, mut state) = (Greeting::default(), PolicyState::default());
        let mut context = Context {
            stage: Stage::Client,
            now: Instant::now(),
            host,
            client: Some(client),
            greeting: Some(&greeting),
            event: None,
            given: None,
            transaction: None,
            recipient: None,
            recipient_number: None,
            command: b"",
            message: b"",
            state: &mut state,
            services,
            patience: None,
        };
        let address = client.address.ip();
        let found = self.hosts.contains(&mut context, client.host_name.as_ref(), address).await;
        let option = self.option;
        log.extend(state.take_log().iter().map(|line| format!("{option}: H=[{address}] {line}")));
        found
    }
}
