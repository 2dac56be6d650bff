//! The configuration: a TOML file with Exim's option names.

mod bare_text;
mod checks;
mod clients;
mod config_error;
mod dmarc;
mod effect;
mod event_sources;
pub(crate) mod events;
pub(crate) mod events_error;
#[cfg(feature = "gateway")]
pub mod expander;
#[cfg(feature = "gateway")]
mod expander_session;
#[cfg(feature = "gateway")]
mod faults;
mod files;
mod idle_rules;
mod lookups;
pub(crate) mod manual;
#[cfg(feature = "gateway")]
pub mod opening;
mod option_lines;
mod options;
mod remote;
mod storage;
mod tables;
mod tls;
mod warnings;
mod written;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use event_expand::ListKind;
use mail_types::smtp::Domain;

pub(crate) use config_error::ConfigError;
pub use config_error::InvalidConfig;
use events::EventOptions;
pub(crate) use lookups::LookupOptionError;
use manual::ManualOption;
pub use manual::{help, print_config};
use option_lines::OptionLines;
pub(crate) use options::ConfigOptions;
pub(crate) use remote::RemoteOptions;
#[cfg(feature = "gateway")]
use remote::{NextHopKind, RemoteUse};
use tables::Tables;

use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::delivery::routing::{Routing, RoutingTexts};
#[cfg(feature = "gateway")]
use crate::gateway::delivery::sender::SenderOptions;
use crate::gateway::delivery::settings::RemoteSettings;
use crate::gateway::dns::options::DnsOptions;
use crate::gateway::lookups::language::{FileCheck, Language, NamedLists};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::policy::condition::{KINDS, RuleScope};
#[cfg(feature = "gateway")]
use crate::gateway::policy::named_rules::NamedRules;
use crate::gateway::policy::rules::Rules;
use crate::gateway::server::settings::{
    LiveSettings, ProxySettings, ServerSettings, StartupSettings,
};
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::telemetry::log_format::LogFormat;
use crate::gateway::telemetry::log_selector::LogSelector;

/// The configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// How log lines are written.
    pub log_format: LogFormat,
    /// The name servers that are asked.
    pub dns: DnsOptions,
    /// What the server is started with.
    pub server: ServerSettings,
    /// Warnings about valid options, for the administrator.
    pub warnings: Vec<String>,
}

impl Config {
    /// Parses and checks the text of a file.
    ///
    /// # Errors
    ///
    /// The first fault, with the line of the option.
    pub fn parse(text: &str) -> Result<Self, InvalidConfig> {
        Ok(Self::read_text(text, None).map_err(|error| located(text, error))?)
    }

    /// The same, and has the files checked that lookups and lists name.
    pub(crate) fn parse_and_open(
        text: &str,
        check: fn(&LookupSettings) -> FileCheck,
    ) -> Result<Self, ConfigError> {
        Self::read_text(text, Some(check)).map_err(|error| located(text, error))
    }

    /// Parses and checks the text of a file for a program that only sends: the rules and the options of the
    /// server may be there, and have no effect.
    ///
    /// # Errors
    ///
    /// The first fault, with the line of the option.
    #[cfg(feature = "gateway")]
    pub fn for_sender(text: &str) -> Result<SenderOptions, InvalidConfig> {
        Ok(Self::read_for_sender(text).map_err(|error| located(text, error))?)
    }

    #[cfg(feature = "gateway")]
    fn read_for_sender(text: &str) -> Result<SenderOptions, ConfigError> {
        let Tables { macros, callable, remote, events, options } = Tables::read(text)?;
        let events = events.without_default();
        let options = option_lines::read(options)?;
        let common = Common::read(&options, callable, None)?;
        let actions = events.acts_on_remote().then(|| events::settings(&events, &common.language));
        let events = actions.transpose()?;
        let lists = NamedRules::of_texts(text, &macros, &common.home())?;
        let use_of = RemoteUse { relays: true, prdr: true, next_hop: NextHopKind::Domain };
        if let Some((option, cause)) = remote.without_effect(use_of) {
            return Err(ConfigError::NoEffect { option, cause });
        }
        Ok(SenderOptions {
            remote: remote.settings(&common.home())?,
            lookups: common.lookups,
            events,
            lists,
            spool_directory: options.spool_directory.clone(),
            dns: dns(&options),
        })
    }

    /// Returns the line of an option in a text.
    pub(crate) fn line(text: &str, option: &str) -> Option<usize> {
        OptionLines::of(text).line(option)
    }

    /// Returns the text of a file.
    ///
    /// # Errors
    ///
    /// The line of the first octet that is not UTF-8.
    #[cfg(feature = "gateway")]
    pub fn decode(octets: Vec<u8>) -> Result<String, InvalidConfig> {
        Ok(decoded(octets)?)
    }

    /// Reads the text of a file; without one it is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not of UTF-8: then with the line of the first wrong octet.
    pub(crate) fn text(path: Option<&Path>) -> Result<String, ConfigError> {
        path.map_or(Ok(String::new()), |path| {
            let unread = |source| ConfigError::Read { path: path.to_owned(), source };
            decoded(std::fs::read(path).map_err(unread)?)
        })
    }

    fn read_text(
        text: &str,
        check: Option<fn(&LookupSettings) -> FileCheck>,
    ) -> Result<Self, ConfigError> {
        let Tables { macros, callable, remote, events, options } = Tables::read(text)?;
        checks::unexpanded(&options)?;
        checks::paths(&options)?;
        let options = option_lines::read(options)?;
        let common = Common::read(&options, callable, check)?;
        let language = Arc::clone(&common.language);
        let mut startup = common.startup(&options, &events)?;
        let live = common.live(&options, &remote, text, &macros)?;
        effect::check((&options, &events, &remote), &startup, &live, &language)?;
        let reserved = files::check(&options, &startup, &live)?;
        startup.mailboxes.keep_off(reserved);
        let (log_format, dns) = (options.log_format, dns(&options));
        let warnings = warnings::all(text, &startup, &live);
        Ok(Self { log_format, dns, server: ServerSettings { startup, live }, warnings })
    }
}

/// Decodes a file; an error has the line of the first octet that is not UTF-8.
fn decoded(octets: Vec<u8>) -> Result<String, ConfigError> {
    String::from_utf8(octets).map_err(|error| {
        let (octets, valid) = (error.as_bytes(), error.utf8_error().valid_up_to());
        let line = 1 + octets.iter().take(valid).filter(|octet| **octet == b'\n').count();
        let octet = octets.get(valid).copied().unwrap_or_default();
        ConfigError::At { line, source: Box::new(ConfigError::NotUtf8 { octet }) }
    })
}

/// What several settings are made of.
struct Common {
    host: Domain,
    spf: SpfSettings,
    dmarc: DmarcSettings,
    lookups: LookupSettings,
    /// What texts may reach.
    language: Arc<Language>,
}

impl Common {
    fn read(
        options: &ConfigOptions,
        acls: BTreeSet<String>,
        check: Option<fn(&LookupSettings) -> FileCheck>,
    ) -> Result<Self, ConfigError> {
        let name = &options.primary_hostname;
        let host = name.parse().map_err(|_| no_hostname(name))?;
        checks::limits(options)?;
        let (spf, dmarc) = (spf(options)?, dmarc::settings(options)?);
        let lookups = lookups::settings(options)?;
        let language = language(options, &lookups)?.calling(acls);
        let language = Arc::new(match check {
            Some(check) => language.checking(check(&lookups)),
            None => language,
        });
        Ok(Self { host, spf, dmarc, lookups, language })
    }

    /// The lookups, variables and limits for reading rules and lists.
    fn home(&self) -> RuleScope<'_> {
        let Self { host, spf, dmarc, language, .. } = self;
        RuleScope { kinds: KINDS, host, language, spf, dmarc, is_option: ManualOption::exists }
    }

    fn startup(
        &self,
        options: &ConfigOptions,
        events: &EventOptions,
    ) -> Result<StartupSettings, ConfigError> {
        let mailboxes = storage::mailboxes(options, &self.home())?;
        let listen = checks::interfaces(&options.local_interfaces)?;
        Ok(StartupSettings {
            reports: dmarc::reports(options, &self.host)?,
            events: events::settings(events, &self.language)?,
            metrics: checks::metrics(&options.metrics_interface, &listen)?,
            listen: checks::tls_on_connect(&options.tls_on_connect_ports, listen)?,
            store: storage::store(options, &mailboxes, &self.host),
            mailboxes,
            spool_directory: options.spool_directory.clone(),
            message_memory_limit: usize::try_from(options.message_memory_limit.0)
                .unwrap_or(usize::MAX),
            smtp_data_min_rate: options.smtp_data_min_rate.0,
            smtp_accept_max: options.smtp_accept_max,
            smtp_accept_max_per_host: options.smtp_accept_max_per_host,
            host: self.host.clone(),
            written: written::options(options, events),
        })
    }

    fn live(
        self,
        options: &ConfigOptions,
        remote: &RemoteOptions,
        text: &str,
        macros: &Macros,
    ) -> Result<LiveSettings, ConfigError> {
        let home = self.home();
        let (host, language) = (home.host, home.language);
        let log_selector = LogSelector::read(&options.log_selector)?;
        Ok(LiveSettings {
            session: session(options, host)?,
            tls: tls::settings(options, language)?,
            clients: clients::read(options, &home)?,
            routing: routing(options, &home)?,
            remote: RemoteSettings { log_selector, ..remote.settings(&home)? },
            smtp_receive_timeout: options.smtp_receive_timeout.0,
            host_lookup_timeout: options.host_lookup_timeout.0,
            message_body_visible: usize::try_from(options.message_body_visible.0)
                .unwrap_or(usize::MAX),
            proxy: ProxySettings {
                timeout: options.proxy_protocol_timeout.0,
                ipv4_in_tcp6: options.proxy_ipv4_in_tcp6,
                refusal: options.proxy_refusal.into(),
            },
            envelope_to_add: options.envelope_to_add,
            log_selector,
            rules: Rules::read(text, macros, &home)?,
            spf: self.spf,
            dmarc: self.dmarc,
            lookups: self.lookups,
        })
    }
}

/// Puts the line in front of an error.
fn located(text: &str, error: ConfigError) -> ConfigError {
    OptionLines::of(text).locate(bare_text::reword(text, error))
}

/// Says what must be written instead of U-labels.
fn no_hostname(name: &str) -> ConfigError {
    match Domain::from_unicode(name) {
        Ok(domain) if !name.is_ascii() => ConfigError::Value {
            option: "primary_hostname".to_owned(),
            problem: format!("{name} is not ASCII; write its A-labels, {domain}"),
        },
        _ => ConfigError::Hostname,
    }
}

/// Whom the DNS is asked by.
fn dns(options: &ConfigOptions) -> DnsOptions {
    DnsOptions { server: options.dns_resolver, trust_ad: options.dns_trust_ad }
}

/// Takes the named lists in; two options are such lists anyway.
fn language(options: &ConfigOptions, lookups: &LookupSettings) -> Result<Language, ConfigError> {
    let mut lists = NamedLists::default();
    let ConfigOptions { addresslist, domainlist, hostlist, localpartlist, .. } = options;
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

/// Reads where mail goes; what goes on has somewhere to go.
fn routing(options: &ConfigOptions, home: &RuleScope<'_>) -> Result<Routing, ConfigError> {
    let ConfigOptions { local_domains, local_parts, relay_to_domains, route_data, .. } = options;
    let route_data = route_data.as_deref();
    let texts = RoutingTexts { local_domains, local_parts, relay_to_domains, route_data };
    let routing = Routing::read(&texts, home)
        .map_err(|(option, problem)| ConfigError::List { option, problem })?;
    match routing.known_route() {
        None if routing.relays() && route_data.is_none() => Err(ConfigError::NoRoute),
        Some(Err(source)) => Err(ConfigError::Route { source }),
        _ => match checks::kept(relay_to_domains, &routing) {
            Some(error) => Err(error),
            None => Ok(routing),
        },
    }
}

fn session(options: &ConfigOptions, host: &Domain) -> Result<SessionSettings, ConfigError> {
    Ok(SessionSettings {
        primary_hostname: host.to_string(),
        smtp_banner: checks::banner(options, host)?,
        message_size_limit: options.message_size_limit.0,
        recipients_max: options.recipients_max,
        header_maxsize: usize::try_from(options.header_maxsize.0).unwrap_or(usize::MAX),
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

fn spf(options: &ConfigOptions) -> Result<SpfSettings, ConfigError> {
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
