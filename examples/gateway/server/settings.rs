//! What the server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mail_types::smtp::Domain;
use proxy_protocol::{RefusalMode, RequiredHosts};

use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::delivery::routing::Routing;
use crate::gateway::delivery::settings::RelaySettings;
use crate::gateway::events::settings::EventSettings;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::policy::client_lists::ClientLists;
use crate::gateway::policy::rules::Rules;
use crate::gateway::policy::words::Words;
use crate::gateway::reports::settings::ReportSettings;
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::store::settings::StoreSettings;

/// What the server is started with.
#[derive(Debug)]
pub struct ServerSettings {
    pub(crate) startup: StartupSettings,
    /// What connections are served by.
    pub live: LiveSettings,
}

/// What holds from the start to the end.
#[derive(Debug)]
pub(crate) struct StartupSettings {
    /// This host's name.
    pub(crate) host: Domain,
    pub(crate) listen: Vec<SocketAddr>,
    /// Where events that wait, and a certificate of our own, are kept.
    pub(crate) spool_directory: PathBuf,
    pub(crate) store: StoreSettings,
    pub(crate) events: EventSettings,
    pub(crate) reports: ReportSettings,
    pub(crate) message_memory_limit: usize,
    /// In octets a second.
    pub(crate) smtp_data_min_rate: u64,
    pub(crate) smtp_accept_max: usize,
    pub(crate) smtp_accept_max_per_host: usize,
}

/// What connections are served by: a new configuration could replace all of it.
#[derive(Debug)]
pub struct LiveSettings {
    /// What stands in the lists `acl_smtp_…`.
    pub rules: Rules,
    /// What sessions offer, and their limits.
    pub session: SessionSettings,
    pub(crate) routing: Routing,
    pub(crate) relay: RelaySettings,
    /// The options that are lists of clients.
    pub(crate) clients: ClientLists,
    pub(crate) smtp_receive_timeout: Duration,
    pub(crate) host_lookup_timeout: Duration,
    pub(crate) proxy: ProxySettings,
    pub(crate) tls: TlsSettings,
    /// Whether the proxy's address is in the log.
    pub(crate) log_proxy: bool,
    pub(crate) spf: SpfSettings,
    pub(crate) dmarc: DmarcSettings,
    /// What lookups work with.
    pub lookups: LookupSettings,
}

/// The files of certificates, their keys and their proofs, in the same order.
#[derive(Debug, Default)]
pub(crate) struct TlsSettings {
    /// Without it a certificate is made.
    pub(crate) certificate: Option<FileList>,
    /// Without it each key is in the file of its certificate.
    pub(crate) privatekey: Option<FileList>,
    pub(crate) ocsp_file: Option<FileList>,
    /// Whether proofs are fetched, where there is no file.
    pub(crate) ocsp_fetch: bool,
}

/// A list of files, which may have to be expanded.
pub(crate) type FileList = Words<Vec<PathBuf>>;

/// Who must send a PROXY header, and what becomes of a connection without one.
#[derive(Debug)]
pub(crate) struct ProxySettings {
    pub(crate) required_hosts: RequiredHosts,
    pub(crate) timeout: Duration,
    /// Whether a line `TCP6` may have an IPv4 address.
    pub(crate) ipv4_in_tcp6: bool,
    pub(crate) refusal: RefusalMode,
}
