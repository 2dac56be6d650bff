//! The way to a responder: direct or by a proxy, in clear or over TLS.

use std::net::SocketAddr;
#[cfg(feature = "https")]
use std::sync::Arc;
use std::time::Duration;

use ::hyper::Uri;
use ::hyper::body::Bytes;
use ::hyper::client::conn::http1::{self, SendRequest};
use ::hyper::http::uri::Authority;
use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::net::{TcpStream, lookup_host};
use ::tokio::time::timeout;
#[cfg(feature = "https")]
use ::tokio_rustls::TlsConnector;
use http_body_util::Full;
use hyper_util::rt::TokioIo;

#[cfg(feature = "proxy")]
use super::proxy::Proxy;
#[cfg(all(feature = "https", feature = "proxy"))]
use super::tunnel::tunnel;
use crate::fetch::FetchError;

/// The route to responders: direct, or by a proxy.
#[derive(Default)]
pub(super) struct Route {
    #[cfg(feature = "https")]
    tls: Option<TlsConnector>,
    #[cfg(feature = "proxy")]
    proxy: Option<Proxy>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Route")
    }
}

/// What takes a request.
pub(super) type Sender = SendRequest<Full<Bytes>>;

impl Route {
    #[cfg(feature = "https")]
    pub(super) fn set_tls(&mut self, config: Arc<::rustls::ClientConfig>) {
        self.tls = Some(config.into());
    }

    #[cfg(feature = "proxy")]
    pub(super) fn set_proxy(&mut self, proxy: Proxy) {
        self.proxy = Some(proxy);
    }

    /// Connects to a responder; each address has this time. Tells whether a proxy gets the request.
    pub(super) async fn open(
        &self,
        uri: &Uri,
        time: Duration,
    ) -> Result<(Sender, bool), FetchError> {
        let authority = uri.authority().ok_or(FetchError::Url)?;
        let host = authority.host();
        match uri.scheme_str() {
            #[cfg(feature = "proxy")]
            Some("http") if self.proxy.is_some() => {
                // The proxy makes of it what it likes.
                port(authority, 80).ok_or(FetchError::Url)?;
                let stream = self.to_proxy(time).await?;
                Ok((handshake(stream).await?, true))
            }
            Some("http") => {
                let port = port(authority, 80).ok_or(FetchError::Url)?;
                let stream = connect(host, port, time).await?;
                Ok((handshake(stream).await?, false))
            }
            #[cfg(not(feature = "https"))]
            Some("https") => Err(FetchError::Https),
            #[cfg(feature = "https")]
            Some("https") => {
                let port = port(authority, 443).ok_or(FetchError::Url)?;
                Ok((self.open_tls(host, port, time).await?, false))
            }
            _ => Err(FetchError::Url),
        }
    }

    #[cfg(feature = "https")]
    async fn open_tls(&self, host: &str, port: u16, time: Duration) -> Result<Sender, FetchError> {
        let connector = self.tls.as_ref().ok_or(FetchError::Https)?;
        let name = bare(host).to_owned().try_into().map_err(|_| FetchError::Url)?;
        let failed = |error: std::io::Error| {
            // It may have all the names of a certificate in it.
            let why = error.to_string().chars().take(MOST_OF_CAUSE).collect();
            FetchError::Tls { why }
        };
        #[cfg(feature = "proxy")]
        if self.proxy.is_some() {
            let stream = self.to_proxy(time).await?;
            let stream = tunnel(stream, host, port).await?;
            return handshake(connector.connect(name, stream).await.map_err(failed)?).await;
        }
        let stream = connect(host, port, time).await?;
        handshake(connector.connect(name, stream).await.map_err(failed)?).await
    }

    #[cfg(feature = "proxy")]
    async fn to_proxy(&self, time: Duration) -> Result<TcpStream, FetchError> {
        let proxy = self.proxy.as_ref().ok_or(FetchError::Proxy)?;
        connect(proxy.host(), proxy.port(), time).await.map_err(|_| FetchError::Proxy)
    }
}

/// Returns the port of an address without a login, or this one if it names none; `None` if there is no
/// such port.
pub(super) fn port(authority: &Authority, default: u16) -> Option<u16> {
    let behind = authority.as_str().strip_prefix(authority.host())?;
    let digits = behind.strip_prefix(':').unwrap_or(behind);
    if digits.is_empty() {
        return Some(default); // RFC 3986 section 3.2.3: it may be empty.
    }
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| are_digits && *port != 0)
}

/// Connects to the first address that accepts.
async fn connect(host: &str, port: u16, time: Duration) -> Result<TcpStream, FetchError> {
    let found = lookup_host((bare(host), port)).await.map_err(|_| FetchError::Name)?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() {
        return Err(FetchError::Name);
    }
    let mut why = String::new();
    for address in addresses {
        why = match timeout(time, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => format!("{address}: {error}"),
            Err(_) => format!("{address}: no answer within {} seconds", time.as_secs()),
        };
    }
    Err(FetchError::Connect { why })
}

/// An address of version 6 is in brackets in a URL.
fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Sender, FetchError> {
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|_| FetchError::Broken)?;
    // It ends with the sender and the body, or with the connection.
    ::tokio::spawn(connection);
    Ok(sender)
}

/// The most characters of a cause that are kept.
#[cfg(feature = "https")]
const MOST_OF_CAUSE: usize = 1024;
