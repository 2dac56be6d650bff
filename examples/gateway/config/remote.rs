//! The options of `[remote_smtp]`: deliveries to other hosts.

use std::path::PathBuf;
use std::sync::Arc;

use event_expand::ListKind;
use serde::Deserialize;
use toml::{Table, Value};

use super::effect::{NO_RELAY, is_nobody};
use super::{ConfigError, option_lines};
use crate::gateway::delivery::settings::{
    RemoteLimits, RemoteLists, RemoteSettings, VerifyCertificates,
};
use crate::gateway::events::settings::REMOTE_SMTP;
use crate::gateway::policy::condition::RuleScope;
use crate::gateway::policy::host_list::HostList;
use crate::gateway::policy::list::RuleList;
use crate::gateway::policy::place::Place;
use crate::gateway::policy::rules::Problem;
use crate::gateway::telemetry::log_selector::LogSelector;

/// Reads an option that is a list, or its default.
macro_rules! list {
    ($options:ident, $home:ident, $name:ident, $default:expr) => {
        read(
            concat!("remote_smtp.", stringify!($name)),
            $options.$name.as_deref().unwrap_or($default),
            $home,
        )
    };
}

/// The options as they are written; the defaults are those of Exim.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RemoteOptions {
    dnssec_request_domains: Option<String>,
    dnssec_require_domains: Option<String>,
    hosts_avoid_tls: Option<String>,
    hosts_report_dane: Option<String>,
    hosts_request_ocsp: Option<String>,
    hosts_require_dane: Option<String>,
    hosts_require_ocsp: Option<String>,
    hosts_require_tls: Option<String>,
    hosts_send_proxy: Option<String>,
    hosts_try_chunking: Option<String>,
    hosts_try_dane: Option<String>,
    hosts_try_prdr: Option<String>,
    insecure_mx: Option<InsecureMxOption>,
    mta_sts_directory: Option<PathBuf>,
    tls_crl: Option<PathBuf>,
    tls_tempfail_tryclear: Option<bool>,
    tls_try_verify_hosts: Option<String>,
    tls_verify_cert_hostnames: Option<String>,
    tls_verify_certificates: Option<String>,
    tls_verify_hosts: Option<String>,
}

/// The use of the options in a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemoteUse {
    /// Whether any mail goes to other hosts.
    pub(super) relays: bool,
    /// Whether a reply for each recipient can be asked for.
    pub(super) prdr: bool,
    pub(super) next_hop: NextHopKind,
}

/// The kind of all next hops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NextHopKind {
    /// They may be the MX hosts of a domain.
    Domain,
    Host,
    Address,
}

/// The options that need authorities.
const OF_AUTHORITIES: [&str; 4] =
    ["tls_crl", "tls_verify_hosts", "tls_try_verify_hosts", "tls_verify_cert_hostnames"];

/// The options that need the DNS.
const OF_DNS: [&str; 5] = [
    "dnssec_request_domains",
    "dnssec_require_domains",
    "hosts_report_dane",
    "hosts_try_dane",
    "insecure_mx",
];

/// `insecure_mx`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum InsecureMxOption {
    Off,
    Dane,
}

impl RemoteOptions {
    /// Takes the options out of a configuration, and leaves those of events.
    pub(super) fn take(table: &mut Table) -> Result<Self, ConfigError> {
        let Some(Value::Table(own)) = table.get_mut(REMOTE_SMTP) else {
            return Ok(Self::default());
        };
        let names: Vec<_> = own.keys().filter(|name| *name != "event_action").cloned().collect();
        let ours: Table = names.iter().filter_map(|name| own.remove_entry(name)).collect();
        option_lines::read(ours).map_err(|error| match error {
            ConfigError::Value { option, problem } => {
                ConfigError::Value { option: format!("{REMOTE_SMTP}.{option}"), problem }
            }
            other => other,
        })
    }

    /// Reads the lists, and the rest.
    pub(super) fn settings(&self, home: &RuleScope<'_>) -> Result<RemoteSettings, ConfigError> {
        let lists = RemoteLists {
            dnssec_request_domains: list!(self, home, dnssec_request_domains, "*")?,
            dnssec_require_domains: list!(self, home, dnssec_require_domains, "")?,
            hosts_avoid_tls: list!(self, home, hosts_avoid_tls, "")?,
            hosts_report_dane: list!(self, home, hosts_report_dane, "")?,
            hosts_request_ocsp: self
                .hosts_request_ocsp
                .is_some()
                .then(|| list!(self, home, hosts_request_ocsp, ""))
                .transpose()?,
            hosts_require_dane: list!(self, home, hosts_require_dane, "")?,
            hosts_require_ocsp: list!(self, home, hosts_require_ocsp, "")?,
            hosts_require_tls: list!(self, home, hosts_require_tls, "")?,
            hosts_send_proxy: list!(self, home, hosts_send_proxy, "")?,
            hosts_try_chunking: list!(self, home, hosts_try_chunking, "*")?,
            hosts_try_dane: list!(self, home, hosts_try_dane, "*")?,
            hosts_try_prdr: list!(self, home, hosts_try_prdr, "*")?,
            tls_try_verify_hosts: list!(self, home, tls_try_verify_hosts, "*")?,
            tls_verify_cert_hostnames: list!(self, home, tls_verify_cert_hostnames, "*")?,
            // As in Exim: where neither list is set, each host is verified, and a list `:` counts as set.
            tls_verify_hosts: list!(self, home, tls_verify_hosts, self.verified_by_default())?,
        };
        Ok(RemoteSettings {
            helo: home.host.clone(),
            lists: Arc::new(lists),
            tls_tempfail_tryclear: self.tls_tempfail_tryclear.unwrap_or(true),
            insecure_mx: self.insecure_mx == Some(InsecureMxOption::Dane),
            verify_certificates: VerifyCertificates::read(self.certificates()),
            crl: self.tls_crl.clone(),
            mta_sts_directory: self.mta_sts_directory.clone(),
            limits: RemoteLimits::default(),
            log_selector: LogSelector::default(),
            warning: self.warning(),
        })
    }

    /// Tells why no next hop, which has a name or not, is verified by DANE.
    pub(super) fn without_dane(&self, named: bool) -> Option<&'static str> {
        let empty = |text: &Option<String>, default| is_empty(text.as_deref(), default);
        if empty(&self.hosts_try_dane, "*") && empty(&self.hosts_require_dane, "") {
            Some("hosts_try_dane and hosts_require_dane match no host")
        } else if empty(&self.dnssec_request_domains, "*") {
            Some("no answer is secure, since dnssec_request_domains is empty")
        } else {
            (!named).then_some("route_data is an address, which has no TLSA records")
        }
    }

    /// Finds an option that does nothing, and tells why.
    pub(super) fn without_effect(&self, use_of: RemoteUse) -> Option<(String, &'static str)> {
        let nothing = |text: &Option<String>, default| is_empty(text.as_deref(), default);
        let no_dane = nothing(&self.hosts_try_dane, "*") && nothing(&self.hosts_require_dane, "");
        let unsigned = nothing(&self.dnssec_request_domains, "*");
        let unverified = self.certificates().is_empty();
        let is_address = use_of.next_hop == NextHopKind::Address;
        let given = self.given();
        let is_domain = use_of.next_hop == NextHopKind::Domain;
        let all = |list: &Option<String>| list.as_deref().is_some_and(|it| it.trim() == "*");
        let stronger = self.stronger().map(|(list, names, cause)| (all(list), names, cause));
        let before: [(bool, &[&str], &str); 5] = [
            (!use_of.relays, &given, NO_RELAY),
            (
                !use_of.prdr,
                &["hosts_try_prdr"],
                "no client can ask for PRDR, since prdr_enable is off",
            ),
            (
                unsigned,
                &["hosts_require_dane", "hosts_report_dane", "dnssec_require_domains"],
                "no answer is secure, since dnssec_request_domains is empty",
            ),
            (no_dane, &["insecure_mx"], "hosts_try_dane and hosts_require_dane match no host"),
            (
                unverified,
                &OF_AUTHORITIES,
                "no certificate is verified, since tls_verify_certificates is empty",
            ),
        ];
        let behind: [(bool, &[&str], &str); 4] = [
            (
                unverified && no_dane,
                &["hosts_require_ocsp"],
                "no server can be verified: tls_verify_certificates is empty, and neither hosts_try_dane nor \
                 hosts_require_dane matches a host",
            ),
            (
                unverified && is_address,
                &["hosts_require_ocsp"],
                "no server can be verified: tls_verify_certificates is empty, and route_data is an address, \
                 which has no TLSA records",
            ),
            (
                !is_domain,
                &["mta_sts_directory"],
                "route_data is not the MX hosts of a domain (example.com/MX)",
            ),
            (is_address, &OF_DNS, "route_data is an address, of which the DNS is not asked"),
        ];
        let rules = before.into_iter().chain(stronger).chain(behind);
        let mut applied = rules.filter(|(applies, ..)| *applies);
        let found = applied.find_map(|(_, names, cause)| {
            names.iter().find(|name| given.contains(name)).map(|name| (*name, cause))
        });
        found.map(|(name, cause)| (format!("{REMOTE_SMTP}.{name}"), cause))
    }

    /// Returns the lists whose `*` leaves nothing to other options, these, and the cause.
    fn stronger(&self) -> [(&Option<String>, &'static [&'static str], &'static str); 5] {
        [
            (
                &self.tls_verify_hosts,
                &["tls_try_verify_hosts"],
                "tls_verify_hosts matches every host",
            ),
            (
                &self.hosts_require_dane,
                &["hosts_try_dane", "hosts_report_dane"],
                "hosts_require_dane matches every host",
            ),
            (
                &self.hosts_avoid_tls,
                &["tls_tempfail_tryclear"],
                "hosts_avoid_tls matches every host",
            ),
            (
                &self.hosts_require_tls,
                &["hosts_avoid_tls", "tls_tempfail_tryclear"],
                "hosts_require_tls matches every host",
            ),
            (
                &self.hosts_require_ocsp,
                &["hosts_request_ocsp", "hosts_avoid_tls", "tls_tempfail_tryclear"],
                "hosts_require_ocsp matches every host, and requires TLS",
            ),
        ]
    }

    /// Returns the options that differ from their defaults.
    fn given(&self) -> Vec<&'static str> {
        let differs = |text: &Option<String>, default: &str| {
            text.as_deref().is_some_and(|text| text != default)
        };
        [
            ("dnssec_request_domains", differs(&self.dnssec_request_domains, "*")),
            ("dnssec_require_domains", differs(&self.dnssec_require_domains, "")),
            ("hosts_avoid_tls", differs(&self.hosts_avoid_tls, "")),
            ("hosts_report_dane", differs(&self.hosts_report_dane, "")),
            ("hosts_request_ocsp", self.hosts_request_ocsp.is_some()),
            ("hosts_require_dane", differs(&self.hosts_require_dane, "")),
            ("hosts_require_ocsp", differs(&self.hosts_require_ocsp, "")),
            ("hosts_require_tls", differs(&self.hosts_require_tls, "")),
            ("hosts_send_proxy", differs(&self.hosts_send_proxy, "")),
            ("hosts_try_chunking", differs(&self.hosts_try_chunking, "*")),
            ("hosts_try_dane", differs(&self.hosts_try_dane, "*")),
            ("hosts_try_prdr", differs(&self.hosts_try_prdr, "*")),
            ("insecure_mx", self.insecure_mx == Some(InsecureMxOption::Dane)),
            ("mta_sts_directory", self.mta_sts_directory.is_some()),
            ("tls_crl", self.tls_crl.is_some()),
            ("tls_tempfail_tryclear", self.tls_tempfail_tryclear == Some(false)),
            ("tls_try_verify_hosts", differs(&self.tls_try_verify_hosts, "*")),
            ("tls_verify_cert_hostnames", differs(&self.tls_verify_cert_hostnames, "*")),
            ("tls_verify_certificates", differs(&self.tls_verify_certificates, "system")),
            ("tls_verify_hosts", differs(&self.tls_verify_hosts, "")),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }

    /// The default of `tls_verify_hosts`.
    fn verified_by_default(&self) -> &'static str {
        match self.tls_try_verify_hosts.as_deref().map(str::trim) {
            Some("") => "*",
            _ => "",
        }
    }

    /// Warns that a host that must be verified may get mail in clear text.
    fn warning(&self) -> Option<String> {
        let verified = self.tls_verify_hosts.as_deref().unwrap_or(self.verified_by_default());
        let encrypted = self.hosts_require_tls.as_deref().unwrap_or_default();
        let cases = match self.tls_tempfail_tryclear {
            Some(false) => "if it offers no TLS",
            _ => "if it offers no TLS or its certificate is not valid",
        };
        (!is_nobody(verified) && is_nobody(encrypted)).then(|| {
            format!(
                "remote_smtp.hosts_require_tls matches no host: a host of tls_verify_hosts gets mail in clear text \
                 {cases}"
            )
        })
    }

    fn certificates(&self) -> &str {
        self.tls_verify_certificates.as_deref().unwrap_or("system").trim()
    }
}

/// Tells whether an option, or its default, is a list that nothing can be in.
fn is_empty(text: Option<&str>, default: &str) -> bool {
    is_nobody(text.unwrap_or(default))
}

/// A list of hosts or of domains.
trait ReadList: Sized {
    fn read(option: &'static str, text: &str, home: &RuleScope<'_>) -> Result<Self, Problem>;
}

impl ReadList for HostList {
    fn read(option: &'static str, text: &str, home: &RuleScope<'_>) -> Result<Self, Problem> {
        let list = Self::read(text, Place::Outgoing, home.language, home.host)?;
        Ok(list.of_option(option))
    }
}

impl ReadList for RuleList {
    fn read(option: &'static str, text: &str, home: &RuleScope<'_>) -> Result<Self, Problem> {
        let surroundings = (home.language, home.host);
        let list = Self::read(text, Place::Outgoing, surroundings, ListKind::Domain)?;
        Ok(list.of_option(option))
    }
}

fn read<T: ReadList>(
    option: &'static str,
    text: &str,
    home: &RuleScope<'_>,
) -> Result<T, ConfigError> {
    T::read(option, text, home).map_err(|problem| ConfigError::List { option, problem })
}
