//! Faults of a configuration.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use dmarc_policy::SuffixFileError;
use spf_result::{MacroError, RecordError};
use thiserror::Error;

use super::LookupOptionError;
use super::events_error::EventsError;
#[cfg(feature = "gateway")]
use super::opening::CheckError;
use crate::gateway::delivery::next_hop::RouteError;
use crate::gateway::lookups::macros;
use crate::gateway::policy::rules::{Problem, RuleError};
use crate::gateway::telemetry::log_selector::LogSelectorError;

/// The reason why a configuration is refused, for people.
#[derive(Debug)]
pub struct InvalidConfig {
    first: Box<dyn Error + Send + Sync>,
    others: Vec<String>,
}

impl InvalidConfig {
    /// Adds other faults.
    #[cfg(feature = "gateway")]
    pub(super) fn with_others(self, others: Vec<String>) -> Self {
        Self { others, ..self }
    }

    /// Returns the other faults that were looked for, each with its line.
    #[must_use]
    pub fn others(&self) -> &[String] {
        &self.others
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)
    }
}

impl Error for InvalidConfig {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first.source()
    }
}

impl From<ConfigError> for InvalidConfig {
    fn from(error: ConfigError) -> Self {
        Self { first: Box::new(error), others: Vec::new() }
    }
}

#[cfg(feature = "gateway")]
impl From<CheckError> for InvalidConfig {
    fn from(error: CheckError) -> Self {
        Self { first: Box::new(error), others: Vec::new() }
    }
}

/// A fault of a configuration.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("line {line}: {source}")]
    At { line: usize, source: Box<Self> },
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the octet {octet:#04X} is not UTF-8; save the file in UTF-8")]
    NotUtf8 { octet: u8 },
    #[error("{} is empty; a reload takes no empty file", path.display())]
    EmptyFile { path: PathBuf },
    #[error("{option}: {problem}")]
    Value { option: String, problem: String },
    #[error("{option}: empty path")]
    Empty { option: String },
    #[error(
        "{option}: $ has no meaning here, since this option is not expanded; write the text itself"
    )]
    NotExpanded { option: String },
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    #[error(transparent)]
    Macro(#[from] macros::MacroError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Events(#[from] EventsError),
    #[error("primary_hostname: not a domain")]
    Hostname,
    #[error("{option}: {problem}")]
    List { option: &'static str, problem: Problem },
    #[error("proxy_required_hosts: give addresses, not names")]
    NamedProxy,
    #[error(
        "local_interfaces: item {item} ({}) is not an address and a port, as 127.0.0.1.2525 or [::1]:2525{hint}",
        text.escape_debug()
    )]
    Interface { item: usize, text: String, hint: String },
    #[error("local_interfaces: item {item} is a duplicate")]
    InterfaceTwice { item: usize },
    #[error(
        "local_interfaces: item {item} conflicts with item {other}: one of them is all addresses, which include the other"
    )]
    InterfaceWithin { item: usize, other: usize },
    #[error("local_interfaces: nothing to listen on")]
    NoInterface,
    #[error("metrics_interface: not an address and a port, as 127.0.0.1.9101")]
    MetricsInterface,
    #[error(
        "metrics_interface: {address} is not a loopback address, as 127.0.0.1 or ::1: metrics are for this host only"
    )]
    MetricsExposed { address: IpAddr },
    #[error("metrics_interface conflicts with item {item} of local_interfaces, which has its port")]
    MetricsPort { item: usize },
    #[error("tls_on_connect_ports: item {item} ({}) is not a port{hint}", text.escape_debug())]
    TlsPort { item: usize, text: String, hint: String },
    #[error("tls_on_connect_ports: item {item}: local_interfaces has no address with port {port}")]
    NoTlsPort { item: usize, port: u16 },
    #[error("tls_on_connect_ports: item {item}: {port} is a duplicate")]
    TlsPortTwice { item: usize, port: u16 },
    #[error("log_selector: {0}")]
    LogSelector(#[from] LogSelectorError),
    #[error(
        "message_memory_limit{} is smaller than message_size_limit{}: no message of that size could be taken",
        place(.lines[0], "512M"), place(.lines[1], "50M")
    )]
    Memory { lines: [Option<usize>; 2] },
    #[error("{option}: the port must not be 0")]
    Port { option: &'static str },
    #[error("{option}: {address} is not a unicast address")]
    NoHost { option: &'static str, address: IpAddr },
    #[error("{option}: mail would be deferred: {cause}")]
    Undeliverable { option: &'static str, cause: &'static str },
    #[error("{option} has no effect: {cause}")]
    NoEffect { option: String, cause: &'static str },
    #[error(
        "{option} is 0: dmarc_reject would refuse mail that only its signature shows to be genuine"
    )]
    Unsigned { option: &'static str },
    #[error(
        "smtp_data_min_rate: at this rate a message of message_size_limit takes less than the first minute, in which no rate is enforced"
    )]
    Rate,
    #[error(
        "relay_to_domains: item {item} ({domain}) is a local domain (local_domains or primary_hostname)"
    )]
    Kept { item: usize, domain: String },
    #[error("{option} and {other} name one file, {}", path.display())]
    OneFile { option: &'static str, other: &'static str, path: PathBuf },
    #[error(
        "{option}: the Maildirs of recipients would be in {}, among the files of {other}", path.display()
    )]
    Among { option: &'static str, other: &'static str, path: PathBuf },
    #[error(
        "{option} and {other} are not apart: {} is within {}", inner.display(), outer.display()
    )]
    NotApart { option: &'static str, other: &'static str, inner: PathBuf, outer: PathBuf },
    #[error("{option}: character {character} is not printable ASCII")]
    NotText { option: &'static str, character: usize },
    #[error(
        "{option}: the line with it has {octets} octets, more than the 512 of a reply (RFC 5321 section 4.5.3.1.5)"
    )]
    Long { option: &'static str, octets: usize },
    #[error("{option} and {other} are two names of one option: give one of them")]
    TwoNames { option: &'static str, other: &'static str },
    #[error("message_size_limit: more than 2G, which a record of the journal cannot hold")]
    MessageSize,
    #[error("message_body_visible: more than 16K, the longest text of a modifier")]
    BodyVisible,
    #[error(
        "{option} must be greater than zero: this server needs a limit here; without the option the default holds"
    )]
    Zero { option: &'static str },
    #[error(
        "{option} and tls_certificate must name as many files, and name {found} and {certificates}"
    )]
    FileCount { option: &'static str, found: usize, certificates: usize },
    #[error("spf_guess: {source}")]
    SpfGuess { source: RecordError },
    #[error("spf_smtp_comment_template: {source}")]
    SpfComment { source: MacroError },
    #[error("dmarc_tld_file: {} cannot be read", path.display())]
    TldFile { path: PathBuf, source: std::io::Error },
    #[error("dmarc_tld_file: {source}")]
    Suffixes { source: SuffixFileError },
    #[error("{option}: not a mail address")]
    Mailbox { option: &'static str },
    #[error(transparent)]
    Lookups(#[from] LookupOptionError),
    #[error("{table}: {name:?} is not a name for a list")]
    ListName { table: &'static str, name: String },
    #[error("{table}: {name} is an option; write it before the tables, as {name} = …")]
    ListOption { table: &'static str, name: String },
    #[error("relay_to_domains is set, but route_data, the next hop, is not")]
    NoRoute,
    #[error(
        "route_data: {source}; examples are mx.example.com:25, [2001:db8::1]:25 and example.com/MX"
    )]
    Route { source: RouteError },
}

impl ConfigError {
    /// Tells whether it is the fault of one option alone, on which no text of another option or rule depends.
    #[cfg(feature = "gateway")]
    pub(super) fn is_independent(&self) -> bool {
        let of_lists = |option: &str| {
            ["acl", "addresslist", "domainlist", "hostlist", "localpartlist", "macros"]
                .iter()
                .any(|table| option.split('.').next() == Some(table))
        };
        match self {
            Self::Value { option, .. } | Self::Empty { option } | Self::NotExpanded { option } => {
                !of_lists(option)
            }
            Self::Events(error) => !matches!(
                error,
                EventsError::Idle { .. } | EventsError::Unset { .. } | EventsError::Unheard { .. }
            ),
            Self::List { .. }
            | Self::Mailbox { .. }
            | Self::Port { .. }
            | Self::NoHost { .. }
            | Self::NotText { .. }
            | Self::Long { .. }
            | Self::Zero { .. }
            | Self::Hostname
            | Self::NamedProxy
            | Self::Interface { .. }
            | Self::InterfaceTwice { .. }
            | Self::NoInterface
            | Self::MetricsInterface
            | Self::MetricsExposed { .. }
            | Self::TlsPort { .. }
            | Self::LogSelector(_)
            | Self::BodyVisible
            | Self::MessageSize
            | Self::SpfGuess { .. }
            | Self::SpfComment { .. }
            | Self::TldFile { .. }
            | Self::Suffixes { .. }
            | Self::Route { .. } => true,
            _ => false,
        }
    }

    /// Returns the option that it is about.
    pub(super) fn option(&self) -> Option<String> {
        Some(match self {
            Self::Value { option, .. }
            | Self::Empty { option }
            | Self::NoEffect { option, .. }
            | Self::NotExpanded { option } => option.clone(),
            Self::List { option, .. }
            | Self::Mailbox { option }
            | Self::Port { option }
            | Self::NoHost { option, .. }
            | Self::Undeliverable { option, .. }
            | Self::Unsigned { option }
            | Self::OneFile { option, .. }
            | Self::Among { option, .. }
            | Self::NotApart { option, .. }
            | Self::NotText { option, .. }
            | Self::Long { option, .. }
            | Self::TwoNames { option, .. }
            | Self::Zero { option }
            | Self::FileCount { option, .. } => (*option).to_owned(),
            Self::Rule(RuleError::List { table, name, .. })
            | Self::ListName { table, name }
            | Self::ListOption { table, name } => format!("{table}.{name}"),
            Self::Macro(error) => error.option(),
            Self::Memory { lines: [Some(_), _] } => "message_memory_limit".to_owned(),
            Self::Hostname => "primary_hostname".to_owned(),
            Self::NamedProxy => "proxy_required_hosts".to_owned(),
            Self::Interface { .. }
            | Self::InterfaceTwice { .. }
            | Self::InterfaceWithin { .. }
            | Self::NoInterface => "local_interfaces".to_owned(),
            Self::MetricsInterface | Self::MetricsExposed { .. } | Self::MetricsPort { .. } => {
                "metrics_interface".to_owned()
            }
            Self::TlsPort { .. } | Self::NoTlsPort { .. } | Self::TlsPortTwice { .. } => {
                "tls_on_connect_ports".to_owned()
            }
            Self::LogSelector(_) => "log_selector".to_owned(),
            Self::BodyVisible => "message_body_visible".to_owned(),
            Self::MessageSize | Self::Memory { .. } => "message_size_limit".to_owned(),
            Self::SpfGuess { .. } => "spf_guess".to_owned(),
            Self::SpfComment { .. } => "spf_smtp_comment_template".to_owned(),
            Self::TldFile { .. } | Self::Suffixes { .. } => "dmarc_tld_file".to_owned(),
            Self::Events(error) => error.option(),
            Self::Lookups(error) => error.option().to_owned(),
            Self::Rate => "smtp_data_min_rate".to_owned(),
            Self::NoRoute | Self::Kept { .. } => "relay_to_domains".to_owned(),
            Self::Route { .. } => "route_data".to_owned(),
            Self::At { .. }
            | Self::Read { .. }
            | Self::EmptyFile { .. }
            | Self::NotUtf8 { .. }
            | Self::Toml(_)
            | Self::Rule(_) => return None,
        })
    }
}

/// Where one of two options stands that do not go together.
fn place(line: Option<usize>, default: &str) -> String {
    match line {
        Some(line) => format!(" (line {line})"),
        None => format!(" ({default} by default)"),
    }
}
