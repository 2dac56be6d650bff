//! The configuration: a TOML file with Exim's option names.

mod config_error;
mod dmarc;
pub(crate) mod events;
mod lookups;
pub mod opening;
mod option_lines;
mod options;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use event_expand::ListKind;
use mail_types::{Domain, HostSet, List};
use proxy_protocol::{RefusalMode, RequiredHosts};

use crate::gateway::delivery::routing::{Routing, RoutingTexts};
use crate::gateway::lookups::language::{FileCheck, Language, NamedLists};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::client_lists::{ClientList, ClientLists};
use crate::gateway::policy::condition::{Home, KINDS};
use crate::gateway::policy::conditions::dmarc::DmarcSettings;
use crate::gateway::policy::conditions::spf::SpfSettings;
use crate::gateway::policy::rules::{Problem, Rules};
use crate::gateway::policy::stage::Place;
use crate::gateway::smtp::session::SessionSettings;
pub(crate) use config_error::ConfigError;
pub use config_error::InvalidConfig;
pub(crate) use dmarc::ReportSettings;
use events::{EventOptions, EventSettings};
pub(crate) use lookups::LookupOptionError;
pub use lookups::LookupSettings;
#[cfg(feature = "pgsql")]
pub(crate) use lookups::PgsqlServer;
use option_lines::OptionLines;
pub use options::LogFormat;
pub(crate) use options::{Options, StoreKind};

/// The configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// What stands in the lists `acl_smtp_…`.
    pub rules: Rules,
    /// What sessions offer, and their limits.
    pub session: SessionSettings,
    /// This host's name.
    pub(crate) host: Domain,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) spool_directory: PathBuf,
    pub(crate) store: StoreKind,
    pub(crate) maildir: PathBuf,
    pub(crate) routing: Routing,
    pub(crate) route_data: Option<String>,
    pub(crate) message_memory_limit: usize,
    pub(crate) hosts_try_prdr: HostSet,
    pub(crate) smtp_accept_max: usize,
    pub(crate) smtp_accept_max_per_host: usize,
    /// `None` is for all but trusted proxies and those on loopback.
    /// In octets a second.
    pub(crate) smtp_data_min_rate: u64,
    pub(crate) smtp_receive_timeout: Duration,
    pub(crate) host_lookup_timeout: Duration,
    /// The name server that is asked; without one, the system's.
    pub dns_resolver: Option<SocketAddr>,
    pub(crate) proxy_required_hosts: RequiredHosts,
    pub(crate) proxy_protocol_timeout: Duration,
    pub(crate) proxy_ipv4_in_tcp6: bool,
    pub(crate) proxy_refusal: RefusalMode,
    /// The options that are lists of clients.
    pub(crate) clients: ClientLists,
    pub(crate) tls_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) log_proxy: bool,
    /// How log lines are written.
    pub log_format: LogFormat,
    pub(crate) spf: SpfSettings,
    pub(crate) dmarc: DmarcSettings,
    pub(crate) reports: ReportSettings,
    pub(crate) events: EventSettings,
    /// What lookups work with.
    pub lookups: LookupSettings,
    /// What texts may reach.
    pub(crate) language: Arc<Language>,
}

impl Config {
    /// Reads and checks a file; without one, everything has its default.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the line of the option.
    pub fn read(path: Option<&Path>) -> Result<Self, InvalidConfig> {
        Self::parse(&Self::text(path)?)
    }

    /// Parses and checks the text of a file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the line of the option.
    pub fn parse(text: &str) -> Result<Self, InvalidConfig> {
        Ok(Self::read_text(text, None).map_err(|error| OptionLines::of(text).locate(error))?)
    }

    /// The same, and has the files checked that lookups and lists name.
    pub(crate) fn parse_and_open(
        text: &str,
        check: fn(&LookupSettings) -> FileCheck,
    ) -> Result<Self, ConfigError> {
        Self::read_text(text, Some(check)).map_err(|error| OptionLines::of(text).locate(error))
    }

    /// Returns the line of an option in a text.
    pub(crate) fn line(text: &str, option: &str) -> Option<usize> {
        OptionLines::of(text).line(option)
    }

    /// Reads the text of a file; without one it is empty.
    pub(crate) fn text(path: Option<&Path>) -> Result<String, ConfigError> {
        path.map_or(Ok(String::new()), |path| {
            let unread = |source| ConfigError::Read { path: path.to_owned(), source };
            std::fs::read_to_string(path).map_err(unread)
        })
    }

    fn read_text(
        text: &str,
        check: Option<fn(&LookupSettings) -> FileCheck>,
    ) -> Result<Self, ConfigError> {
        let mut table = text.parse::<toml::Table>()?;
        let macros = Macros::take(&mut table)?;
        table.retain(|option, _| Place::named(option).is_none());
        macros.put_into_all(&mut table)?;
        let events = EventOptions::take(&mut table)?;
        let unexpanded = |(_, value): &(&String, &toml::Value)| {
            value.as_str().is_some_and(|text| text.contains('$'))
        };
        let plain = table.iter().filter(|(name, _)| NOT_EXPANDED.contains(&name.as_str()));
        if let Some((name, _)) = plain.into_iter().find(unexpanded) {
            return Err(ConfigError::NotExpanded { option: name.clone() });
        }
        let config = Self::of_options(OptionLines::options(table)?, events, check)?;
        let Self { host, language, spf, dmarc, .. } = &config;
        let home = Home { kinds: KINDS, host, language, spf, dmarc };
        let rules = Rules::read(text, &macros, &home)?;
        Ok(Self { rules, ..config })
    }

    fn of_options(
        options: Options,
        events: EventOptions,
        check: Option<fn(&LookupSettings) -> FileCheck>,
    ) -> Result<Self, ConfigError> {
        let name = &options.primary_hostname;
        let host: Domain = name.parse().map_err(|_| ConfigError::Hostname)?;
        if options.message_size_limit.0 > LARGEST {
            return Err(ConfigError::MessageSize);
        }
        if let Some(option) = zero(&options) {
            return Err(ConfigError::Zero { option });
        }
        let (spf, dmarc) = (spf(&options)?, dmarc::settings(&options)?);
        let reports = dmarc::reports(&options, &host)?;
        let lookups = LookupSettings::read(&options)?;
        let language = language(&options, &lookups)?;
        let language = match check {
            Some(check) => language.checking(check(&lookups)),
            None => language,
        };
        let language = Arc::new(language);
        let events = EventSettings::check(events, &language)?;
        let (session, tls_certificate) = (session(&options, &host), certificate(&options)?);
        let home =
            Home { kinds: KINDS, host: &host, language: &language, spf: &spf, dmarc: &dmarc };
        let listed = |(option, problem)| ConfigError::List { option, problem };
        let clients = clients(&options, &home).map_err(listed)?;
        let Options { local_domains, local_parts, relay_to_domains, .. } = &options;
        let texts = RoutingTexts { local_domains, local_parts, relay_to_domains };
        let routing = Routing::read(&texts, &home).map_err(listed)?;
        if routing.relays() && options.route_data.is_none() {
            return Err(ConfigError::NoRoute);
        }
        if options.route_data.as_deref().is_some_and(|route| !is_next_hop(route)) {
            return Err(ConfigError::Route);
        }
        let maildir = options.maildir.unwrap_or_else(|| options.spool_directory.join("maildir"));
        Ok(Self {
            rules: Rules::default(),
            listen: interfaces(&options.local_interfaces)?,
            store: options.store,
            maildir,
            routing,
            clients,
            route_data: options.route_data,
            message_memory_limit: usize::try_from(options.message_memory_limit.0)
                .unwrap_or(usize::MAX),
            hosts_try_prdr: hosts("hosts_try_prdr", &options.hosts_try_prdr)?,
            smtp_accept_max: options.smtp_accept_max,
            smtp_accept_max_per_host: options.smtp_accept_max_per_host,
            smtp_data_min_rate: options.smtp_data_min_rate.0,
            smtp_receive_timeout: options.smtp_receive_timeout.0,
            host_lookup_timeout: options.host_lookup_timeout.0,
            dns_resolver: options.dns_resolver,
            proxy_required_hosts: proxies(&options.proxy_required_hosts)?,
            proxy_protocol_timeout: options.proxy_protocol_timeout.0,
            proxy_ipv4_in_tcp6: options.proxy_ipv4_in_tcp6,
            proxy_refusal: options.proxy_refusal.into(),
            tls_certificate,
            log_proxy: log_selector(&options.log_selector)?,
            log_format: options.log_format,
            spf,
            dmarc,
            reports,
            events,
            lookups,
            language,
            spool_directory: options.spool_directory,
            host,
            session,
        })
    }
}

/// Returns the first limit that is 0, where a limit must be: with most of these 0 means no limit in
/// Exim, and a server without one can be filled up. `smtp_accept_max_per_connection = 0` is taken, and is
/// no limit.
fn zero(options: &Options) -> Option<&'static str> {
    [
        ("smtp_accept_max", options.smtp_accept_max == 0),
        ("recipients_max", options.recipients_max == 0),
        ("message_size_limit", options.message_size_limit.0 == 0),
        ("message_memory_limit", options.message_memory_limit.0 == 0),
        ("smtp_receive_timeout", options.smtp_receive_timeout.0.is_zero()),
        ("proxy_protocol_timeout", options.proxy_protocol_timeout.0.is_zero()),
    ]
    .into_iter()
    .find_map(|(option, is_zero)| is_zero.then_some(option))
}

/// `host:port`, with a name, an address or, in brackets, one of version 6.
fn is_next_hop(route: &str) -> bool {
    let Some((host, port)) = route.rsplit_once(':') else { return false };
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok() || host.parse::<Domain>().is_ok(),
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Takes the named lists in; two options are such lists anyway.
fn language(options: &Options, lookups: &LookupSettings) -> Result<Language, ConfigError> {
    let mut lists = NamedLists::default();
    let Options { addresslist, domainlist, hostlist, localpartlist, .. } = options;
    let tables = [addresslist, domainlist, hostlist, localpartlist];
    for (kind, named) in ListKind::ALL.into_iter().zip(tables) {
        for (name, text) in named {
            let sound = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
            if name.is_empty() || !name.bytes().all(sound) {
                return Err(ConfigError::ListName { table: kind.table(), name: name.clone() });
            }
            lists.add(kind, name, text);
        }
    }
    lists.add(ListKind::Domain, "local_domains", &options.local_domains);
    lists.add(ListKind::Domain, "relay_to_domains", &options.relay_to_domains);
    Ok(Language::new(lookups.options(), lookups.available(), lists))
}

fn session(options: &Options, host: &Domain) -> SessionSettings {
    SessionSettings {
        primary_hostname: host.to_string(),
        smtp_banner: options.smtp_banner.clone(),
        message_size_limit: options.message_size_limit.0,
        recipients_max: options.recipients_max,
        received_headers_max: options.received_headers_max,
        smtp_max_synprot_errors: options.smtp_max_synprot_errors,
        smtp_max_unknown_commands: options.smtp_max_unknown_commands,
        smtp_accept_max_nonmail: options.smtp_accept_max_nonmail,
        smtp_max_refused: options.smtp_max_refused,
        smtp_accept_max_per_connection: options.smtp_accept_max_per_connection,
        tls_advertise: true,
        prdr_enable: options.prdr_enable,
    }
}

/// The files of the certificate and its key, which may be one.
fn certificate(options: &Options) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    match (options.tls_certificate.clone(), options.tls_privatekey.clone()) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(both), None) => Ok(Some((both.clone(), both))),
        (None, Some(_)) => Err(ConfigError::NoCertificate),
    }
}

fn spf(options: &Options) -> Result<SpfSettings, ConfigError> {
    let mut settings = SpfSettings::default();
    settings.options.loopback_passes = options.spf_loopback_passes;
    let limits = &mut settings.options.limits;
    (limits.lookups, limits.void_lookups) = (options.spf_lookups, options.spf_void_lookups);
    limits.time = options.spf_timeout.0;
    if let Some(text) = &options.spf_guess {
        let record = text.parse().map_err(|source| ConfigError::SpfGuess { source })?;
        settings.guess = Some(Arc::new(record));
    }
    if let Some(text) = &options.spf_smtp_comment_template {
        let comment = text.parse().map_err(|source| ConfigError::SpfComment { source })?;
        settings.comment = Some(comment);
    }
    Ok(settings)
}

/// The hosts whose refused recipients are counted, if the option names them.
fn hosts(option: &'static str, text: &str) -> Result<HostSet, ConfigError> {
    HostSet::new(List::new(text)).map_err(|source| ConfigError::Hosts { option, source })
}

/// A proxy's name is not looked up: one that is down or forged would let connections through without
/// a header.
fn proxies(text: &str) -> Result<RequiredHosts, ConfigError> {
    let hosts = hosts("proxy_required_hosts", text)?;
    if hosts.needs_names() { Err(ConfigError::NamedProxy) } else { Ok(hosts.into()) }
}

fn clients(options: &Options, home: &Home<'_>) -> Result<ClientLists, (&'static str, Problem)> {
    let list = |option, text: &str, otherwise| ClientList::read(option, text, otherwise, home);
    let refused = options.smtp_max_refused_hosts.as_deref();
    Ok(ClientLists {
        // Who is not known is tested, is offered TLS, and is counted.
        dmarc_verify_hosts: list("dmarc_verify_hosts", &options.dmarc_verify_hosts, true)?,
        helo_accept_junk_hosts: list(
            "helo_accept_junk_hosts",
            &options.helo_accept_junk_hosts,
            false,
        )?,
        host_lookup: list("host_lookup", &options.host_lookup, true)?,
        tls_advertise_hosts: list("tls_advertise_hosts", &options.tls_advertise_hosts, true)?,
        smtp_max_refused_hosts: refused
            .map(|text| list("smtp_max_refused_hosts", text, true))
            .transpose()?,
    })
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

/// The largest `message_size_limit`, in octets: the journal counts a record's in 32 bits.
const LARGEST: u64 = 2 << 30;

/// The options whose text is not expanded, where a `$` is a mistake.
const NOT_EXPANDED: &[&str] = &[
    "dmarc_forensic_sender",
    "dmarc_history_file",
    "dmarc_tld_file",
    "hosts_proxy",
    "hosts_try_prdr",
    "local_interfaces",
    "log_selector",
    "lookup_directories",
    "maildir",
    "primary_hostname",
    "proxy_required_hosts",
    "route_data",
    "smtp_banner",
    "spool_directory",
    "sqlite_dbfile",
    "tls_certificate",
    "tls_privatekey",
];
