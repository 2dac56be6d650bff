//! Fetches responses over HTTP with hyper and tokio: RFC 6960 appendix A, RFC 5019
//! sections 5 and 6.

use std::net::SocketAddr;
use std::time::Duration;

use ::hyper::body::{Bytes, Incoming};
use ::hyper::client::conn::http1;
use ::hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};
use ::hyper::{Method as Verb, Request as HttpRequest, Response as HttpResponse, StatusCode, Uri};
use ::tokio::net::{TcpStream, lookup_host};
use ::tokio::sync::Semaphore;
use ::tokio::time::timeout;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;

use crate::fetch::{Fetch, FetchError, Method};
use crate::request::Request;

/// Fetches responses, several at a time, each within limits of its own: a responder that never ends
/// holds up no other certificate for long.
///
/// Responders are asked over `http`: what they sign needs no other protection. Each address of a
/// responder is tried in turn. A body is handed back whatever it is, and counts only when
/// [`Schedule::handle_response`](crate::Schedule::handle_response) has verified it.
#[derive(Debug)]
pub struct Fetcher {
    limits: FetchLimits,
    free: Semaphore,
}

/// How long a fetch takes, and how much it reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchLimits {
    /// The most octets of a response. By default 65,535.
    pub response: usize,
    /// For how long a fetch goes on, with all addresses and redirects. By default 15 seconds.
    pub time: Duration,
    /// How long an address may take to accept the connection. By default three seconds; then the
    /// next one is tried.
    pub connect: Duration,
    /// The most redirects, all of them to the same host. By default two.
    pub redirects: usize,
    /// The most fetches at a time, at least one. By default 16. Others wait.
    pub fetches: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            response: 65_535,
            time: Duration::from_secs(15),
            connect: Duration::from_secs(3),
            redirects: 2,
            fetches: 16,
        }
    }
}

impl FetchLimits {
    /// Sets [`Self::response`].
    #[must_use]
    pub fn with_response(self, response: usize) -> Self {
        Self { response, ..self }
    }

    /// Sets [`Self::time`].
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Sets [`Self::connect`].
    #[must_use]
    pub fn with_connect(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// Sets [`Self::redirects`].
    #[must_use]
    pub fn with_redirects(self, redirects: usize) -> Self {
        Self { redirects, ..self }
    }

    /// Sets [`Self::fetches`].
    #[must_use]
    pub fn with_fetches(self, fetches: usize) -> Self {
        Self { fetches, ..self }
    }
}

/// What a responder sent with status 200.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fetched {
    /// The body.
    pub response: Vec<u8>,
    /// For how long it may be cached.
    pub max_age: Option<Duration>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct FetchFailure {
    /// Why.
    pub error: FetchError,
    /// For how long the responder wants to be left alone, if it says so in seconds.
    pub retry_after: Option<Duration>,
}

impl From<FetchError> for FetchFailure {
    fn from(error: FetchError) -> Self {
        Self { error, retry_after: None }
    }
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new(FetchLimits::default())
    }
}

impl Fetcher {
    /// Makes a fetcher with these limits.
    #[must_use]
    pub fn new(limits: FetchLimits) -> Self {
        Self { limits, free: Semaphore::new(limits.fetches.clamp(1, Semaphore::MAX_PERMITS)) }
    }

    /// Asks a responder.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] if it does not answer with status 200 within the limits.
    pub async fn fetch(&self, fetch: &Fetch, request: &Request) -> Result<Fetched, FetchFailure> {
        // It is never closed.
        let _permit = self.free.acquire().await.ok();
        let asked = timeout(self.limits.time, self.ask(fetch, request)).await;
        let seconds = self.limits.time.as_secs();
        asked.unwrap_or_else(|_| Err(FetchError::Timeout { seconds }.into()))
    }

    async fn ask(&self, fetch: &Fetch, request: &Request) -> Result<Fetched, FetchFailure> {
        let url = request.url(&fetch.responder).filter(|_| fetch.method == Method::Get);
        let body =
            if url.is_some() { Bytes::new() } else { Bytes::copy_from_slice(request.as_der()) };
        let url = url.unwrap_or_else(|| fetch.responder.to_string());
        let mut uri: Uri = url.parse().map_err(|_| FetchError::Url)?;
        for _ in 0..=self.limits.redirects {
            let response = self.send(&uri, &body, fetch.bypass_caches).await?;
            match response.status() {
                StatusCode::OK => return self.read(response).await,
                status if status.is_redirection() => uri = redirected(&uri, response.headers())?,
                status => {
                    let retry_after = seconds(response.headers(), &RETRY_AFTER, "");
                    let error = FetchError::Status(status.as_u16());
                    return Err(FetchFailure { error, retry_after });
                }
            }
        }
        Err(FetchError::Redirect.into())
    }

    async fn send(
        &self,
        uri: &Uri,
        body: &Bytes,
        bypass_caches: bool,
    ) -> Result<HttpResponse<Incoming>, FetchError> {
        let authority = uri.authority().ok_or(FetchError::Url)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(FetchError::Https),
            _ => return Err(FetchError::Url),
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let verb = if body.is_empty() { Verb::GET } else { Verb::POST };
        let mut request = HttpRequest::builder()
            .method(verb)
            .uri(target)
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/ocsp-response");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, Request::MEDIA_TYPE);
        }
        if bypass_caches {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        let request = request.body(Full::new(body.clone())).map_err(|_| FetchError::Url)?;
        let stream = self.connect(uri).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| FetchError::Broken)?;
        // It ends with the sender and the body, or with the connection.
        ::tokio::spawn(connection);
        sender.send_request(request).await.map_err(|_| FetchError::Broken)
    }

    /// Connects to the first address that accepts.
    async fn connect(&self, uri: &Uri) -> Result<TcpStream, FetchError> {
        let host = uri.host().ok_or(FetchError::Url)?.trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(80);
        let found = lookup_host((host, port)).await.map_err(|_| FetchError::Name)?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(FetchError::Name);
        }
        for address in addresses {
            let connecting = timeout(self.limits.connect, TcpStream::connect(address));
            if let Ok(Ok(stream)) = connecting.await {
                return Ok(stream);
            }
        }
        Err(FetchError::Connect)
    }

    async fn read(&self, response: HttpResponse<Incoming>) -> Result<Fetched, FetchFailure> {
        let limit = self.limits.response;
        let max_age = seconds(response.headers(), &CACHE_CONTROL, "max-age=");
        let (mut body, mut read) = (response.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| FetchError::Broken)?;
            let Some(data) = frame.data_ref() else { continue };
            if data.len() > limit - read.len() {
                return Err(FetchError::TooLong { limit }.into());
            }
            read.extend_from_slice(data);
        }
        Ok(Fetched { response: read, max_age })
    }
}

/// Returns where a redirect goes, if that is at the same host.
fn redirected(from: &Uri, headers: &HeaderMap) -> Result<Uri, FetchError> {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let to: Uri = location.and_then(|to| to.parse().ok()).ok_or(FetchError::Redirect)?;
    let mut parts = from.clone().into_parts();
    if to.authority().is_some() && to.authority() != from.authority() {
        return Err(FetchError::Redirect);
    }
    if to.scheme().is_some() && to.scheme() != from.scheme() {
        return Err(FetchError::Redirect);
    }
    parts.path_and_query = to.path_and_query().cloned();
    Uri::from_parts(parts).map_err(|_| FetchError::Redirect)
}

/// Reads a number of seconds from the items of a header field.
fn seconds(headers: &HeaderMap, name: &HeaderName, prefix: &str) -> Option<Duration> {
    let items = headers.get(name)?.to_str().ok()?.split(',').map(str::trim);
    let mut numbers = items.filter_map(|item| {
        let start = item.get(..prefix.len()).filter(|s| s.eq_ignore_ascii_case(prefix))?;
        item.get(start.len()..)?.parse().ok()
    });
    numbers.next().map(Duration::from_secs)
}
