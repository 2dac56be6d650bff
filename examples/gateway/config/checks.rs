//! Options that are wrong by themselves, or beside another: what cannot work is refused here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mail_types::exim::{List, SeparatorHint};
use mail_types::smtp::{Domain, Mailbox, Reply};
use toml::{Table, Value};

use super::{ConfigError, ConfigOptions};
use crate::gateway::delivery::routing::Routing;
use crate::gateway::policy::text::Text;
use crate::gateway::server::settings::Interface;

/// Refuses a `$` where nothing is expanded.
pub(super) fn unexpanded(table: &Table) -> Result<(), ConfigError> {
    let has_dollar = |value: &Value| value.as_str().is_some_and(|text| text.contains('$'));
    let mut plain = table.iter().filter(|(name, _)| NOT_EXPANDED.contains(&name.as_str()));
    match plain.find(|(_, value)| has_dollar(value)) {
        Some((name, _)) => Err(ConfigError::NotExpanded { option: name.clone() }),
        None => Ok(()),
    }
}

/// Refuses a path that names nothing. `SQLite` takes an empty one, and `:memory:`, for a database that is gone
/// when it is closed. A `~` is a home directory to a shell only.
pub(super) fn paths(table: &Table) -> Result<(), ConfigError> {
    let is_home = |text: &str| text == "~" || text.starts_with("~/");
    let mut paths = table.iter().filter(|(name, _)| PATHS.contains(&name.as_str()));
    if let Some((name, _)) = paths.find(|(_, value)| value.as_str().is_some_and(is_home)) {
        let problem = "~ is not expanded; write the path of the home directory".to_owned();
        return Err(ConfigError::Value { option: name.clone(), problem });
    }
    let names_nothing = |(name, value): &(&String, &Value)| {
        PATHS.contains(&name.as_str()) && matches!(value.as_str(), Some("" | ":memory:"))
    };
    match table.iter().find(names_nothing) {
        Some((name, _)) => Err(ConfigError::Empty { option: name.clone() }),
        None => Ok(()),
    }
}

/// Checks numbers and sizes, each and together.
pub(super) fn limits(options: &ConfigOptions) -> Result<(), ConfigError> {
    if options.message_size_limit.0 > LARGEST {
        return Err(ConfigError::MessageSize);
    }
    if let Some(option) = zero(options) {
        return Err(ConfigError::Zero { option });
    }
    if options.message_body_visible.0 > Text::MAX_LENGTH as u64 {
        return Err(ConfigError::BodyVisible);
    }
    if options.message_memory_limit.0 < options.message_size_limit.0 {
        return Err(ConfigError::Memory { lines: [None, None] });
    }
    let rate = options.smtp_data_min_rate;
    let a_minute = rate.0.saturating_mul(60);
    if rate != ConfigOptions::unwritten().smtp_data_min_rate
        && a_minute > options.message_size_limit.0
    {
        return Err(ConfigError::Rate);
    }
    let unsigned = [
        ("dkim_verify_signatures", options.dkim_verify_signatures == 0),
        ("dkim_verify_header", options.dkim_verify_header.0 == 0),
    ];
    let unsigned = unsigned.into_iter().find(|(_, is_off)| options.dmarc_reject && *is_off);
    if let Some((option, _)) = unsigned {
        return Err(ConfigError::Unsigned { option });
    }
    options.dns_resolver.map_or(Ok(()), resolver)
}

/// Checks that somebody can answer there.
fn resolver(server: SocketAddr) -> Result<(), ConfigError> {
    if server.port() == 0 {
        return Err(ConfigError::Port { option: "dns_resolver" });
    }
    let ip = server.ip().to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || ip == Ipv4Addr::BROADCAST {
        return Err(ConfigError::NoHost { option: "dns_resolver", address: ip });
    }
    Ok(())
}

/// Returns the first limit that is 0, where a limit must be: with most of these 0 means no limit in
/// Exim, and a server without one can be filled up. `smtp_accept_max_per_connection = 0` is taken, and is
/// no limit.
fn zero(options: &ConfigOptions) -> Option<&'static str> {
    [
        ("smtp_accept_max", options.smtp_accept_max == 0),
        ("header_maxsize", options.header_maxsize.0 == 0),
        ("recipients_max", options.recipients_max == 0),
        ("message_size_limit", options.message_size_limit.0 == 0),
        ("message_memory_limit", options.message_memory_limit.0 == 0),
        ("host_lookup_timeout", options.host_lookup_timeout.0.is_zero()),
        ("spf_timeout", options.spf_timeout.0.is_zero()),
        ("dmarc_timeout", options.dmarc_timeout.0.is_zero()),
        ("lookup_timeout", options.lookup_timeout.0.is_zero()),
        ("redis_timeout", options.redis_timeout.as_ref().is_some_and(|time| time.0.is_zero())),
        ("lookup_rows_max", options.lookup_rows_max == 0),
        ("lookup_size_limit", options.lookup_size_limit.0 == 0),
        ("lookup_file_size_limit", options.lookup_file_size_limit.0 == 0),
        ("smtp_receive_timeout", options.smtp_receive_timeout.0.is_zero()),
        ("proxy_protocol_timeout", options.proxy_protocol_timeout.0.is_zero()),
    ]
    .into_iter()
    .find_map(|(option, is_zero)| is_zero.then_some(option))
}

/// The first line that a client hears.
pub(super) fn banner(options: &ConfigOptions, host: &Domain) -> Result<String, ConfigError> {
    let (option, text) = ("smtp_banner", &options.smtp_banner);
    // RFC 5321 section 4.2, textstring.
    let is_text = |c: char| matches!(c, '\t' | ' '..='~');
    if let Some(at) = text.chars().position(|c| !is_text(c)) {
        return Err(ConfigError::NotText { option, character: at + 1 });
    }
    let line = format!("220 {host} {text}\r\n").len();
    if line > Reply::MAX_LINE {
        return Err(ConfigError::Long { option, octets: line });
    }
    Ok(text.clone())
}

/// An address for a header field that any host can take.
pub(super) fn mailbox(option: &'static str, text: &str) -> Result<Mailbox, ConfigError> {
    let mailbox = Mailbox::from_unicode(text).map_err(|_| ConfigError::Mailbox { option })?;
    match mailbox.local_part().chars().position(|c| !c.is_ascii()) {
        Some(at) => Err(ConfigError::NotText { option, character: at + 1 }),
        None => Ok(mailbox),
    }
}

/// Finds a domain to relay to whose mail is kept here, since `local_domains` is asked first.
pub(super) fn kept(relay_to_domains: &str, routing: &Routing) -> Option<ConfigError> {
    if relay_to_domains.contains('$') {
        return None;
    }
    List::new(relay_to_domains).enumerate().find_map(|(at, item)| {
        // Any domain below the one of a wildcard will do.
        let name = item.strip_prefix('*').map_or_else(|| item.to_string(), |end| format!("x{end}"));
        let domain = Domain::from_unicode(&name).ok().filter(|_| item != "*")?;
        let domain = domain.into();
        routing.keeps(&domain).then(|| ConfigError::Kept { item: at + 1, domain: item.to_string() })
    })
}

/// Words the probable mistake with separators in a wrong item, as the end of an error text.
pub(super) fn separator_hint(list: &str, at: usize) -> String {
    let list = List::new(list);
    let separator = list.clone().into_bytes().separator();
    let items: Vec<_> = list.collect();
    let address = |at: usize| {
        let item = items.get(at)?;
        let port = item.rsplit_once('.').filter(|(_, port)| port.parse::<u16>().is_ok());
        Some(port.map_or(&**item, |(address, _)| address).as_bytes())
    };
    let neighbours = [at.checked_sub(1).and_then(address), address(at + 1)];
    let hint = SeparatorHint::find(separator, address(at).unwrap_or_default(), neighbours);
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// Exim writes `192.0.2.1.25`; `[::1]:25` and `192.0.2.1:25` are taken too, the latter alone or in a
/// list with another separator. Port 0 is any that is free.
pub(super) fn interfaces(text: &str) -> Result<Vec<SocketAddr>, ConfigError> {
    if let Ok(address) = text.trim().parse() {
        return Ok(vec![address]);
    }
    let mut found = Vec::new();
    for (at, item) in List::new(text).enumerate() {
        let address = interface(&item).ok_or_else(|| ConfigError::Interface {
            item: at + 1,
            text: item.to_string(),
            hint: separator_hint(text, at),
        })?;
        if let Some(other) = found.iter().position(|other| clash(*other, address)) {
            let is_same = found.get(other) == Some(&address);
            let within = ConfigError::InterfaceWithin { item: at + 1, other: other + 1 };
            let twice = ConfigError::InterfaceTwice { item: at + 1 };
            return Err(if is_same { twice } else { within });
        }
        found.push(address);
    }
    if found.is_empty() { Err(ConfigError::NoInterface) } else { Ok(found) }
}

/// Reads an address and port, with a dot or a colon between them.
fn interface(text: &str) -> Option<SocketAddr> {
    let dotted = || {
        let (address, port) = text.rsplit_once('.')?;
        Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, port.parse().ok()?))
    };
    text.parse().ok().or_else(dotted)
}

/// Reads the address of metrics. They tell of mail and have no password: they are for this host only.
pub(super) fn metrics(
    text: &str,
    listen: &[SocketAddr],
) -> Result<Option<SocketAddr>, ConfigError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let address = interface(text).ok_or(ConfigError::MetricsInterface)?;
    if !address.ip().to_canonical().is_loopback() {
        return Err(ConfigError::MetricsExposed { address: address.ip() });
    }
    match listen.iter().position(|other| clash(*other, address)) {
        Some(other) => Err(ConfigError::MetricsPort { item: other + 1 }),
        None => Ok(Some(address)),
    }
}

/// Reads the ports whose clients begin with TLS, and finds the interfaces with them.
pub(super) fn tls_on_connect(
    text: &str,
    listen: Vec<SocketAddr>,
) -> Result<Vec<Interface>, ConfigError> {
    let mut ports = Vec::new();
    for (at, item) in List::new(text).enumerate() {
        let port = item.parse().map_err(|_| ConfigError::TlsPort {
            item: at + 1,
            text: item.to_string(),
            hint: separator_hint(text, at),
        })?;
        if !listen.iter().any(|address| address.port() == port) {
            return Err(ConfigError::NoTlsPort { item: at + 1, port });
        }
        if ports.contains(&port) {
            return Err(ConfigError::TlsPortTwice { item: at + 1, port });
        }
        ports.push(port);
    }
    let interface = |address: SocketAddr| Interface {
        address,
        tls_on_connect: ports.contains(&address.port()),
    };
    Ok(listen.into_iter().map(interface).collect())
}

/// Tells whether two addresses cannot be listened at both. One of `0.0.0.0` has all of IPv4, and one of `::`
/// all of IPv6 and of IPv4.
pub(super) fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let has = |all: IpAddr, ip: IpAddr| all.is_unspecified() && (all.is_ipv6() || ip.is_ipv4());
    one.port() > 0 && one.port() == other.port() && (a == b || has(a, b) || has(b, a))
}

/// The largest `message_size_limit`, in octets: the journal counts a record's in 32 bits.
const LARGEST: u64 = 2 << 30;

/// The options that are the path of a file or a folder, or a list of them.
const PATHS: &[&str] = &[
    "dmarc_history_file",
    "dmarc_tld_file",
    "maildir",
    "quarantine_maildir",
    "spool_directory",
    "sqlite_dbfile",
    "tls_certificate",
    "tls_crl",
    "tls_ocsp_file",
    "tls_ocsp_verify_certificates",
    "tls_privatekey",
];

/// The options whose text is not expanded, where a `$` is a mistake.
const NOT_EXPANDED: &[&str] = &[
    "dmarc_forensic_sender",
    "dmarc_history_file",
    "dmarc_tld_file",
    "local_interfaces",
    "log_selector",
    "lookup_directories",
    "metrics_interface",
    "primary_hostname",
    "smtp_banner",
    // Exim expands it; here it has SPF's macros, which begin with a %, as spf_guess has.
    "spf_guess",
    "spf_smtp_comment_template",
    "spool_directory",
    "sqlite_dbfile",
    "tls_crl",
    "tls_ocsp_proxy",
    "tls_on_connect_ports",
    "tls_ocsp_verify_certificates",
    "tls_verify_certificates",
];
