//! A resolver with its name servers, and a retry without EDNS for servers that do not understand
//! it.

use std::fs;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::{Time, TokioRuntimeProvider, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use thiserror::Error;

/// The name servers and options of a [`Resolver`].
///
/// ```
/// use mail_types::hickory::ResolverSettings;
///
/// let settings = ResolverSettings::of_server("127.0.0.1:5353".parse()?);
/// assert_eq!(settings.servers(), ["127.0.0.1".parse::<std::net::IpAddr>()?]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResolverSettings {
    config: ResolverConfig,
    options: ResolverOpts,
}

impl ResolverSettings {
    /// The resolver configuration of most systems.
    pub const SYSTEM: &str = "/etc/resolv.conf";

    /// Asks one server, over UDP and TCP.
    #[must_use]
    pub fn of_server(server: SocketAddr) -> Self {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = server.port();
        }
        let server = NameServerConfig::new(server.ip(), true, connections);
        let config = ResolverConfig::from_name_servers(vec![server]);
        Self { config, options: ResolverOpts::default() }
    }

    /// Reads the name servers from a file like [`Self::SYSTEM`]; without such a line, or without
    /// the file, it is this host (resolv.conf(5)). Only complete names are asked for, so that
    /// `search` and `domain` have no effect.
    ///
    /// # Errors
    ///
    /// [`ResolverError`] if the file cannot be read, or lists name servers without any address.
    pub fn of_system(file: &Path) -> Result<Self, ResolverError> {
        let octets = match fs::read(file) {
            Ok(octets) => octets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(ResolverError::Unreadable { file: file.into(), source }),
        };
        let text = String::from_utf8_lossy(&octets);
        let keyword = |line: &str| line.split_whitespace().next().map(str::to_owned);
        let is_used =
            |line: &&str| matches!(keyword(line).as_deref(), Some("nameserver" | "options"));
        let mut used: String = text.lines().filter(is_used).flat_map(|line| [line, "\n"]).collect();
        let mut lines = text.lines().enumerate();
        let first = lines.find(|(_, line)| keyword(line).as_deref() == Some("nameserver"));
        if first.is_none() {
            used.push_str("nameserver ");
            used.push_str(&IpAddr::from(Ipv4Addr::LOCALHOST).to_string());
        }
        let (config, mut options) = parse_resolv_conf(&used).map_err(|_| {
            let (at, line) = first.unwrap_or_default();
            ResolverError::NoServer { file: file.into(), line: at + 1, text: line.trim().into() }
        })?;
        // As in the C library: with a time of zero no server could answer.
        options.timeout = options.timeout.clamp(TIMEOUTS.0, TIMEOUTS.1);
        Ok(Self { config, options })
    }

    /// Returns the addresses of the name servers.
    #[must_use]
    pub fn servers(&self) -> Vec<IpAddr> {
        self.config.name_servers().iter().map(|server| server.ip).collect()
    }

    /// Returns the addresses of the name servers with their ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let port = |server: &NameServerConfig| server.connections.first().map_or(53, |it| it.port);
        let servers = self.config.name_servers().iter();
        servers.map(|server| SocketAddr::new(server.ip, port(server))).collect()
    }

    /// Returns how long a server may take for a response, and how often it is asked.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use mail_types::hickory::ResolverSettings;
    ///
    /// let settings = ResolverSettings::of_server("192.0.2.53:5353".parse()?);
    /// assert_eq!(settings.addresses(), ["192.0.2.53:5353".parse()?]);
    /// assert!(settings.patience().1 >= 1);
    /// // As in the C library, a missing file means a name server on this host.
    /// let settings = ResolverSettings::of_system(Path::new("/nowhere/resolv.conf"))?;
    /// assert_eq!(settings.servers(), [std::net::Ipv4Addr::LOCALHOST]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn patience(&self) -> (Duration, usize) {
        (self.options.timeout, self.options.attempts)
    }
}

/// The reason why a resolver cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The file cannot be read.
    #[error("cannot read the name servers from {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The file has lines for name servers, but none with an address.
    #[error("no name server address in {}: line {line} has {text:?}", file.display())]
    NoServer {
        /// The file.
        file: PathBuf,
        /// The number of the first line for a name server; the first line of the file is 1.
        line: usize,
        /// The text of this line.
        text: String,
    },
    /// The library refuses the settings.
    #[error("cannot start the DNS resolver: {0}")]
    Start(#[from] NetError),
}

/// A resolver of hickory, and a second one that asks the same servers without EDNS: an old server
/// answers EDNS with a format error (RFC 6891 section 7), and some networks drop packets with it.
#[derive(Clone, Debug)]
pub struct Resolver {
    first: TokioResolver,
    plain: Option<TokioResolver>,
}

impl Resolver {
    /// Makes a resolver; it sends nothing yet.
    ///
    /// # Errors
    ///
    /// [`ResolverError::Start`] if hickory refuses the settings.
    pub fn new(settings: ResolverSettings) -> Result<Self, ResolverError> {
        let ResolverSettings { config, options } = settings;
        let make = |options: ResolverOpts| {
            let provider = TokioRuntimeProvider::default();
            let builder = TokioResolver::builder_with_config(config.clone(), provider);
            builder.with_options(options).build()
        };
        let mut without = options.clone();
        without.edns0 = false;
        let plain = if options.edns0 { Some(make(without)?) } else { None };
        Ok(Self { first: make(options)?, plain })
    }

    /// Asks a question; without EDNS too, if the server does not understand EDNS or has not
    /// answered for two seconds.
    ///
    /// # Errors
    ///
    /// [`NetError`] if there is no such record, or no answer.
    pub async fn lookup(&self, name: Name, kind: RecordType) -> Result<Lookup, NetError> {
        let Some(plain) = &self.plain else { return self.first.lookup(name, kind).await };
        let mut first = Box::pin(self.first.lookup(name.clone(), kind));
        let mut patience: Pin<Box<dyn Future<Output = ()> + Send>> =
            Box::pin(TokioTime::delay_for(PATIENCE));
        let early = poll_fn(|context| match first.as_mut().poll(context) {
            Poll::Ready(found) => Poll::Ready(Some(found)),
            Poll::Pending => patience.as_mut().poll(context).map(|()| None),
        });
        match early.await {
            Some(Err(error)) if is_misunderstood(&error) => plain.lookup(name, kind).await,
            Some(found) => found,
            // hickory does not match a format error without the question section to its query.
            None => either(first, Box::pin(plain.lookup(name, kind))).await,
        }
    }
}

/// Returns the first usable answer, or the last one.
async fn either<T>(
    mut one: Pin<Box<impl Future<Output = Result<T, NetError>>>>,
    mut other: Pin<Box<impl Future<Output = Result<T, NetError>>>>,
) -> Result<T, NetError> {
    let (mut one_failed, mut other_failed) = (false, false);
    poll_fn(|context| {
        if !one_failed && let Poll::Ready(found) = one.as_mut().poll(context) {
            if other_failed || is_answer(&found) {
                return Poll::Ready(found);
            }
            one_failed = true;
        }
        if !other_failed && let Poll::Ready(found) = other.as_mut().poll(context) {
            if one_failed || is_answer(&found) {
                return Poll::Ready(found);
            }
            other_failed = true;
        }
        Poll::Pending
    })
    .await
}

fn is_answer<T>(found: &Result<T, NetError>) -> bool {
    matches!(found, Ok(_) | Err(NetError::Dns(DnsError::NoRecordsFound(_))))
}

/// Tells whether the error may concern EDNS rather than the question.
fn is_misunderstood(error: &NetError) -> bool {
    let code = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => *code,
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code,
        _ => return false,
    };
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp)
}

/// The wait for an answer with EDNS before the query without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The least and the most time that the C library accepts.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
