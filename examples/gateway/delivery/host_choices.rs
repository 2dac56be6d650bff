//! The options of `[remote_smtp]` for one host.

use std::net::{IpAddr, SocketAddr};

use mail_types::dns::Name;

use super::security::HostChoices;
use super::settings::{RemoteLists, RemoteSettings, requests_ocsp};
use crate::gateway::policy::host_list::HostList;
use crate::gateway::policy::list::{Subject, Undecided};
use crate::gateway::policy::outgoing::Outgoing;
use event_expand::Membership;

impl RemoteSettings {
    /// Decides about a connection, after the TLSA records of the host are known.
    ///
    /// # Errors
    ///
    /// [`Undecided`] if a list cannot be expanded; the log says why.
    pub(super) async fn choices(
        &self,
        outgoing: &mut Outgoing<'_>,
        name: Option<&Name>,
        address: SocketAddr,
    ) -> Result<HostChoices, Undecided> {
        let lists = &*self.lists;
        let tlsa_usage = outgoing.tls().tlsa_usage;
        let mut has = async |list: &HostList| list.contains(outgoing, name, address.ip()).await;
        Ok(HostChoices {
            avoid_tls: has(&lists.hosts_avoid_tls).await?,
            require_tls: has(&lists.hosts_require_tls).await?,
            try_clear: self.tls_tempfail_tryclear,
            verify: has(&lists.tls_verify_hosts).await?,
            try_verify: has(&lists.tls_try_verify_hosts).await?,
            verify_name: has(&lists.tls_verify_cert_hostnames).await?,
            request_ocsp: match &lists.hosts_request_ocsp {
                Some(list) => has(list).await?,
                None => requests_ocsp(tlsa_usage),
            },
            require_ocsp: has(&lists.hosts_require_ocsp).await?,
            send_proxy: has(&lists.hosts_send_proxy).await?,
            // These are not worth a deferral.
            try_prdr: has(&lists.hosts_try_prdr).await.unwrap_or(false),
            try_chunking: has(&lists.hosts_try_chunking).await.unwrap_or(false),
        })
    }
}

/// The variable with the domain of the recipient.
const DOMAIN: &[&str] = &["domain"];

/// The use of DANE for one host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct DaneChoice {
    pub(super) tries: bool,
    pub(super) requires: bool,
    pub(super) reports: bool,
}

impl DaneChoice {
    /// Adds the choice for another address of the host.
    pub(super) fn add(&mut self, other: Self) {
        self.tries |= other.tries;
        self.requires |= other.requires;
        self.reports |= other.reports;
    }
}

impl RemoteLists {
    /// Tells whether any host may be verified by DANE.
    pub(super) fn use_dane(&self) -> bool {
        let tried = !self.hosts_try_dane.is_empty() || !self.hosts_require_dane.is_empty();
        tried && !self.dnssec_request_domains.is_empty()
    }

    /// Decides about DANE for an address of a host.
    pub(super) async fn dane(
        &self,
        outgoing: &mut Outgoing<'_>,
        name: Option<&Name>,
        address: IpAddr,
    ) -> Result<DaneChoice, Undecided> {
        let mut has = async |list: &HostList| list.contains(outgoing, name, address).await;
        Ok(DaneChoice {
            tries: has(&self.hosts_try_dane).await?,
            requires: has(&self.hosts_require_dane).await?,
            reports: has(&self.hosts_report_dane).await?,
        })
    }

    /// Tells whether a list of hosts may depend on the domain of a recipient, so that recipients of two domains have
    /// no connection in common.
    pub(super) fn depend_on_domain(&self) -> bool {
        let Self { dnssec_request_domains, dnssec_require_domains, .. } = self;
        self.of_hosts().any(|list| list.mentions(DOMAIN))
            || dnssec_request_domains.mentions(DOMAIN)
            || dnssec_require_domains.mentions(DOMAIN)
    }

    /// Tells whether the domain is in `dnssec_request_domains` and in `dnssec_require_domains`.
    pub(super) async fn dnssec(
        &self,
        outgoing: &mut Outgoing<'_>,
        domain: &Name,
    ) -> Result<(bool, bool), Undecided> {
        let subject = Subject::Text(domain.to_string());
        let [mut requested, mut required] = [false; 2];
        for (list, found) in [
            (&self.dnssec_request_domains, &mut requested),
            (&self.dnssec_require_domains, &mut required),
        ] {
            *found = list.decide(outgoing, &subject).await? == Membership::Yes;
        }
        Ok((requested, required))
    }
}
