//! The address of an HTTP proxy.

use std::fmt;
use std::str::FromStr;

use ::hyper::Uri;
use thiserror::Error;

use super::route::port;

/// The address of an HTTP proxy, as `http://proxy.example:3128`.
///
/// It gets requests to `http` responders whole, and makes tunnels to `https` ones.
///
/// ```
/// use ocsp_staple::hyper::{Proxy, ProxyError};
///
/// let proxy: Proxy = "http://proxy.example:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
/// assert_eq!("proxy.example:3128".parse::<Proxy>(), Err(ProxyError::Scheme));
/// # Ok::<(), ProxyError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Proxy {
    host: String,
    port: u16,
}

impl Proxy {
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let uri: Uri = text.parse().map_err(|_| ProxyError::Url)?;
        if uri.scheme_str() != Some("http") {
            return Err(ProxyError::Scheme);
        }
        let authority = uri.authority().ok_or(ProxyError::Url)?;
        if authority.as_str().contains('@') {
            return Err(ProxyError::Login);
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(ProxyError::Path);
        }
        let port = port(authority, 80).ok_or(ProxyError::Url)?;
        if authority.host().is_empty() {
            return Err(ProxyError::Url);
        }
        Ok(Self { host: authority.host().to_owned(), port })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

/// Why a text is not the address of a proxy.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is no URL, or it has no host, or no port from 1 to 65535.
    #[error("the address of the proxy is not a usable URL")]
    Url,
    /// It is not an `http` URL.
    #[error("the address of the proxy does not begin with http://")]
    Scheme,
    /// It has a user name.
    #[error("the address of the proxy has a user name, and logging in is not supported")]
    Login,
    /// It has a path or a query.
    #[error("the address of the proxy has a path or a query")]
    Path,
}
