//! The plan for a connection to one address: the options, the demand of the message, and the policy of the host.

use std::net::SocketAddr;

use dane_tlsa::{Action, Host, HostPolicy};

use super::connection::TlsPlan;
use super::hosts::RemoteHost;
use super::mta_sts::StsPolicy;
use super::remote::{Outbound, Remote, TlsDemand};
use super::security::HostChoices;
use crate::gateway::events::outgoing_tls::OutgoingTls;

/// The plan for a connection to one address.
#[derive(Clone, Debug)]
pub(super) struct AddressPlan {
    pub(super) choices: HostChoices,
    /// The variables before the handshake.
    pub(super) tls: OutgoingTls,
    pub(super) security: TlsPlan,
}

impl Remote {
    /// Decides about a connection.
    ///
    /// # Errors
    ///
    /// Why there can be none.
    pub(super) async fn address_plan(
        &self,
        outbound: Outbound<'_>,
        (host, address): (&RemoteHost, SocketAddr),
        sts: Option<&StsPolicy>,
    ) -> Result<AddressPlan, String> {
        let tls = OutgoingTls {
            dnssec: host.found_securely,
            tlsa_usage: usage_bits(&host.policy),
            ..OutgoingTls::default()
        };
        let choices = self.choices(outbound, (host, address), &tls).await?;
        let verifier = self.authorities.verifier();
        let security = self.tls.security(host, choices, &verifier, sts);
        let security = security.map_err(|error| error.to_string())?;
        Ok(AddressPlan { choices, tls, security })
    }

    /// Decides by the options, and by what the message demands.
    async fn choices(
        &self,
        outbound: Outbound<'_>,
        (host, address): (&RemoteHost, SocketAddr),
        tls: &OutgoingTls,
    ) -> Result<HostChoices, String> {
        let text = host.policy.host.to_string();
        let mut outgoing = self.outgoing((outbound.domain, &text), Some(address), tls);
        let name = match &host.policy.host {
            Host::Name(name) => Some(name),
            Host::Address(_) => None,
        };
        let choices = self.settings.choices(&mut outgoing, name, address).await;
        self.log(&mut outgoing, outbound.demands);
        let cause = "an option of [remote_smtp] cannot be expanded now";
        let choices = choices.map_err(|_| cause.to_owned())?;
        Ok(match outbound.demands.tls {
            TlsDemand::None => choices,
            TlsDemand::Required => {
                HostChoices { require_tls: true, verify: true, verify_name: true, ..choices }
            }
            TlsDemand::Waived => HostChoices {
                require_tls: false,
                verify: false,
                require_ocsp: false,
                try_clear: true,
                ..choices
            },
        })
    }
}

/// The certificate usages of the records, a bit for each; 0 without DANE.
pub(super) fn usage_bits(policy: &HostPolicy) -> u8 {
    match &policy.action {
        Action::Dane(dane) => dane.records.usage_bits(),
        _ => 0,
    }
}
