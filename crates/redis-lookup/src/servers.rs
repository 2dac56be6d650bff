//! The option `redis_servers`.

use std::path::PathBuf;

use mail_types::exim::List;
use thiserror::Error;

use crate::server::{Address, Server, ServerKind};
use crate::{Secret, server_url};

/// A list of servers, in the order of preference.
///
/// It is one of Exim's lists: colons separate the items, and a colon inside an item is doubled, or the list
/// begins with another separator, as `<;`. An item has one of these forms:
///
/// | Form                                           | Meaning                                   |
/// |------------------------------------------------|-------------------------------------------|
/// | `host/database/password`, `host:port/…`, `[ipv6]:port/…` | a server; database and password may be empty |
/// | `(/path/of/socket)/database/password`          | a server at a socket of this host         |
/// | `redis://user:password@host:port/database`     | a server                                  |
/// | `redis://user:password@%2Fpath%2Fof%2Fsocket/database` | a server at a socket of this host |
/// | `redis+cluster://user:password@host:port,host:port` | a cluster with these nodes |
/// | `redis+sentinel://user:password@host:port,host:port/master/database` | the master of these sentinels |
///
/// `rediss` instead of `redis` means TLS. In the first two forms everything after the second slash is the password,
/// further slashes included. The other forms are percent-encoded: `%40` is an `@`. Their user, password, port and
/// database are optional, and so are the parameters `ca=/file.pem`, `protocol=3`, `sentinel_user=…` and
/// `sentinel_password=…`, after a `?` and with a `&` between two.
///
/// ```
/// use redis_lookup::Servers;
///
/// let servers = Servers::parse("<; 127.0.0.1/10/ ; 127.0.0.1//password ; [::1]:6380//")?;
/// assert_eq!(servers.as_slice()[0].database, 10);
/// assert_eq!(servers.to_string(), "127.0.0.1:6379/10, 127.0.0.1:6379/0, [::1]:6380/0");
///
/// let error = Servers::parse("127.0.0.1/10/ : 127.0.0.1/ten/secret").unwrap_err();
/// assert_eq!(error.to_string(), "item 2: byte 10: the database is not a number");
/// # Ok::<(), redis_lookup::ServersError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Servers(Vec<Server>);

impl Servers {
    /// The maximum number of servers of a list, and of nodes or sentinels of an item.
    pub const MAX: usize = 64;

    /// Parses a list, which may be empty.
    ///
    /// # Errors
    ///
    /// [`ServersError`] with the first invalid item. Its text has no part of the item.
    pub fn parse(text: &str) -> Result<Self, ServersError> {
        let mut servers = Vec::new();
        for (at, item) in List::new(text).enumerate() {
            let error = |(at_byte, problem)| ServersError { item: at + 1, at: at_byte, problem };
            if at == Self::MAX {
                return Err(error((0, ServerProblem::TooMany)));
            }
            servers.push(server(&item).map_err(error)?);
        }
        Ok(Self(servers))
    }

    /// Parses the list of `servers=` in a lookup: an item with a slash is a server, and one without is the
    /// name of a server of this list.
    ///
    /// ```
    /// use redis_lookup::Servers;
    ///
    /// let servers = Servers::parse("192.0.2.1//secret : 192.0.2.2::6380/3/")?;
    /// assert_eq!(servers.pick("192.0.2.2::6380")?.to_string(), "192.0.2.2:6380/3");
    /// assert!(servers.pick("192.0.2.3").is_err());
    /// # Ok::<(), redis_lookup::ServersError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServersError`] with the first item that is neither.
    pub fn pick(&self, text: &str) -> Result<Self, ServersError> {
        let mut picked = Vec::new();
        for (at, item) in List::new(text).enumerate() {
            let error = |(at_byte, problem)| ServersError { item: at + 1, at: at_byte, problem };
            if at == Self::MAX {
                return Err(error((0, ServerProblem::TooMany)));
            }
            picked.push(if item.contains('/') && !self.0.iter().any(|s| s.is_named(&item)) {
                server(&item).map_err(error)?
            } else {
                let found = self.0.iter().find(|server| server.is_named(&item));
                found.ok_or_else(|| error((0, ServerProblem::NotInList)))?.clone()
            });
        }
        if picked.is_empty() {
            return Err(ServersError { item: 1, at: 0, problem: ServerProblem::NotInList });
        }
        Ok(Self(picked))
    }

    /// Returns the servers.
    #[must_use]
    pub fn as_slice(&self) -> &[Server] {
        &self.0
    }

    /// Tells whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, server) in self.0.iter().enumerate() {
            write!(f, "{}{server}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A list of servers has an invalid item.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("item {item}: byte {at}: {problem}")]
#[non_exhaustive]
pub struct ServersError {
    /// The number of the item, from 1.
    pub item: usize,
    /// The position in the item, in bytes; a doubled separator counts once.
    pub at: usize,
    /// The problem.
    pub problem: ServerProblem,
}

/// A problem of an item of a list of servers.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ServerProblem {
    /// The second slash is missing.
    #[error(
        "/database/password is missing; double the colons of an item, or begin the list with <;"
    )]
    Incomplete,
    /// The host is missing.
    #[error("the host is missing")]
    NoHost,
    /// The host is neither a name nor an IP address.
    #[error(
        "the host is neither an IP address nor a name of letters, digits, hyphens, dots and underscores"
    )]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// An IPv6 address is not in brackets, or the brackets hold another text.
    #[error("an IPv6 address, and nothing else, must be in brackets")]
    Brackets,
    /// A socket is not an absolute path in parentheses, its path has a control character, or it has TLS.
    #[error("a socket must be an absolute path in parentheses, without control characters and TLS")]
    Socket,
    /// The database is not a number.
    #[error("the database is not a number")]
    Database,
    /// The scheme is unknown.
    #[error("the scheme is not redis, rediss, or one of these with +cluster or +sentinel")]
    Scheme,
    /// A `%` has no two hexadecimal digits, or the decoded text is not UTF-8.
    #[error("% must be followed by two hexadecimal digits of a UTF-8 text")]
    Percent,
    /// A character must be percent-encoded.
    #[error(
        "a control character, blank, @, # or ? must be written as % and two hexadecimal digits"
    )]
    Character,
    /// A user has no password.
    #[error("the user has no password")]
    UserAlone,
    /// A single server has several hosts.
    #[error("several hosts need +cluster or +sentinel in the scheme")]
    Hosts,
    /// A cluster has a database other than 0.
    #[error("a cluster has only the database 0")]
    ClusterDatabase,
    /// The name of the master is missing.
    #[error("the name of the master is missing: /name/database")]
    NoMaster,
    /// The name of the master has a control character.
    #[error("the name of the master has a control character")]
    Master,
    /// The path has too many parts.
    #[error("the path has a part after the database")]
    Path,
    /// A parameter is unknown, or has no effect in this form.
    #[error(
        "the parameter is not one of ca (with rediss), protocol, sentinel_user, sentinel_password (with +sentinel)"
    )]
    Parameter,
    /// The value of a parameter is invalid.
    #[error("the value of the parameter is invalid: ca takes an absolute path, protocol 2 or 3")]
    Value,
    /// `servers=` names a server that is not in the list.
    #[error("no server of redis_servers has this name")]
    NotInList,
    /// The list has more than [`Servers::MAX`] items.
    #[error("the list has more than 64 items")]
    TooMany,
}

/// The position of a problem, and the problem.
pub(crate) type Wrong = (usize, ServerProblem);

fn server(item: &str) -> Result<Server, Wrong> {
    match item.find("://") {
        // A password may contain `://`.
        Some(at) if !item.get(..at).unwrap_or_default().contains(['/', '(']) => {
            server_url::server(item, at)
        }
        _ => plain(item),
    }
}

/// Reads `host/database/password`.
fn plain(item: &str) -> Result<Server, Wrong> {
    let incomplete = (item.len(), ServerProblem::Incomplete);
    let place_end = if item.starts_with('(') {
        let socket = (0, ServerProblem::Socket);
        let close = item.find(")/").ok_or(socket)?;
        match item.get(1..close) {
            Some(path) if is_path(path) => close + 1,
            _ => return Err(socket),
        }
    } else {
        item.find('/').ok_or(incomplete)?
    };
    let (place, rest) = item.split_at_checked(place_end).ok_or(incomplete)?;
    let (database, password) =
        rest.get(1..).and_then(|rest| rest.split_once('/')).ok_or(incomplete)?;
    let address = match place.strip_prefix('(').and_then(|place| place.strip_suffix(')')) {
        Some(path) => Address::Unix(PathBuf::from(path)),
        None => address(place, 0, PORT)?,
    };
    Ok(Server {
        kind: ServerKind::Single(address),
        user: None,
        password: (!password.is_empty()).then(|| Secret::new(password)),
        database: number(database).ok_or((place_end + 1, ServerProblem::Database))?,
        tls: None,
        resp3: false,
        name: place.to_owned(),
    })
}

/// Parses `host`, `host:port` or `[ipv6]:port`; `at` is its position in the item.
pub(crate) fn address(text: &str, at: usize, port: u16) -> Result<Address, Wrong> {
    let brackets = (at, ServerProblem::Brackets);
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']').ok_or(brackets)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| brackets)?;
            (host, rest)
        }
        None => match text.find(':') {
            Some(colon) => text.split_at_checked(colon).unwrap_or((text, "")),
            None => (text, ""),
        },
    };
    if host.is_empty() {
        return Err((at, ServerProblem::NoHost));
    }
    if let Some(bad) = host.find(|c| !is_of_host(c)).filter(|_| !text.starts_with('[')) {
        return Err((at + bad, ServerProblem::Host));
    }
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.contains(':') => return Err(brackets),
        Some(digits) => {
            let wrong = (at + text.len() - digits.len(), ServerProblem::Port);
            number(digits)
                .filter(|_| !digits.is_empty())
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port != 0)
                .ok_or(wrong)?
        }
        None if rest.is_empty() => port,
        None => return Err(brackets),
    };
    Ok(Address::tcp(host, port))
}

/// Tells whether a character can be in the name of a host.
pub(crate) fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

/// Tells whether a text can be the path of a file.
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(char::is_control)
}

/// Parses digits; an empty text is 0.
pub(crate) fn number(text: &str) -> Option<u32> {
    match text {
        "" => Some(0),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The default port of servers.
pub(crate) const PORT: u16 = 6379;
