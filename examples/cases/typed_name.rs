//! Names of the DNS as people type them: in ASCII or in Unicode, perhaps with a dot at the end.

use std::error::Error as _;
use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::smtp::{Domain, DomainError, Mailbox};

/// Reads a domain; U-labels become A-labels.
///
/// ```
/// use examples::cases::typed_name::domain;
///
/// assert_eq!(domain("exämple.com").map(|domain| domain.to_string()), Ok("xn--exmple-cua.com".to_owned()));
/// assert_eq!(domain("example.com:587"), Err("a domain has no port".to_owned()));
/// ```
///
/// # Errors
///
/// The cause, for people.
pub fn domain(text: &str) -> Result<Domain, String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.parse::<IpAddr>().is_ok() {
        return Err(ADDRESS.to_owned());
    }
    // A fault in ASCII has a position, which IDNA does not tell.
    let read = if name.is_ascii() { name.parse::<Domain>().map(|_| ()) } else { Ok(()) };
    read.and_then(|()| Domain::from_unicode(name)).map_err(|error| cause(name, error))
}

/// Reads the name of a host: a domain, or a name that has underscores or hyphens where a domain has none.
///
/// ```
/// use examples::cases::typed_name::host;
///
/// assert_eq!(host("mx_1.example.com").map(|name| name.to_string()), Ok("mx_1.example.com".to_owned()));
/// assert_eq!(host("exa mple.com"), Err("byte 3 of the domain is not a letter, digit or hyphen".to_owned()));
/// ```
///
/// # Errors
///
/// The cause, for people.
pub fn host(text: &str) -> Result<Name, String> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match domain(text) {
        Ok(domain) => Ok(Name::from(&domain)),
        Err(error) if text.contains('.') && text.chars().all(is_host) => {
            text.parse().map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

/// Puts A-labels in place of the U-labels behind the last `@`.
///
/// ```
/// use examples::cases::typed_name::in_ascii;
///
/// assert_eq!(in_ascii("ann@exämple.com").as_deref(), Ok("ann@xn--exmple-cua.com"));
/// assert_eq!(in_ascii("<>").as_deref(), Ok("<>"));
/// ```
///
/// # Errors
///
/// The cause why the domain has no A-labels, for people.
pub fn in_ascii(address: &str) -> Result<String, String> {
    let (before, behind) = address.split_at(address.rfind('@').map_or(0, |at| at + 1));
    let (name, end) = behind.strip_suffix('>').map_or((behind, ""), |name| (name, ">"));
    if name.is_ascii() {
        return Ok(address.to_owned());
    }
    domain(name).map(|domain| format!("{before}{domain}{end}"))
}

/// Reads a mailbox; U-labels become A-labels.
///
/// # Errors
///
/// The cause, for people.
pub fn mailbox(text: &str) -> Result<Mailbox, String> {
    Mailbox::from_unicode(text).map_err(|error| match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

fn cause(name: &str, error: DomainError) -> String {
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_port = |(_, port): (&str, &str)| port.parse::<u16>().is_ok();
    if name.is_empty() {
        "the domain is missing".to_owned()
    } else if inner.is_some() {
        ADDRESS.to_owned()
    } else if name.contains('@') {
        "a mail address, not a domain".to_owned()
    } else if name.rsplit_once(':').is_some_and(is_port) {
        "a domain has no port".to_owned()
    } else {
        error.to_string()
    }
}

const ADDRESS: &str = "an IP address, not a domain";
