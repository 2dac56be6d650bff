//! The configuration: a TOML file with Exim's option names.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mail_types::{Domain, HostSet, HostSetError, List, MailHost};
use proxy_protocol::{RefusalMode, RequiredHosts};
use serde::Deserialize;
use thiserror::Error;

use super::macros::{MacroError, Macros};
use super::quantity::{Interval, Size};
use super::rules::condition::{Home, KINDS};
use super::rules::place::Place;
use super::rules::{RuleError, Rules};
use super::session::SessionSettings;

/// The options as they are written; each has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// This host's name; default: what the system says.
    primary_hostname: String,
    /// Where to listen, as `127.0.0.1.2525`.
    local_interfaces: String,
    smtp_banner: String,
    /// Where the store, the journal and a certificate of our own are kept.
    spool_directory: PathBuf,
    /// `maildir` or `discard`.
    store: StoreKind,
    /// The Maildir; default: `maildir` under `spool_directory`.
    maildir: Option<PathBuf>,
    /// Domains whose mail is kept here.
    local_domains: String,
    /// Local parts that exist in those; `*` for all.
    local_parts: String,
    /// Domains whose mail is handed to `route_data`.
    relay_to_domains: String,
    /// The next hop, as `host:port`.
    route_data: Option<String>,
    message_size_limit: Size,
    /// What all messages on their way in may have together.
    message_memory_limit: Size,
    recipients_max: usize,
    received_headers_max: usize,
    smtp_accept_max: usize,
    /// Connections of one host at a time; 0 for any number. A trusted proxy may have more.
    smtp_accept_max_per_host: usize,
    smtp_accept_max_per_connection: u32,
    smtp_accept_max_nonmail: u32,
    smtp_max_synprot_errors: u32,
    smtp_max_unknown_commands: u32,
    /// How long a client may be silent.
    smtp_receive_timeout: Interval,
    helo_accept_junk_hosts: String,
    /// Hosts whose name is looked up.
    host_lookup: String,
    host_lookup_timeout: Interval,
    /// Whom to ask instead of the system's resolver, as `127.0.0.1:53`.
    dns_resolver: Option<SocketAddr>,
    /// Hosts that must send a PROXY header; `hosts_proxy` today.
    #[serde(alias = "hosts_proxy")]
    proxy_required_hosts: String,
    proxy_protocol_timeout: Interval,
    /// What becomes of a connection whose header is not sound.
    proxy_refusal: ProxyRefusal,
    /// Whether clients are offered PRDR, a reply for each recipient at the end of a message.
    prdr_enable: bool,
    /// Next hops that are asked for PRDR, where they offer it and the client asked us.
    hosts_try_prdr: String,
    /// Hosts that are offered STARTTLS.
    tls_advertise_hosts: String,
    /// A PEM file; without one a certificate is made.
    tls_certificate: Option<PathBuf>,
    tls_privatekey: Option<PathBuf>,
    /// `+proxy` adds the proxy's address to log lines.
    log_selector: String,
    log_format: LogFormat,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            primary_hostname: system_hostname(),
            local_interfaces: "127.0.0.1.2525".into(),
            smtp_banner: "ESMTP".into(),
            spool_directory: "gateway-data".into(),
            store: StoreKind::Maildir,
            maildir: None,
            local_domains: "@ : localhost : example.com".into(),
            local_parts: "*".into(),
            relay_to_domains: String::new(),
            route_data: None,
            message_size_limit: Size(50 << 20),
            message_memory_limit: Size(512 << 20),
            recipients_max: 1000,
            received_headers_max: 30,
            smtp_accept_max: 2000,
            smtp_accept_max_per_host: 0,
            smtp_accept_max_per_connection: 1000,
            smtp_accept_max_nonmail: 10,
            smtp_max_synprot_errors: 3,
            smtp_max_unknown_commands: 3,
            smtp_receive_timeout: Interval(Duration::from_mins(5)),
            helo_accept_junk_hosts: String::new(),
            host_lookup: "!127.0.0.0/8 : !::::1 : *".into(),
            host_lookup_timeout: Interval(Duration::from_secs(3)),
            dns_resolver: None,
            proxy_required_hosts: String::new(),
            proxy_protocol_timeout: Interval(Duration::from_secs(3)),
            proxy_refusal: ProxyRefusal::Drop,
            prdr_enable: false,
            hosts_try_prdr: "*".into(),
            tls_advertise_hosts: "*".into(),
            tls_certificate: None,
            tls_privatekey: None,
            log_selector: String::new(),
            log_format: LogFormat::Text,
        }
    }
}

/// Where accepted mail goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    Maildir,
    /// Nowhere: for load tests.
    Discard,
}

/// What becomes of a connection whose PROXY header is missing or not sound.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum ProxyRefusal {
    /// It is closed at once, as the specification asks.
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

/// How log lines are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The configuration, checked.
#[derive(Debug)]
pub(crate) struct Config {
    /// What stands in the lists `acl_smtp_…`.
    pub(crate) rules: Rules,
    pub(crate) session: SessionSettings,
    /// This host's name.
    pub(crate) host: Domain,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) spool_directory: PathBuf,
    pub(crate) store: StoreKind,
    pub(crate) maildir: PathBuf,
    pub(crate) local_domains: Vec<MailHost>,
    pub(crate) local_parts: Vec<String>,
    pub(crate) relay_to_domains: Vec<Domain>,
    pub(crate) route_data: Option<String>,
    pub(crate) message_memory_limit: usize,
    pub(crate) hosts_try_prdr: HostSet,
    pub(crate) smtp_accept_max: usize,
    pub(crate) smtp_accept_max_per_host: usize,
    pub(crate) smtp_receive_timeout: Duration,
    pub(crate) helo_accept_junk_hosts: HostSet,
    pub(crate) host_lookup: HostSet,
    pub(crate) host_lookup_timeout: Duration,
    pub(crate) dns_resolver: Option<SocketAddr>,
    pub(crate) proxy_required_hosts: RequiredHosts,
    pub(crate) proxy_protocol_timeout: Duration,
    pub(crate) proxy_refusal: RefusalMode,
    pub(crate) tls_advertise_hosts: HostSet,
    pub(crate) tls_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) log_proxy: bool,
    pub(crate) log_format: LogFormat,
}

impl Config {
    /// Reads and checks a file; without one, everything has its default.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Self::check(Options::default()) };
        let file = || path.to_owned();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: file(), source })?;
        Self::parse(&text)
    }

    /// Parses and checks the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut table = text.parse::<toml::Table>()?;
        let macros = Macros::take(&mut table)?;
        table.retain(|option, _| Place::named(option).is_none());
        macros.put_into_all(&mut table)?;
        let config = Self::check(Options::deserialize(table)?)?;
        let rules = Rules::read(text, &macros, &Home { kinds: KINDS, host: &config.host })?;
        Ok(Self { rules, ..config })
    }

    fn check(options: Options) -> Result<Self, ConfigError> {
        let name = &options.primary_hostname;
        let host: Domain = name
            .parse()
            .map_err(|_| ConfigError::Domain { option: "primary_hostname", item: 1 })?;
        if options.message_size_limit.0 > LARGEST {
            return Err(ConfigError::MessageSize);
        }
        let tls_certificate = match (options.tls_certificate, options.tls_privatekey) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(both), None) => Some((both.clone(), both)),
            (None, Some(_)) => return Err(ConfigError::NoCertificate),
        };
        let relay_to_domains = domains("relay_to_domains", &options.relay_to_domains)?;
        if !relay_to_domains.is_empty() && options.route_data.is_none() {
            return Err(ConfigError::NoRoute);
        }
        let maildir = options.maildir.unwrap_or_else(|| options.spool_directory.join("maildir"));
        Ok(Self {
            rules: Rules::default(),
            listen: interfaces(&options.local_interfaces)?,
            store: options.store,
            maildir,
            local_domains: local_hosts(&options.local_domains, &host)?,
            local_parts: List::new(&options.local_parts).map(|p| p.to_lowercase()).collect(),
            relay_to_domains,
            route_data: options.route_data,
            message_memory_limit: usize::try_from(options.message_memory_limit.0)
                .unwrap_or(usize::MAX),
            hosts_try_prdr: hosts("hosts_try_prdr", &options.hosts_try_prdr)?,
            smtp_accept_max: options.smtp_accept_max,
            smtp_accept_max_per_host: options.smtp_accept_max_per_host,
            smtp_receive_timeout: options.smtp_receive_timeout.0,
            helo_accept_junk_hosts: hosts(
                "helo_accept_junk_hosts",
                &options.helo_accept_junk_hosts,
            )?,
            host_lookup: hosts("host_lookup", &options.host_lookup)?,
            host_lookup_timeout: options.host_lookup_timeout.0,
            dns_resolver: options.dns_resolver,
            proxy_required_hosts: proxies(&options.proxy_required_hosts)?,
            proxy_protocol_timeout: options.proxy_protocol_timeout.0,
            proxy_refusal: options.proxy_refusal.into(),
            tls_advertise_hosts: hosts("tls_advertise_hosts", &options.tls_advertise_hosts)?,
            tls_certificate,
            log_proxy: log_selector(&options.log_selector)?,
            log_format: options.log_format,
            spool_directory: options.spool_directory,
            host: host.clone(),
            session: SessionSettings {
                primary_hostname: host.to_string(),
                smtp_banner: options.smtp_banner,
                message_size_limit: options.message_size_limit.0,
                recipients_max: options.recipients_max,
                received_headers_max: options.received_headers_max,
                smtp_max_synprot_errors: options.smtp_max_synprot_errors,
                smtp_max_unknown_commands: options.smtp_max_unknown_commands,
                smtp_accept_max_nonmail: options.smtp_accept_max_nonmail,
                smtp_accept_max_per_connection: options.smtp_accept_max_per_connection,
                tls_advertise: true,
                prdr_enable: options.prdr_enable,
            },
        })
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    #[error(transparent)]
    Macro(#[from] MacroError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error("{option}: item {item} is not a domain")]
    Domain { option: &'static str, item: usize },
    #[error("{option}: {source}")]
    Hosts { option: &'static str, source: HostSetError },
    #[error("proxy_required_hosts: give addresses, not names")]
    NamedProxy,
    #[error("local_interfaces: item {item} is not an address and a port")]
    Interface { item: usize },
    #[error("local_interfaces: nothing to listen on")]
    NoInterface,
    #[error("log_selector: item {item} is not known")]
    LogSelector { item: usize },
    #[error("message_size_limit: more than 2G, which a record of the journal cannot hold")]
    MessageSize,
    #[error("tls_privatekey is set, but tls_certificate is not")]
    NoCertificate,
    #[error("relay_to_domains is set, but route_data, the next hop, is not")]
    NoRoute,
}

fn hosts(option: &'static str, text: &str) -> Result<HostSet, ConfigError> {
    HostSet::new(List::new(text)).map_err(|source| ConfigError::Hosts { option, source })
}

/// A proxy's name is not looked up: one that is down or forged would let connections through without
/// a header.
fn proxies(text: &str) -> Result<RequiredHosts, ConfigError> {
    let hosts = hosts("proxy_required_hosts", text)?;
    if hosts.needs_names() { Err(ConfigError::NamedProxy) } else { Ok(hosts.into()) }
}

fn domains(option: &'static str, text: &str) -> Result<Vec<Domain>, ConfigError> {
    let parse = |(at, item): (usize, std::borrow::Cow<'_, str>)| {
        Domain::from_unicode(&item).map_err(|_| ConfigError::Domain { option, item: at + 1 })
    };
    List::new(text).enumerate().map(parse).collect()
}

/// `@` is this host.
fn local_hosts(text: &str, host: &Domain) -> Result<Vec<MailHost>, ConfigError> {
    let parse = |(at, item): (usize, std::borrow::Cow<'_, str>)| match &*item {
        "@" => Ok(host.clone().into()),
        literal if literal.starts_with('[') => literal.parse().map_err(|_| at + 1),
        domain => Domain::from_unicode(domain).map(MailHost::from).map_err(|_| at + 1),
    };
    let option = "local_domains";
    let items = List::new(text).enumerate().map(parse);
    items.collect::<Result<_, _>>().map_err(|item| ConfigError::Domain { option, item })
}

/// Exim writes `192.0.2.1.25`; `[::1]:25` and `192.0.2.1:25` are taken too, the latter alone or in a
/// list with another separator.
fn interfaces(text: &str) -> Result<Vec<SocketAddr>, ConfigError> {
    if let Ok(address) = text.trim().parse() {
        return Ok(vec![address]);
    }
    let mut found = Vec::new();
    for (at, item) in List::new(text).enumerate() {
        let dotted = item.rsplit_once('.').and_then(|(address, port)| {
            Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, port.parse().ok()?))
        });
        let address = item.parse().ok().or(dotted);
        found.push(address.ok_or(ConfigError::Interface { item: at + 1 })?);
    }
    if found.is_empty() { Err(ConfigError::NoInterface) } else { Ok(found) }
}

/// Tells whether `+proxy` is selected.
fn log_selector(text: &str) -> Result<bool, ConfigError> {
    let mut proxy = false;
    for (at, word) in text.split_whitespace().enumerate() {
        proxy = match word {
            "+proxy" => true,
            "-proxy" => false,
            _ => return Err(ConfigError::LogSelector { item: at + 1 }),
        };
    }
    Ok(proxy)
}

/// What the system calls this host, if that is a domain.
fn system_hostname() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.parse::<Domain>().is_ok() { name } else { "localhost".into() }
}

/// The largest `message_size_limit`, in octets: the journal counts a record's in 32 bits.
const LARGEST: u64 = 2 << 30;
