//! The client of a connection, and its forms in logs and header fields.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use mail_types::dns::Name;
use mail_types::exim::{Trust, Value};
use proxy_protocol::{HeaderOutcome, ProxyInfo};

use super::session::Greeting;

/// The client; behind a proxy, the client that the proxy announces.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) address: SocketAddr,
    /// Forward-confirmed.
    pub(crate) host_name: Option<Name>,
    /// The proxy's own address, if the connection came through a proxy.
    pub(crate) proxy: Option<SocketAddr>,
    /// The content of the PROXY header, if any.
    pub(crate) session: ProxyInfo,
    /// The local address that accepted the connection.
    pub(crate) server: SocketAddr,
    /// Whether it is a trusted proxy without a client behind it, such as a health check. Limits for
    /// hosts do not count it.
    pub(crate) is_trusted_proxy: bool,
    /// The TLS session, from the client hello on.
    pub(crate) tls: Option<TlsClient>,
}

/// The TLS data of a client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct TlsClient {
    /// The server name that the client requested (SNI).
    pub(crate) sni: Option<String>,
    pub(crate) staple: StapleState,
    /// The TLS version and the cipher suite, after the handshake.
    pub(crate) cipher: Option<String>,
    /// The certificate that this host has shown, in DER; a resumed session has none.
    pub(crate) own_certificate: Option<Arc<[u8]>>,
    /// The certificate of the client, if it was asked for one and has one.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// The certificate of a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ClientCertificate {
    pub(crate) der: Arc<[u8]>,
    /// The distinguished name.
    pub(crate) subject: String,
    /// Whether it is valid, by an authority of `tls_verify_certificates`.
    pub(crate) verified: bool,
}

/// Whether the client received an OCSP staple. rustls does not tell whether it asked for one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum StapleState {
    /// The client resumed an earlier session, without a certificate.
    NotAsked,
    #[default]
    NotSent,
    Sent,
}

impl StapleState {
    /// Returns the value of Exim's `tls_in_ocsp`.
    pub(crate) fn number(self) -> &'static str {
        match self {
            Self::NotAsked => "0",
            Self::NotSent => "1",
            Self::Sent => "4",
        }
    }
}

impl Client {
    /// Describes the client of a connection accepted at `server`.
    #[must_use]
    pub fn new(session: ProxyInfo, server: SocketAddr) -> Self {
        let by_proxy = matches!(session.outcome(), Some(HeaderOutcome::Proxied { .. }));
        let address = canonical(session.client());
        Self {
            address,
            host_name: None,
            proxy: by_proxy.then(|| session.peer()),
            server: canonical(server),
            is_trusted_proxy: false,
            session,
            tls: None,
        }
    }

    /// Returns the server name that the client requested.
    pub(crate) fn sni(&self) -> Option<&str> {
        self.tls.as_ref().and_then(|tls| tls.sni.as_deref())
    }

    /// Returns the certificate that it has shown.
    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        self.tls.as_ref().and_then(|tls| tls.certificate.as_ref())
    }

    /// Returns the certificate that this host has shown to it.
    pub(crate) fn own_certificate(&self) -> Option<&Arc<[u8]>> {
        self.tls.as_ref().and_then(|tls| tls.own_certificate.as_ref())
    }

    /// Tells whether its certificate is valid.
    pub(crate) fn is_verified(&self) -> bool {
        self.certificate().is_some_and(|certificate| certificate.verified)
    }

    /// Returns Exim's `tls_in_certificate_verified`.
    pub(crate) fn certificate_verified(&self) -> &'static str {
        if self.is_verified() { "1" } else { "0" }
    }

    /// Returns Exim's `tls_in_ocsp`.
    pub(crate) fn tls_in_ocsp(&self) -> &'static str {
        self.tls.as_ref().map_or("0", |tls| tls.staple.number())
    }

    /// Tells whether it is on loopback, or a trusted proxy without a client behind it. Limits against
    /// strangers do not apply to it.
    pub(crate) fn is_ours(&self) -> bool {
        self.is_trusted_proxy || self.address.ip().is_loopback()
    }
}

/// A client as Exim writes it in a log line: `host (helo) [192.0.2.1]`.
pub(crate) struct Host<'a>(pub(crate) &'a Client, pub(crate) &'a Greeting);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let helo = Value::new(self.1.name.as_bytes(), Trust::Untrusted);
        if let Some(name) = &self.0.host_name {
            write!(f, "{name} ")?;
        }
        if !self.1.name.is_empty() {
            write!(f, "({helo}) ")?;
        }
        write!(f, "[{}]", self.0.address.ip())
    }
}

/// A client as in Exim's `$sender_fullhost`: without the name in `HELO` or `EHLO` if that says nothing new.
pub(crate) struct FullHost<'a>(pub(crate) &'a Client, pub(crate) &'a Greeting);

impl fmt::Display for FullHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(client, greeting) = self;
        let (address, helo) = (client.address.ip(), greeting.name.as_str());
        let name = client.host_name.as_ref().map(Name::to_string);
        let is_name = name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(helo));
        if let Some(name) = name {
            write!(f, "{name} ")?;
        }
        if !helo.is_empty() && !is_name && literal(helo) != Some(address) {
            write!(f, "({helo}) ")?;
        }
        write!(f, "[{address}]")
    }
}

/// Reads an address in brackets.
fn literal(helo: &str) -> Option<IpAddr> {
    let text = helo.strip_prefix('[')?.strip_suffix(']')?;
    let tagged = text
        .split_at_checked(5)
        .filter(|(tag, _)| tag.eq_ignore_ascii_case("IPv6:") || tag.eq_ignore_ascii_case("IPv4:"));
    let address: IpAddr = tagged.map_or(text, |(_, address)| address).parse().ok()?;
    Some(address.to_canonical())
}

/// The protocol of a session, by its registered name (RFC 3848, RFC 6531 section 4.3).
pub(crate) fn protocol(greeting: &Greeting, utf8: bool) -> &'static str {
    match (greeting.extended, greeting.tls, utf8) {
        (false, _, _) => "SMTP",
        (true, false, false) => "ESMTP",
        (true, true, false) => "ESMTPS",
        (true, false, true) => "UTF8SMTP",
        (true, true, true) => "UTF8SMTPS",
    }
}

/// Replaces an IPv4-mapped address by its IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Returns the address by which a host is counted: of IPv6 the /64 network.
pub(crate) fn network(host: IpAddr) -> IpAddr {
    match host.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// The first 64 bits of an address.
const NETWORK: u128 = !(u64::MAX as u128);
