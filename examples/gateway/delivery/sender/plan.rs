//! The plan of a delivery: the hosts, and the security of each connection.

use std::fmt;
use std::net::SocketAddr;

use dane_tlsa::HostPolicy;
use mail_types::dns::Note;
use serde::Serialize;

use super::{Envelope, Group, Shared};
use crate::gateway::delivery::address_plan::AddressPlan;
use crate::gateway::delivery::attempts::MAX_ADDRESSES;
use crate::gateway::delivery::connection::TlsPlan;
use crate::gateway::delivery::hosts::{NoHosts, RemoteHost};
use crate::gateway::delivery::outcome::DeliveryResult;
use crate::gateway::delivery::remote::{Found, Outbound, TlsDemand};
use crate::gateway::delivery::security::HostChoices;
use crate::gateway::delivery::server_check::Method;

/// The hosts of one next hop, and how mail to them would be secured.
#[derive(Debug)]
pub struct Plan {
    /// The next hop.
    pub next_hop: String,
    /// The hosts, in the order of attempts.
    pub hosts: Vec<PlannedHost>,
    /// Why there are no hosts.
    pub reason: Option<String>,
    /// The result for each recipient, if no host can be tried.
    pub failed: Option<DeliveryResult>,
    /// Whether the message waives TLS by `TLS-Required: No`: no host is in `hosts_try_dane` then.
    pub waives_tls: bool,
    /// The questions and answers.
    pub trace: Vec<Note>,
}

/// A host of a [`Plan`].
#[derive(Debug)]
pub struct PlannedHost {
    /// The policy of the host.
    pub policy: HostPolicy,
    /// The policy with DANE, where it is for a report only (`hosts_report_dane`).
    pub reported: Option<HostPolicy>,
    /// The connections to its addresses.
    pub addresses: Vec<PlannedAddress>,
    /// Why it is not used, if so.
    pub unused: Option<String>,
}

/// An address of a [`PlannedHost`].
#[derive(Debug)]
pub struct PlannedAddress {
    /// The address.
    pub address: SocketAddr,
    /// The security of the connection, or why there can be none.
    pub security: Result<PlannedSecurity, String>,
}

/// The security of a connection. Its `Display` is a line for people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlannedSecurity {
    /// `required`, `if-offered`, or `no`.
    pub tls: &'static str,
    /// `dane`; `pkix` or `pkix-any-name`, by the authorities, with or without the name of the host;
    /// `pkix-if-possible`, without effect on the delivery; or `no`.
    pub verification: &'static str,
    /// `required`, `requested`, or `no`.
    pub ocsp: &'static str,
    /// Whether clear text follows a handshake that fails.
    pub clear_after_failure: bool,
}

impl Shared {
    /// Plans the delivery to the recipients of one next hop.
    pub(super) async fn plan(&self, group: &Group, envelope: &Envelope, message: &[u8]) -> Plan {
        let domain = group.domain();
        let demands = envelope.demands(&group.recipients, message);
        let outbound = Outbound { route: &group.route, domain: &domain, demands };
        let next_hop = group.route.next_hop().to_string();
        match self.remote.find(outbound, self.timeout).await {
            Ok(found) => self.plan_hosts(next_hop, outbound, found).await,
            Err(error) => Plan {
                next_hop,
                hosts: Vec::new(),
                reason: Some(error.to_string()),
                failed: Some(result_without_hosts(&error)),
                waives_tls: demands.tls == TlsDemand::Waived,
                trace: Vec::new(),
            },
        }
    }

    async fn plan_hosts(&self, next_hop: String, outbound: Outbound<'_>, found: Found) -> Plan {
        let Found { hosts: found, sts } = found;
        let (port, mut hosts) = (found.port, Vec::new());
        let (mut is_usable, mut may_be_later) =
            (false, outbound.demands.tls != TlsDemand::Required);
        for host in found.list {
            let mut addresses = Vec::new();
            let ips = host.policy.addresses.iter().take(MAX_ADDRESSES);
            for ip in ips.filter(|_| host.unused.is_none()) {
                let address = SocketAddr::new(*ip, port);
                let plan = self.remote.address_plan(outbound, (&host, address), sts.as_ref()).await;
                let security = plan.map(|plan| PlannedSecurity::of(&plan));
                addresses.push(PlannedAddress { address, security });
            }
            let is_confirmed = found.is_secure || host.policy.action.authenticates_next_hop();
            let unconfirmed = outbound.demands.tls == TlsDemand::Required && !is_confirmed;
            let RemoteHost { policy, reported, unused, .. } = host;
            let is_possible = addresses.iter().any(|address| address.security.is_ok());
            is_usable |= is_possible && !unconfirmed;
            may_be_later |= !is_possible;
            let unused = unused.map(|unused| unused.to_string());
            let unused = unused.or_else(|| unconfirmed.then(|| UNCONFIRMED.to_owned()));
            hosts.push(PlannedHost { policy, reported, addresses, unused });
        }
        let result = if may_be_later { DeliveryResult::Deferred } else { DeliveryResult::Failed };
        let failed = (!is_usable).then_some(result);
        let waives_tls = outbound.demands.tls == TlsDemand::Waived;
        Plan { next_hop, hosts, reason: None, failed, waives_tls, trace: found.trace }
    }
}

impl PlannedSecurity {
    fn of(plan: &AddressPlan) -> Self {
        let HostChoices { request_ocsp, require_ocsp, .. } = plan.choices;
        let (tls, client) = match &plan.security {
            TlsPlan::Clear => ("no", None),
            TlsPlan::IfOffered(client) => ("if-offered", Some(client)),
            TlsPlan::Required(client) => ("required", Some(client)),
        };
        let method = client.map(|client| &client.check.authentication().method);
        let verification = match method {
            None | Some(Method::Unauthenticated) => "no",
            Some(Method::Dane(_)) => "dane",
            Some(Method::Pkix(pkix)) if !pkix.required => "pkix-if-possible",
            Some(Method::Pkix(pkix)) if pkix.names => "pkix",
            Some(Method::Pkix(_)) => "pkix-any-name",
        };
        let ocsp = match client {
            Some(_) if require_ocsp => "required",
            Some(_) if request_ocsp => "requested",
            _ => "no",
        };
        let clear_after_failure = plan.security.may_clear();
        Self { tls, verification, ocsp, clear_after_failure }
    }
}

impl fmt::Display for PlannedSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS: {}, verification: {}, OCSP: {}", self.tls, self.verification, self.ocsp)?;
        f.write_str(if self.clear_after_failure {
            ", in clear after a failed handshake"
        } else {
            ""
        })
    }
}

/// The result for the recipients of a next hop without hosts.
pub(super) fn result_without_hosts(error: &NoHosts) -> DeliveryResult {
    if error.is_permanent() { DeliveryResult::Failed } else { DeliveryResult::Deferred }
}

const UNCONFIRMED: &str =
    "REQUIRETLS: neither DNSSEC nor MTA-STS confirms that the domain has this host";
