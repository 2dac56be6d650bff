//! The lists of clients.

use super::{ConfigError, ConfigOptions};
use crate::gateway::policy::client_lists::{ClientList, ClientLists};
use crate::gateway::policy::condition::RuleScope;

pub(super) fn read(
    options: &ConfigOptions,
    home: &RuleScope<'_>,
) -> Result<ClientLists, ConfigError> {
    let list = |option, text: &str, otherwise| {
        ClientList::read(option, text, otherwise, home)
            .map_err(|(option, problem)| ConfigError::List { option, problem })
    };
    let refused = options.smtp_max_refused_hosts.as_deref();
    // A host that may be a proxy must send a header.
    let proxies = list("proxy_required_hosts", &options.proxy_required_hosts, true)?;
    // A proxy's name is not looked up: one that is down or forged would let connections through without
    // a header.
    if proxies.hosts().needs_names() {
        return Err(ConfigError::NamedProxy);
    }
    Ok(ClientLists {
        // An unknown client is tested, is offered TLS, and is counted.
        dmarc_verify_hosts: list("dmarc_verify_hosts", &options.dmarc_verify_hosts, true)?,
        helo_accept_junk_hosts: list(
            "helo_accept_junk_hosts",
            &options.helo_accept_junk_hosts,
            false,
        )?,
        host_lookup: list("host_lookup", &options.host_lookup, true)?,
        proxy_required_hosts: proxies,
        tls_advertise_hosts: list("tls_advertise_hosts", &options.tls_advertise_hosts, true)?,
        tls_try_verify_hosts: list("tls_try_verify_hosts", &options.tls_try_verify_hosts, false)?,
        // A client that may need a certificate needs one.
        tls_verify_hosts: list("tls_verify_hosts", &options.tls_verify_hosts, true)?,
        smtp_max_refused_hosts: refused
            .map(|text| list("smtp_max_refused_hosts", text, true))
            .transpose()?,
    })
}
