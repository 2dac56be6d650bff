//! Fetches of OCSP responses, and their errors.

use std::sync::Arc;

use thiserror::Error;

use crate::cert_id::IssuerHash;
use crate::escaped::Escaped;
use crate::proof::ProofError;

/// A request that is due.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Fetch {
    /// The address of the responder, of the scheme `http` or `https`.
    pub responder: Arc<str>,
    /// The digest by which the request names the issuer.
    pub hash: IssuerHash,
    /// The HTTP method. A request that is too long for a URL goes by POST all the same.
    pub method: Method,
    /// Whether to bypass HTTP caches, by `Cache-Control: no-cache`: the last response
    /// was an old one (RFC 5019 section 6.2).
    pub bypass_caches: bool,
}

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the standard knows just these")]
pub enum Method {
    /// In the URL, so that caches can answer.
    Get,
    /// In the body.
    Post,
}

/// Why no answer was got, or none that counts.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum FetchError {
    /// The responder's address is no URL that can be asked.
    #[error("the address of the responder is not a usable URL")]
    Url,
    /// The responder is to be asked over `https`: that needs the feature `https`, and `Fetcher::with_tls`.
    #[error("the address of the responder is of the scheme https, and no TLS is set up for that")]
    Https,
    /// The responder's certificate cannot be verified, or TLS failed otherwise.
    #[error("TLS with the responder failed: {}", Escaped(why))]
    Tls {
        /// The cause, which may have any names of the responder's certificate in it: the message escapes
        /// them.
        why: String,
    },
    /// The HTTP proxy has no address, or none that takes a connection.
    #[error("cannot connect to the HTTP proxy")]
    Proxy,
    /// The HTTP proxy makes no tunnel to the responder.
    #[error("the HTTP proxy refuses to connect to the responder with HTTP status {0}")]
    ProxyStatus(u16),
    /// The responder's name has no address.
    #[error("the name of the responder has no address")]
    Name,
    /// None of its addresses takes a connection.
    #[error("cannot connect to the responder: {}", Escaped(why))]
    Connect {
        /// The last address, and the cause.
        why: String,
    },
    /// The response has not ended in time.
    #[error("the responder has not answered within {seconds} seconds")]
    Timeout {
        /// How long it had.
        seconds: u64,
    },
    /// The connection ended too early, or it is not HTTP.
    #[error("the connection to the responder broke off")]
    Broken,
    /// The response is not 200.
    #[error("the responder answers with HTTP status {0}")]
    Status(u16),
    /// It redirects too often, or to where one is not to go.
    #[error("the responder redirects too often, or to another host")]
    Redirect,
    /// It redirects without saying where to.
    #[error("the responder redirects to no usable address")]
    Location,
    /// The response is too long.
    #[error("the response of the responder has more than {limit} octets")]
    TooLong {
        /// The most.
        limit: usize,
    },
    /// The body is not an OCSP response, for example a page of HTML.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The response is sound, but older than the one that is held, as from a cache or a server that
    /// lags.
    #[error("the responder answers with an older response than the one that is there")]
    Older,
    /// The certificate is not known to the responder.
    #[error("the responder does not know the certificate")]
    Unknown,
}
