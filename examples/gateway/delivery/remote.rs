//! Deliveries to other hosts: the search for hosts, and the security of each connection.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dane_tlsa::{Host, HostPolicy, InsecureMx, PolicyOptions};
use mail_types::dns::{Name, Resolve};
use mail_types::exim::HostSet;
use mail_types::smtp::{MailHost, ReversePath};
use thiserror::Error;
use tracing::warn;

use super::attempts::MAX_ADDRESSES;
use super::authorities::{Authorities, AuthoritiesError};
use super::host_choices::DaneChoice;
use super::hosts::{self, Dnssec, HostSearch, Hosts, NoHosts};
use super::mta_sts::{MtaStsDirectory, StsPolicy};
use super::next_hop::{RouteData, RouteTo};
use super::proxied_client::ProxiedClient;
use super::security::TlsBase;
use super::settings::RemoteSettings;
use crate::gateway::events::outgoing_tls::OutgoingTls;
use crate::gateway::lookups::asking::Answers;
use crate::gateway::policy::list::Undecided;
use crate::gateway::policy::outgoing::{Outgoing, OutgoingHost};
use crate::gateway::smtp::client::Needs;
use crate::gateway::telemetry::log::Limiter;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::repeats::LineKind;

/// The deliveries of a program, by one configuration.
pub(crate) struct Remote {
    pub(super) settings: RemoteSettings,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) lookups: Arc<dyn Answers>,
    pub(super) authorities: Authorities,
    pub(super) tls: TlsBase,
    pub(super) metrics: Arc<Metrics>,
    /// The limit of log lines that clients can cause.
    pub(super) limiter: Arc<Limiter>,
    sts: Option<MtaStsDirectory>,
    own: Name,
}

/// The requirement of a message for TLS (RFC 8689).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum TlsDemand {
    /// Nothing: the configuration decides.
    #[default]
    None,
    /// `REQUIRETLS`.
    Required,
    /// `TLS-Required: No`, without `REQUIRETLS`: as if there were neither DANE nor MTA-STS (section
    /// 4.2.2).
    Waived,
}

impl TlsDemand {
    /// The demand of `REQUIRETLS`. A bounce goes on where it cannot be met (RFC 8689 section 5).
    pub(crate) fn of(require_tls: bool, sender: &ReversePath) -> Self {
        if require_tls && sender.mailbox().is_some() { Self::Required } else { Self::None }
    }
}

/// The demands of a message on the connections that carry it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demands {
    pub(crate) tls: TlsDemand,
    pub(crate) needs: Needs,
    /// The client whose address goes on to hosts of `hosts_send_proxy`, and that the lines of the log are counted for.
    pub(crate) client: Option<ProxiedClient>,
}

/// A message for one next hop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outbound<'a> {
    pub(crate) route: &'a RouteData,
    /// The domain of the recipients.
    pub(crate) domain: &'a str,
    pub(crate) demands: Demands,
}

/// The hosts for a message, and the policy of MTA-STS by which they were chosen.
pub(crate) struct Found {
    pub(crate) hosts: Hosts,
    pub(crate) sts: Option<StsPolicy>,
}

impl Remote {
    /// Reads the authorities and revocation lists.
    pub(crate) fn new(
        settings: RemoteSettings,
        resolver: Arc<dyn Resolve>,
        lookups: Arc<dyn Answers>,
    ) -> Result<Self, RemoteError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (certificates, crl) = (settings.verify_certificates.clone(), settings.crl.clone());
        let authorities = Authorities::open(certificates, crl, &provider)?;
        Ok(Self {
            authorities,
            tls: TlsBase::new(&provider)?,
            metrics: Arc::default(),
            limiter: Arc::default(),
            sts: sts_directory(&settings)?,
            own: Name::from(&settings.helo),
            settings,
            resolver,
            lookups,
        })
    }

    /// Counts deliveries in these metrics.
    pub(crate) fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    /// Limits the lines of the log with this limiter.
    pub(crate) fn limiting(self, limiter: &Arc<Limiter>) -> Self {
        Self { limiter: Arc::clone(limiter), ..self }
    }

    /// Finds the hosts of a next hop.
    pub(crate) async fn find(
        &self,
        outbound: Outbound<'_>,
        time: Duration,
    ) -> Result<Found, NoHosts> {
        let Outbound { route, demands, .. } = outbound;
        let demand = demands.tls;
        let sts = self.sts(route, demands)?;
        let dnssec = self.dnssec(outbound).await.map_err(undecided)?;
        let options = PolicyOptions::default()
            .with_insecure_mx(if self.settings.insecure_mx {
                InsecureMx::Dane
            } else {
                InsecureMx::Off
            })
            .with_mta_sts(hosts::mode(sts.as_ref()));
        let search = |tried: HostSet, required: HostSet, known| HostSearch {
            route,
            own: &self.own,
            dnssec,
            options: options.clone().with_hosts_try_dane(tried).with_hosts_require_dane(required),
            sts: sts.as_ref(),
            known,
            resolver: &*self.resolver,
            time,
        };
        // The lists are expanded for each host, so that its name comes first.
        let plain = search(HostSet::default(), HostSet::default(), &[]).run().await?;
        if demand == TlsDemand::Waived {
            return Ok(Found { hosts: plain, sts: None });
        }
        let (mut tried, mut required, mut reported) = (Vec::new(), Vec::new(), Vec::new());
        for host in plain.list.iter().map(|host| &host.policy) {
            let choice = self.dane(outbound, host).await.map_err(undecided)?;
            if choice.requires {
                required.push(host);
            } else if choice.reports {
                reported.push(host);
            } else if choice.tries {
                tried.push(host);
            }
        }
        if tried.is_empty() && required.is_empty() && reported.is_empty() {
            return Ok(Found { hosts: plain, sts });
        }
        let set = |hosts: &[&HostPolicy]| hosts::set_of(hosts.iter().copied());
        let mut found = search(set(&tried)?, set(&required)?, &plain.answers).run().await?;
        if !reported.is_empty() {
            tried.extend(&reported);
            let with_dane = search(set(&tried)?, set(&required)?, &found.answers).run().await?;
            found.report(&with_dane, &set(&reported)?);
        }
        Ok(Found { hosts: found, sts })
    }

    /// Tells whether recipients of different domains may share a connection to their next hop.
    pub(super) fn shares_domains(&self) -> bool {
        !self.settings.lists.depend_on_domain()
    }

    /// Tells whether recipients of these two domains may share a connection to their next hop.
    pub(super) fn may_share(&self, one: &MailHost, other: &MailHost) -> bool {
        one == other || self.shares_domains()
    }

    /// Returns the MTA-STS policy of the domain. One that cannot be read may forbid clear text: mail waits for it.
    fn sts(&self, route: &RouteData, demands: Demands) -> Result<Option<StsPolicy>, NoHosts> {
        let RouteTo::Domain(domain) = &route.to else { return Ok(None) };
        let directory = self.sts.as_ref().filter(|_| demands.tls != TlsDemand::Waived);
        let Some(directory) = directory else { return Ok(None) };
        directory.policy(&Name::from(domain), SystemTime::now()).map_err(|error| {
            if self.writes(demands.client) {
                warn!("{error}; mail for the domain is deferred");
            }
            NoHosts::Deferred { reason: error.to_string(), failure: None }
        })
    }

    async fn dnssec(&self, outbound: Outbound<'_>) -> Result<Dnssec, Undecided> {
        // An address asks for nothing.
        let Some(name) = outbound.route.name() else { return Ok(Dnssec::Off) };
        let (text, tls) = (name.to_string(), OutgoingTls::default());
        let mut outgoing = self.outgoing((outbound.domain, &text), None, &tls);
        let decided = self.settings.lists.dnssec(&mut outgoing, &name).await;
        self.log(&mut outgoing, outbound.demands);
        Ok(match decided? {
            (_, true) => Dnssec::Required,
            (true, false) => Dnssec::Requested,
            (false, false) => Dnssec::Off,
        })
    }

    /// Decides about DANE for a host: one of the addresses that are tried in a list is enough.
    async fn dane(
        &self,
        Outbound { route, domain, demands }: Outbound<'_>,
        host: &HostPolicy,
    ) -> Result<DaneChoice, Undecided> {
        let text = host.host.to_string();
        let name = match &host.host {
            Host::Name(name) => Some(name),
            Host::Address(_) => None,
        };
        let (tls, mut choice) = (OutgoingTls::default(), DaneChoice::default());
        for &address in host.addresses.iter().take(MAX_ADDRESSES) {
            let socket = SocketAddr::new(address, route.port);
            let mut outgoing = self.outgoing((domain, &text), Some(socket), &tls);
            let of_address = self.settings.lists.dane(&mut outgoing, name, address).await;
            self.log(&mut outgoing, demands);
            choice.add(of_address?);
        }
        Ok(choice)
    }

    /// Logs the faults of a list, as far as the client may cause lines.
    pub(super) fn log(&self, outgoing: &mut Outgoing<'_>, demands: Demands) {
        for line in outgoing.take_log() {
            if self.writes(demands.client) {
                warn!("remote_smtp: {line}");
            }
        }
    }

    /// Counts a line about a failed delivery; tells whether to write it.
    pub(super) fn writes(&self, client: Option<ProxiedClient>) -> bool {
        self.limiter.writes_for(client.map(ProxiedClient::address), LineKind::Delivery)
    }

    /// The surroundings of a list.
    pub(super) fn outgoing<'a>(
        &'a self,
        (domain, host): (&'a str, &'a str),
        address: Option<SocketAddr>,
        tls: &'a OutgoingTls,
    ) -> Outgoing<'a> {
        let primary_hostname = self.settings.helo.as_str();
        let host = OutgoingHost { primary_hostname, domain, host, address, tls };
        Outgoing::new(host, &*self.lookups)
    }
}

/// Returns the folder of MTA-STS policies. One that is not there would be one without policies.
fn sts_directory(settings: &RemoteSettings) -> Result<Option<MtaStsDirectory>, RemoteError> {
    let Some(path) = settings.mta_sts_directory.clone() else { return Ok(None) };
    if !path.is_dir() {
        return Err(RemoteError::NoFolder { path });
    }
    Ok(Some(MtaStsDirectory::new(path)))
}

fn undecided(_: Undecided) -> NoHosts {
    NoHosts::Undecided
}

/// Why there are no deliveries.
#[derive(Debug, Error)]
pub(crate) enum RemoteError {
    #[error("{}: {source}", source.remote_option())]
    Authorities {
        #[from]
        source: AuthoritiesError,
    },
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("remote_smtp.mta_sts_directory: {} is not a directory", path.display())]
    NoFolder { path: PathBuf },
}
