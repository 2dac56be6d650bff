//! The settings of the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mail_types::smtp::Domain;
use proxy_protocol::RefusalMode;

use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::delivery::mailboxes::Mailboxes;
use crate::gateway::delivery::routing::Routing;
use crate::gateway::delivery::settings::{RemoteSettings, VerifyCertificates};
use crate::gateway::events::settings::EventSettings;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::policy::client_lists::ClientLists;
use crate::gateway::policy::rules::Rules;
use crate::gateway::policy::words::Words;
use crate::gateway::reports::settings::ReportSettings;
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::store::settings::StoreSettings;
use crate::gateway::telemetry::log_selector::LogSelector;

/// The settings of the server.
#[derive(Debug)]
pub struct ServerSettings {
    pub(crate) startup: StartupSettings,
    /// The settings of connections.
    pub live: LiveSettings,
}

/// The settings that take effect at a start only.
#[derive(Debug)]
pub(crate) struct StartupSettings {
    /// This host's name.
    pub(crate) host: Domain,
    pub(crate) listen: Vec<Interface>,
    /// The address of metrics, on loopback.
    pub(crate) metrics: Option<SocketAddr>,
    /// The folder of waiting events and of the generated certificate.
    pub(crate) spool_directory: PathBuf,
    pub(crate) store: StoreSettings,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) events: EventSettings,
    pub(crate) reports: ReportSettings,
    pub(crate) message_memory_limit: usize,
    /// The least rate of message data, in octets a second.
    pub(crate) smtp_data_min_rate: u64,
    pub(crate) smtp_accept_max: usize,
    pub(crate) smtp_accept_max_per_host: usize,
    pub(crate) written: WrittenOptions,
}

/// The names of options, and their values as they are written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WrittenOptions(pub(crate) Vec<(&'static str, String)>);

impl WrittenOptions {
    /// Returns the names of those that have another value.
    pub(crate) fn changed(&self, new: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&new.0);
        pairs.filter(|(old, new)| old != new).map(|((name, _), _)| *name).collect()
    }
}

/// An address to listen at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface {
    pub(crate) address: SocketAddr,
    /// Whether a client begins with TLS (RFC 8314 section 3.3).
    pub(crate) tls_on_connect: bool,
}

/// The settings of connections, which a reload replaces.
#[derive(Debug)]
pub struct LiveSettings {
    /// The lists `acl_smtp_…`.
    pub rules: Rules,
    /// The extensions and limits of sessions.
    pub session: SessionSettings,
    pub(crate) routing: Routing,
    pub(crate) remote: RemoteSettings,
    /// The options that are lists of clients.
    pub(crate) clients: ClientLists,
    pub(crate) smtp_receive_timeout: Duration,
    pub(crate) host_lookup_timeout: Duration,
    /// The octets of the body that `$message_body` has.
    pub(crate) message_body_visible: usize,
    pub(crate) proxy: ProxySettings,
    pub(crate) tls: TlsSettings,
    /// Whether a copy names its recipients.
    pub(crate) envelope_to_add: bool,
    /// The parts of log lines.
    pub(crate) log_selector: LogSelector,
    pub(crate) spf: SpfSettings,
    pub(crate) dmarc: DmarcSettings,
    /// The settings of lookups.
    pub lookups: LookupSettings,
}

/// The files of certificates, keys and OCSP responses, in the same order.
#[derive(Debug, Default)]
pub(crate) struct TlsSettings {
    /// `None`: a generated certificate.
    pub(crate) certificate: Option<FileList>,
    /// `None`: each key is in the file of its certificate.
    pub(crate) privatekey: Option<FileList>,
    pub(crate) ocsp_file: Option<FileList>,
    /// Whether OCSP responses are fetched, without a file.
    pub(crate) ocsp_fetch: bool,
    /// The URL of the HTTP proxy that responders are asked by.
    pub(crate) ocsp_proxy: Option<String>,
    /// A file with the authorities by which the certificates of `https` responders are verified.
    pub(crate) ocsp_verify_certificates: Option<PathBuf>,
    /// The authorities of clients.
    pub(crate) verify_certificates: VerifyCertificates,
    /// A file with revocation lists of these.
    pub(crate) crl: Option<PathBuf>,
}

/// A list of files, perhaps with an expansion.
pub(crate) type FileList = Words<Vec<PathBuf>>;

/// The reading of PROXY headers, and the refusal of a connection without one.
#[derive(Debug)]
pub(crate) struct ProxySettings {
    pub(crate) timeout: Duration,
    /// Whether a `TCP6` line may have an IPv4 address.
    pub(crate) ipv4_in_tcp6: bool,
    pub(crate) refusal: RefusalMode,
}
