//! The way to a responder: direct or by a proxy, in clear or over TLS.

use std::net::SocketAddr;
#[cfg(feature = "https")]
use std::sync::Arc;
use std::time::Duration;

use ::hyper::Uri;
use ::hyper::body::Bytes;
use ::hyper::client::conn::http1::{self, SendRequest};
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
        let host = uri.host().ok_or(FetchError::Url)?;
        match uri.scheme_str() {
            #[cfg(feature = "proxy")]
            Some("http") if self.proxy.is_some() => {
                let stream = self.to_proxy(time).await?;
                Ok((handshake(stream).await?, true))
            }
            Some("http") => {
                let stream = connect(host, uri.port_u16().unwrap_or(80), time).await?;
                Ok((handshake(stream).await?, false))
            }
            #[cfg(not(feature = "https"))]
            Some("https") => Err(FetchError::Https),
            #[cfg(feature = "https")]
            Some("https") => {
                let port = uri.port_u16().unwrap_or(443);
                Ok((self.open_tls(host, port, time).await?, false))
            }
            _ => Err(FetchError::Url),
        }
    }

    #[cfg(feature = "https")]
    async fn open_tls(&self, host: &str, port: u16, time: Duration) -> Result<Sender, FetchError> {
        let connector = self.tls.as_ref().ok_or(FetchError::Https)?;
        let name = bare(host).to_owned().try_into().map_err(|_| FetchError::Url)?;
        let failed = |error: std::io::Error| FetchError::Tls { why: error.to_string() };
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
