//! The options of `[remote_smtp]`: deliveries to other hosts.

use std::path::PathBuf;
use std::sync::Arc;

use event_expand::ListKind;
use serde::Deserialize;
use toml::{Table, Value};

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

/// Reads an option that is a list, or its default.
macro_rules! list {
    ($options:ident, $home:ident, $name:ident, $default:expr) => {
        read($options.$name.as_deref().unwrap_or($default), $home)
            .map_err(|problem| ConfigError::List { option: concat!("remote_smtp.", stringify!($name)), problem })
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
        let Some(Value::Table(own)) = table.get_mut(REMOTE_SMTP) else { return Ok(Self::default()) };
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
            hosts_request_ocsp: list!(self, home, hosts_request_ocsp, REQUEST_OCSP)?,
            hosts_require_dane: list!(self, home, hosts_require_dane, "")?,
            hosts_require_ocsp: list!(self, home, hosts_require_ocsp, "")?,
            hosts_require_tls: list!(self, home, hosts_require_tls, "")?,
            hosts_try_chunking: list!(self, home, hosts_try_chunking, "*")?,
            hosts_try_dane: list!(self, home, hosts_try_dane, "*")?,
            hosts_try_prdr: list!(self, home, hosts_try_prdr, "*")?,
            tls_try_verify_hosts: list!(self, home, tls_try_verify_hosts, "*")?,
            tls_verify_cert_hostnames: list!(self, home, tls_verify_cert_hostnames, "*")?,
            tls_verify_hosts: list!(self, home, tls_verify_hosts, "")?,
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
        })
    }

    fn certificates(&self) -> &str {
        self.tls_verify_certificates.as_deref().unwrap_or("system").trim()
    }
}

/// A list of hosts or of domains.
trait ReadList: Sized {
    fn read(text: &str, home: &RuleScope<'_>) -> Result<Self, Problem>;
}

impl ReadList for HostList {
    fn read(text: &str, home: &RuleScope<'_>) -> Result<Self, Problem> {
        Self::read(text, Place::Outgoing, home.language, home.host)
    }
}

impl ReadList for RuleList {
    fn read(text: &str, home: &RuleScope<'_>) -> Result<Self, Problem> {
        Self::read(text, Place::Outgoing, (home.language, home.host), ListKind::Domain)
    }
}

fn read<T: ReadList>(text: &str, home: &RuleScope<'_>) -> Result<T, Problem> {
    T::read(text, home)
}

/// `hosts_request_ocsp`, unless it is set: all hosts without DANE, and those of which an authority is
/// published. A revoked certificate of the other hosts with DANE loses its TLSA record instead.
const REQUEST_OCSP: &str =
    "${if or { {= {0}{$tls_out_tlsa_usage}} {= {4}{$tls_out_tlsa_usage}} } {*}{}}";
