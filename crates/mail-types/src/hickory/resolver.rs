//! A resolver: whom it asks, and that it asks without EDNS where EDNS is not understood.

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

/// Whom a [`Resolver`] asks, and how.
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
    /// Where most systems say whom to ask.
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

    /// Asks as a file like [`Self::SYSTEM`] says: the name servers in it, and this host where it has no
    /// line for one, or is not there (resolv.conf(5)). Only whole names are asked for, so that its
    /// `search` and `domain` mean nothing.
    ///
    /// # Errors
    ///
    /// [`ResolverError`].
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
        // As the C library has it: without any time nobody could answer.
        options.timeout = options.timeout.clamp(TIMEOUTS.0, TIMEOUTS.1);
        Ok(Self { config, options })
    }

    /// Returns the addresses of those who are asked.
    #[must_use]
    pub fn servers(&self) -> Vec<IpAddr> {
        self.config.name_servers().iter().map(|server| server.ip).collect()
    }
}

/// Why nobody can be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The file cannot be read.
    #[error("no name server is known: {} cannot be read: {source}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has lines for name servers, but an address in none of them.
    #[error("no name server is known: {} line {line}: {text:?} has no address", file.display())]
    NoServer {
        /// Which.
        file: PathBuf,
        /// The first line for a name server, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// The library does not take the settings.
    #[error("the resolver cannot start: {0}")]
    Start(#[from] NetError),
}

/// A resolver of hickory, and one that asks the same servers without EDNS: an old server answers EDNS
/// with a form error (RFC 6891 section 7), and some networks drop what has it.
#[derive(Clone, Debug)]
pub struct Resolver {
    first: TokioResolver,
    plain: Option<TokioResolver>,
}

impl Resolver {
    /// Makes a resolver; nobody is asked yet.
    ///
    /// # Errors
    ///
    /// [`ResolverError::Start`].
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

    /// Asks; without EDNS too, where that is not understood or has had no answer for two seconds.
    ///
    /// # Errors
    ///
    /// [`NetError`]: there is no such record, or no answer.
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
            // A form error that does not repeat the question is taken for nobody's answer.
            None => either(first, Box::pin(plain.lookup(name, kind))).await,
        }
    }
}

/// Returns the first answer that says something, or the last one.
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

/// Whether a server may have said this of EDNS, not of the question.
fn is_misunderstood(error: &NetError) -> bool {
    let code = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => *code,
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code,
        _ => return false,
    };
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp)
}

/// So long an answer to EDNS alone is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The least and the most that the C library takes.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
