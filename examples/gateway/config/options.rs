//! The options as a configuration has them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mail_types::exim::Semantics;
use mail_types::smtp::Domain;
use proxy_protocol::RefusalMode;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::dmarc::{InvalidFromOption, TemperrorOption};
use crate::gateway::lookups::quantity::{Interval, Size};
use crate::gateway::telemetry::log_format::LogFormat;

/// The options as they are written; `examples/gateway/README.md` describes each.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default = "ConfigOptions::unwritten", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the file")]
pub(crate) struct ConfigOptions {
    /// This host's name; default: what the system says.
    pub(super) primary_hostname: String,
    /// Where to listen, as `127.0.0.1.2525`.
    pub(super) local_interfaces: String,
    pub(super) smtp_banner: String,
    /// Where the store, the journal and a certificate of our own are kept.
    pub(super) spool_directory: PathBuf,
    /// `maildir` or `discard`.
    pub(super) store: StoreKind,
    /// The Maildir, perhaps of each recipient; default: `maildir` under `spool_directory`.
    pub(super) maildir: Option<String>,
    /// The Maildir of mail in quarantine; default: the folder `.Quarantine` of the recipient's Maildir.
    pub(super) quarantine_maildir: Option<String>,
    /// Whether the file of a message names its recipients.
    pub(super) envelope_to_add: bool,
    /// Domains whose mail is kept here.
    pub(super) local_domains: String,
    /// Local parts that exist in those; `*` for all.
    pub(super) local_parts: String,
    /// Domains whose mail is handed to `route_data`.
    pub(super) relay_to_domains: String,
    /// The next hop, as `host:port`.
    pub(super) route_data: Option<String>,
    pub(super) message_size_limit: Size,
    /// What all messages on their way in may have together.
    pub(super) message_memory_limit: Size,
    pub(super) recipients_max: usize,
    pub(super) header_maxsize: Size,
    pub(super) received_headers_max: usize,
    /// The octets of the body that `$message_body` has.
    pub(super) message_body_visible: Size,
    pub(super) smtp_accept_max: usize,
    /// Connections of one host at a time, of a network /64 with IPv6; 0 for any number. A trusted proxy
    /// and clients on loopback may have more.
    pub(super) smtp_accept_max_per_host: usize,
    pub(super) smtp_accept_max_per_connection: u32,
    pub(super) smtp_accept_max_nonmail: u32,
    pub(super) smtp_max_synprot_errors: u32,
    pub(super) smtp_max_unknown_commands: u32,
    /// Recipients refused, and transactions without a message, since the last message; 0 for any number.
    pub(super) smtp_max_refused: u32,
    /// Hosts that `smtp_max_refused` is for; default: all but trusted proxies and those on loopback.
    pub(super) smtp_max_refused_hosts: Option<String>,
    /// Octets a second: slower messages go first when `message_memory_limit` is reached; 0 for none.
    pub(super) smtp_data_min_rate: Size,
    /// How long a client may be silent.
    pub(super) smtp_receive_timeout: Interval,
    pub(super) helo_accept_junk_hosts: String,
    /// Hosts whose name is looked up.
    pub(super) host_lookup: String,
    pub(super) host_lookup_timeout: Interval,
    /// Whom to ask instead of the system's resolver, as `127.0.0.1:53`.
    #[serde(deserialize_with = "name_server")]
    pub(super) dns_resolver: Option<SocketAddr>,
    /// Whether a name server on another host is believed about DNSSEC.
    pub(super) dns_trust_ad: bool,
    /// Hosts that must send a PROXY header; `hosts_proxy` today.
    #[serde(alias = "hosts_proxy")]
    pub(super) proxy_required_hosts: String,
    pub(super) proxy_protocol_timeout: Interval,
    /// Whether a line `TCP6` may have an IPv4 address beside one of IPv6, as some balancers write it.
    pub(super) proxy_ipv4_in_tcp6: bool,
    /// What becomes of a connection whose header is not sound.
    pub(super) proxy_refusal: ProxyRefusal,
    /// Whether clients are offered PRDR, a reply for each recipient at the end of a message.
    pub(super) prdr_enable: bool,
    /// Hosts that are offered STARTTLS.
    pub(super) tls_advertise_hosts: String,
    /// Ports of `local_interfaces` whose clients begin with TLS, as on port 465.
    pub(super) tls_on_connect_ports: String,
    /// PEM files; without one a certificate is made.
    pub(super) tls_certificate: Option<String>,
    pub(super) tls_privatekey: Option<String>,
    /// Proofs of the certificates, in the same order.
    pub(super) tls_ocsp_file: Option<String>,
    /// Whether proofs are fetched from the responders that certificates name.
    pub(super) tls_ocsp_fetch: bool,
    /// The HTTP proxy that responders are asked by, as `http://host:port`.
    pub(super) tls_ocsp_proxy: Option<String>,
    /// A PEM file with the authorities by which the certificates of `https` responders are verified.
    pub(super) tls_ocsp_verify_certificates: Option<PathBuf>,
    /// Clients that need a valid certificate, and those that are asked for one.
    pub(super) tls_verify_hosts: String,
    pub(super) tls_try_verify_hosts: String,
    /// A PEM file with the authorities of clients, or `system`.
    pub(super) tls_verify_certificates: String,
    /// A PEM file with revocation lists of these authorities.
    pub(super) tls_crl: Option<PathBuf>,
    /// The parts of log lines, as `+subject -tls_cipher`.
    pub(super) log_selector: String,
    pub(super) log_format: LogFormat,
    /// Where metrics are read, as `127.0.0.1.9101`; empty for nowhere.
    pub(super) metrics_interface: String,
    /// What `spf_guess` evaluates for a domain without a record: the terms of one.
    pub(super) spf_guess: Option<String>,
    /// What `$spf_smtp_comment` says where a domain explains nothing; with SPF's macros.
    pub(super) spf_smtp_comment_template: Option<String>,
    /// Terms of SPF that may ask the DNS, for one sender (RFC 7208 section 4.6.4).
    pub(super) spf_lookups: u8,
    /// Those of their questions that may find nothing.
    pub(super) spf_void_lookups: u8,
    /// How long all questions for one sender may take.
    pub(super) spf_timeout: Interval,
    /// Whether a client on loopback passes without a question.
    pub(super) spf_loopback_passes: bool,
    /// Hosts whose messages are examined by DKIM and DMARC.
    pub(super) dmarc_verify_hosts: String,
    /// Whether a message is refused where the domain of its author asks for that; else it is put into
    /// quarantine (RFC 9989 section 7.4).
    pub(super) dmarc_reject: bool,
    /// What becomes of a message whose `From` has an `@` but no domain that could be read, or too many;
    /// default: what `dmarc_reject` says of one that fails.
    pub(super) dmarc_invalid_from: Option<InvalidFromOption>,
    /// What becomes of a message for which the DNS did not answer.
    pub(super) dmarc_temperror: TemperrorOption,
    /// How the items of a list of `dmarc_status` work together.
    pub(super) dmarc_status_semantics: ListSemantics,
    /// How long all questions to the DNS for one message may take.
    pub(super) dmarc_timeout: Interval,
    /// A list of public suffixes, for organizations whose records do not tell.
    pub(super) dmarc_tld_file: Option<PathBuf>,
    /// How long rows for aggregate reports are kept, in `dmarc.sqlite` under `spool_directory`; with 0
    /// none are.
    pub(super) dmarc_report_keep: Interval,
    /// A file for `opendmarc-import`.
    pub(super) dmarc_history_file: Option<PathBuf>,
    /// The author of failure reports; default: `do-not-reply` at this host.
    pub(super) dmarc_forensic_sender: Option<String>,
    /// Signatures of a message that are verified.
    pub(super) dkim_verify_signatures: usize,
    /// The longest header of a message whose signatures are.
    pub(super) dkim_verify_header: Size,
    /// The database of `sqlite` lookups; default: `gateway.sqlite` under `spool_directory`.
    pub(super) sqlite_dbfile: Option<PathBuf>,
    /// Whom `pgsql` lookups ask, as `host/database/user/password`.
    pub(super) pgsql_servers: String,
    /// The servers of `redis` lookups.
    pub(super) redis_servers: String,
    /// Allows `redis` lookups to change data.
    pub(super) redis_allow_writes: bool,
    /// Reads replies of Redis as Exim does.
    pub(super) redis_compatible: bool,
    /// The deadline of one `redis` lookup; default: `lookup_timeout`.
    pub(super) redis_timeout: Option<Interval>,
    /// Folders below which lookups may read files; without any, they read none.
    pub(super) lookup_directories: String,
    /// How long a lookup may take.
    pub(super) lookup_timeout: Interval,
    /// The most rows that a lookup finds.
    pub(super) lookup_rows_max: usize,
    /// The most that a lookup finds, in octets.
    pub(super) lookup_size_limit: Size,
    /// The largest file that a lookup reads.
    pub(super) lookup_file_size_limit: Size,
    /// Named lists: of addresses, domains, hosts and local parts.
    pub(super) addresslist: BTreeMap<String, String>,
    pub(super) domainlist: BTreeMap<String, String>,
    pub(super) hostlist: BTreeMap<String, String>,
    pub(super) localpartlist: BTreeMap<String, String>,
}

impl ConfigOptions {
    /// The defaults; options not listed here are empty, off or not given.
    pub(super) fn unwritten() -> Self {
        Self {
            primary_hostname: system_hostname(),
            local_interfaces: "127.0.0.1.2525".into(),
            smtp_banner: "ESMTP".into(),
            spool_directory: "gateway-data".into(),
            local_domains: "@ : localhost : example.com".into(),
            local_parts: "*".into(),
            message_size_limit: Size(50 << 20),
            message_memory_limit: Size(512 << 20),
            recipients_max: 1000,
            header_maxsize: Size(1 << 20),
            received_headers_max: 30,
            message_body_visible: Size(500),
            smtp_accept_max: 2000,
            smtp_accept_max_per_host: 50,
            smtp_accept_max_per_connection: 1000,
            smtp_accept_max_nonmail: 10,
            smtp_max_synprot_errors: 3,
            smtp_max_unknown_commands: 3,
            smtp_max_refused: 20,
            smtp_data_min_rate: Size(500),
            smtp_receive_timeout: Interval(Duration::from_mins(5)),
            host_lookup: "!127.0.0.0/8 : !::::1 : *".into(),
            host_lookup_timeout: Interval(Duration::from_secs(3)),
            proxy_protocol_timeout: Interval(Duration::from_secs(3)),
            tls_advertise_hosts: "*".into(),
            tls_ocsp_fetch: true,
            spf_lookups: 10,
            spf_void_lookups: 2,
            spf_timeout: Interval(Duration::from_secs(20)),
            dmarc_verify_hosts: "!127.0.0.0/8 : !::::1 : *".into(),
            dmarc_timeout: Interval(Duration::from_secs(20)),
            dmarc_report_keep: Interval(Duration::from_hours(31 * 24)),
            dkim_verify_signatures: 10,
            dkim_verify_header: Size(256 << 10),
            lookup_timeout: Interval(Duration::from_secs(5)),
            lookup_rows_max: 1000,
            lookup_size_limit: Size(256 << 10),
            lookup_file_size_limit: Size(10 << 20),
            ..Self::default()
        }
    }
}

/// Where accepted mail goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    #[default]
    Maildir,
    /// Nowhere: for load tests.
    Discard,
}

/// What becomes of a connection whose PROXY header is missing or not sound.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProxyRefusal {
    /// It is closed at once, as the specification asks.
    #[default]
    Drop,
    /// It gets the banner, and 503 to every command but QUIT, as Exim does.
    Exim,
}

impl From<ProxyRefusal> for RefusalMode {
    fn from(refusal: ProxyRefusal) -> Self {
        match refusal {
            ProxyRefusal::Drop => Self::Drop,
            ProxyRefusal::Exim => Self::QuitOnly,
        }
    }
}

/// How the items of a list of words work together, some with a `!` before them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListSemantics {
    /// Each is tested alone, and the first that succeeds decides; as the text of 2014 has it.
    #[default]
    EachItem,
    /// The first whose word it is decides, and fails if it has a `!`; as Exim does today.
    ListOrder,
}

impl From<ListSemantics> for Semantics {
    fn from(semantics: ListSemantics) -> Self {
        match semantics {
            ListSemantics::EachItem => Self::EachItem,
            ListSemantics::ListOrder => Self::ListOrder,
        }
    }
}

/// Reads an address with its port.
fn name_server<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if let Ok(address) = text.trim().parse() {
        return Ok(Some(address));
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']'));
    let dotted = |text: &str| {
        let (address, port) = text.rsplit_once('.')?;
        Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
    };
    let with_port = bare.parse().ok().map(|address| SocketAddr::new(address, 53));
    let meant = with_port.or_else(|| dotted(bare));
    let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
    let wrong = "is not an address and a port, as 127.0.0.1:53 or [::1]:53";
    Err(Error::custom(format!("{text} {wrong}{meant}")))
}

/// What the system calls this host, if that is a domain.
fn system_hostname() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.parse::<Domain>().is_ok() { name } else { "localhost".into() }
}
