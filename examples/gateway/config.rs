//! The configuration: a TOML file with Exim's option names.

mod checks;
mod config_error;
mod dmarc;
pub(crate) mod events;
mod lookups;
pub mod opening;
mod option_lines;
mod options;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use event_expand::ListKind;
use mail_types::{Domain, HostSet};
use proxy_protocol::{RefusalMode, RequiredHosts};

use crate::gateway::delivery::routing::{Routing, RoutingTexts};
use crate::gateway::events::settings::EventSettings;
use crate::gateway::lookups::language::{FileCheck, Language, NamedLists};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::policy::client_lists::{ClientList, ClientLists};
use crate::gateway::policy::condition::{Home, KINDS};
use crate::gateway::policy::conditions::dmarc::DmarcSettings;
use crate::gateway::policy::conditions::spf::SpfSettings;
use crate::gateway::policy::rules::Rules;
use crate::gateway::policy::stage::Place;
use crate::gateway::reports::settings::ReportSettings;
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::telemetry::log::LogFormat;
pub(crate) use config_error::ConfigError;
pub use config_error::InvalidConfig;
use events::EventOptions;
pub(crate) use lookups::LookupOptionError;
use option_lines::OptionLines;
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
        checks::unexpanded(&table)?;
        checks::paths(&table)?;
        let config = Self::of_options(option_lines::read(table)?, events, check)?;
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
        checks::limits(&options)?;
        let (spf, dmarc) = (spf(&options)?, dmarc::settings(&options)?);
        let reports = dmarc::reports(&options, &host)?;
        let lookups = lookups::settings(&options)?;
        let language = language(&options, &lookups)?;
        let language = Arc::new(match check {
            Some(check) => language.checking(check(&lookups)),
            None => language,
        });
        let events = events::settings(events, &language)?;
        let (session, tls_certificate) = (session(&options, &host)?, certificate(&options)?);
        let home =
            Home { kinds: KINDS, host: &host, language: &language, spf: &spf, dmarc: &dmarc };
        let clients = clients(&options, &home)?;
        let routing = routing(&options, &home)?;
        let maildir = options.maildir.unwrap_or_else(|| options.spool_directory.join("maildir"));
        Ok(Self {
            rules: Rules::default(),
            listen: checks::interfaces(&options.local_interfaces)?,
            store: options.store,
            maildir,
            routing,
            clients,
            route_data: options.route_data,
            message_memory_limit: usize::try_from(options.message_memory_limit.0)
                .unwrap_or(usize::MAX),
            hosts_try_prdr: checks::hosts("hosts_try_prdr", &options.hosts_try_prdr)?,
            smtp_accept_max: options.smtp_accept_max,
            smtp_accept_max_per_host: options.smtp_accept_max_per_host,
            smtp_data_min_rate: options.smtp_data_min_rate.0,
            smtp_receive_timeout: options.smtp_receive_timeout.0,
            host_lookup_timeout: options.host_lookup_timeout.0,
            dns_resolver: options.dns_resolver,
            proxy_required_hosts: checks::proxies(&options.proxy_required_hosts)?,
            proxy_protocol_timeout: options.proxy_protocol_timeout.0,
            proxy_ipv4_in_tcp6: options.proxy_ipv4_in_tcp6,
            proxy_refusal: options.proxy_refusal.into(),
            tls_certificate,
            log_proxy: checks::log_selector(&options.log_selector)?,
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

/// Takes the named lists in; two options are such lists anyway.
fn language(options: &Options, lookups: &LookupSettings) -> Result<Language, ConfigError> {
    let mut lists = NamedLists::default();
    let Options { addresslist, domainlist, hostlist, localpartlist, .. } = options;
    let tables = [addresslist, domainlist, hostlist, localpartlist];
    for (kind, named) in ListKind::ALL.into_iter().zip(tables) {
        for (name, text) in named {
            let sound = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
            if kind == ListKind::Domain && matches!(&**name, "local_domains" | "relay_to_domains") {
                return Err(ConfigError::ListOption { table: kind.table(), name: name.clone() });
            }
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

/// Reads where mail goes; what goes on has somewhere to go.
fn routing(options: &Options, home: &Home<'_>) -> Result<Routing, ConfigError> {
    let Options { local_domains, local_parts, relay_to_domains, route_data, .. } = options;
    let texts = RoutingTexts { local_domains, local_parts, relay_to_domains };
    let routing = Routing::read(&texts, home)
        .map_err(|(option, problem)| ConfigError::List { option, problem })?;
    match route_data.as_deref() {
        None if routing.relays() => Err(ConfigError::NoRoute),
        Some(route) if !checks::is_next_hop(route) => Err(ConfigError::Route),
        _ => Ok(routing),
    }
}

fn session(options: &Options, host: &Domain) -> Result<SessionSettings, ConfigError> {
    Ok(SessionSettings {
        primary_hostname: host.to_string(),
        smtp_banner: checks::banner(options, host)?,
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
    })
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

fn clients(options: &Options, home: &Home<'_>) -> Result<ClientLists, ConfigError> {
    let list = |option, text: &str, otherwise| {
        ClientList::read(option, text, otherwise, home)
            .map_err(|(option, problem)| ConfigError::List { option, problem })
    };
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
