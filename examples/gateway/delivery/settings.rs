//! The settings of deliveries to other hosts: the table `[remote_smtp]`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mail_types::smtp::Domain;

use crate::gateway::policy::host_list::HostList;
use crate::gateway::policy::list::{RuleList, Undecided};
use crate::gateway::smtp::client::ClientLimits;
use crate::gateway::telemetry::log_selector::LogSelector;

/// The options, and the time limits.
#[derive(Clone, Debug)]
pub(crate) struct RemoteSettings {
    /// The name of this host in `EHLO`.
    pub(crate) helo: Domain,
    pub(crate) lists: Arc<RemoteLists>,
    /// Whether clear text follows a temporary refusal of `STARTTLS` and a failed handshake, if nothing requires
    /// TLS.
    pub(crate) tls_tempfail_tryclear: bool,
    /// Whether TLSA records are used for hosts of MX records without DNSSEC.
    pub(crate) insecure_mx: bool,
    pub(crate) verify_certificates: VerifyCertificates,
    /// The file of certificate revocation lists.
    pub(crate) crl: Option<PathBuf>,
    /// The folder of MTA-STS policies.
    pub(crate) mta_sts_directory: Option<PathBuf>,
    pub(crate) limits: RemoteLimits,
    /// The parts of the log's lines of deliveries.
    pub(crate) log_selector: LogSelector,
    /// A warning for the administrator.
    pub(crate) warning: Option<String>,
}

/// The options that are lists of hosts or of domains, with Exim's names.
#[derive(Debug)]
pub(crate) struct RemoteLists {
    pub(crate) dnssec_request_domains: RuleList,
    pub(crate) dnssec_require_domains: RuleList,
    pub(crate) hosts_avoid_tls: HostList,
    pub(crate) hosts_report_dane: HostList,
    /// `None`: by the TLSA records, as [`requests_ocsp`] says.
    pub(crate) hosts_request_ocsp: Option<HostList>,
    pub(crate) hosts_require_dane: HostList,
    pub(crate) hosts_require_ocsp: HostList,
    pub(crate) hosts_require_tls: HostList,
    pub(crate) hosts_send_proxy: HostList,
    pub(crate) hosts_try_chunking: HostList,
    pub(crate) hosts_try_dane: HostList,
    pub(crate) hosts_try_prdr: HostList,
    pub(crate) tls_try_verify_hosts: HostList,
    pub(crate) tls_verify_cert_hostnames: HostList,
    pub(crate) tls_verify_hosts: HostList,
}

impl RemoteLists {
    /// Finds a list by which no mail to an address is delivered, and tells why.
    pub(crate) fn hindrance(&self, address: IpAddr) -> Option<(&'static str, &'static str)> {
        let of = |list: &HostList| list.contains_known(None, address);
        let (required, unnamed) = (
            "the next hop is an address, which has no TLSA records",
            "an item is the name of a host, and the next hop is an address, which has none",
        );
        let named = self.of_hosts().find(|list| of(list) == Some(Err(Undecided)));
        let named = named.and_then(|list| Some((list.option()?, unnamed)));
        let dane = of(&self.hosts_require_dane) == Some(Ok(true));
        dane.then_some(("remote_smtp.hosts_require_dane", required)).or(named)
    }

    /// Returns the lists of hosts.
    pub(super) fn of_hosts(&self) -> impl Iterator<Item = &HostList> {
        let hosts = [
            &self.hosts_avoid_tls,
            &self.hosts_report_dane,
            &self.hosts_require_dane,
            &self.hosts_require_ocsp,
            &self.hosts_require_tls,
            &self.hosts_send_proxy,
            &self.hosts_try_chunking,
            &self.hosts_try_dane,
            &self.hosts_try_prdr,
            &self.tls_try_verify_hosts,
            &self.tls_verify_cert_hostnames,
            &self.tls_verify_hosts,
        ];
        hosts.into_iter().chain(&self.hosts_request_ocsp)
    }
}

/// Tells whether the staple of a host is checked by default: without DANE, and where all its TLSA records are of
/// DANE-TA(2). The certificate of any other host is withdrawn with its record. The number is `tls_out_tlsa_usage`; in Exim's
/// language this is `${if or { {= {0}{$tls_out_tlsa_usage}} {= {4}{$tls_out_tlsa_usage}} } {*}{}}`.
pub(crate) fn requests_ocsp(tlsa_usage: u8) -> bool {
    matches!(tlsa_usage, 0 | 4)
}

/// `tls_verify_certificates`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum VerifyCertificates {
    /// Empty: no server can be verified.
    None,
    /// `system`: the authorities of this system.
    #[default]
    System,
    /// A PEM file.
    File(PathBuf),
}

impl VerifyCertificates {
    pub(crate) fn read(text: &str) -> Self {
        match text {
            "" => Self::None,
            "system" => Self::System,
            path => Self::File(path.into()),
        }
    }
}

/// The time limits of a delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteLimits {
    /// For one connection. Default 30 s, which RFC 5321 does not specify.
    pub(crate) connect: Duration,
    /// For the relay to find a host that takes the message: its client waits for 5 minutes (RFC 5321 section
    /// 4.5.3.2.3). Default 4 minutes.
    pub(crate) open: Duration,
    /// For the steps of a session.
    pub(crate) session: ClientLimits,
}

impl Default for RemoteLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            open: Duration::from_mins(4),
            session: ClientLimits::default(),
        }
    }
}
