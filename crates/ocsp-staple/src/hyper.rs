//! Fetches responses over HTTP with hyper and tokio: RFC 6960 appendix A, RFC 5019
//! sections 5 and 6.

mod fetch_limits;
#[cfg(feature = "proxy")]
mod proxy;
mod redirect;
mod route;
#[cfg(all(feature = "https", feature = "proxy"))]
mod tunnel;

#[cfg(feature = "https")]
use std::sync::Arc;
use std::time::Duration;

use ::hyper::body::{Bytes, Incoming};
use ::hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, RETRY_AFTER,
};
use ::hyper::{Method as Verb, Request as HttpRequest, Response as HttpResponse, StatusCode, Uri};
use ::tokio::sync::Semaphore;
use ::tokio::time::timeout;
use http_body_util::{BodyExt as _, Full};

pub use self::fetch_limits::FetchLimits;
#[cfg(feature = "proxy")]
pub use self::proxy::{Proxy, ProxyError};
use self::redirect::{is_redirect, redirected};
use self::route::Route;
use crate::fetch::{Fetch, FetchError, Method};
use crate::request::Request;

/// Fetches responses, several at a time, each within limits of its own: a responder that never ends
/// holds up no other certificate for long.
///
/// Responders are asked over `http`: what they sign needs no other protection. With the feature `https`,
/// `with_tls` has those asked too that have only an `https` address; with the feature `proxy`, `with_proxy`
/// has all asked by an HTTP proxy. Each address of a responder is tried in turn. A body is handed back
/// whatever it is, and counts only when
/// [`Schedule::handle_response`](crate::Schedule::handle_response) has verified it.
#[derive(Debug)]
pub struct Fetcher {
    limits: FetchLimits,
    free: Semaphore,
    route: Route,
}

/// What a responder sent with status 200.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Fetched {
    /// The body.
    pub response: Vec<u8>,
    /// For how long it may be cached.
    pub max_age: Option<Duration>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
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
        let free = Semaphore::new(limits.fetches.clamp(1, Semaphore::MAX_PERMITS));
        Self { limits, free, route: Route::default() }
    }

    /// Asks responders of the scheme `https` too, and verifies their certificates by this
    /// configuration. Its verifier had better not require a staple.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use ocsp_staple::hyper::Fetcher;
    /// use ocsp_staple::{Certificate, FetchError, Issuer, Request, Schedule, rustls_pki_types::UnixTime};
    /// use rustls::{ClientConfig, RootCertStore, crypto::ring};
    ///
    /// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
    /// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
    /// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_781_524_800));
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    /// // `roots` has the authorities of the responders' certificates.
    /// let roots = RootCertStore::empty();
    /// let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    /// let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    /// let fetcher = Fetcher::default().with_tls(Arc::new(config.with_no_client_auth()));
    ///
    /// // Nobody listens there.
    /// let mut schedule = Schedule::new(&leaf, now).with_responders(["https://127.0.0.1:1/".into()]);
    /// let fetch = schedule.poll_fetch(now).ok_or("nothing is due")?;
    /// let request = Request::new(&leaf, &Issuer::from(&issuer), fetch.hash);
    /// let failure = fetcher.fetch(&fetch, &request).await.unwrap_err();
    /// assert!(matches!(failure.error, FetchError::Connect { .. }));
    /// let without = Fetcher::default().fetch(&fetch, &request).await;
    /// assert_eq!(without.unwrap_err().error, FetchError::Https);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "https")]
    #[must_use]
    pub fn with_tls(mut self, config: Arc<::rustls::ClientConfig>) -> Self {
        self.route.set_tls(config);
        self
    }

    /// Asks responders by this proxy.
    ///
    /// ```
    /// use ocsp_staple::hyper::Fetcher;
    /// use ocsp_staple::{Certificate, FetchError, Issuer, Request, Schedule, rustls_pki_types::UnixTime};
    ///
    /// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
    /// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
    /// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_781_524_800));
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    /// // Nobody listens there.
    /// let fetcher = Fetcher::default().with_proxy("http://127.0.0.1:1".parse()?);
    /// let fetch = Schedule::new(&leaf, now).poll_fetch(now).ok_or("nothing is due")?;
    /// let request = Request::new(&leaf, &Issuer::from(&issuer), fetch.hash);
    /// assert_eq!(fetcher.fetch(&fetch, &request).await.unwrap_err().error, FetchError::Proxy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.route.set_proxy(proxy);
        self
    }

    /// Asks a responder.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] if it does not answer with status 200 within the limits.
    ///
    /// ```
    /// use ocsp_staple::hyper::{FetchLimits, Fetcher};
    /// use ocsp_staple::{Certificate, IssuerHash, Issuer, Request, Schedule};
    /// use ocsp_staple::rustls_pki_types::UnixTime;
    ///
    /// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
    /// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
    /// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_781_524_800));
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    /// // Nobody listens there.
    /// let schedule = Schedule::new(&leaf, now).with_responders(["http://127.0.0.1:1/".into()]);
    /// let (mut schedule, fetcher) = (schedule, Fetcher::new(FetchLimits::default()));
    /// let fetch = schedule.poll_fetch(now).ok_or("nothing is due")?;
    /// let request = Request::new(&leaf, &Issuer::from(&issuer), fetch.hash);
    /// let failure = fetcher.fetch(&fetch, &request).await.unwrap_err();
    /// let told = "cannot connect to the responder: 127.0.0.1:1: Connection refused (os error 111)";
    /// assert_eq!(failure.to_string(), told);
    /// schedule.handle_failure(failure.error, failure.retry_after, now, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
                status if is_redirect(status) => uri = redirected(&uri, response.headers())?,
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
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.is_empty() || authority.contains('@') {
            // RFC 9110 section 4.2.4: no login is sent on.
            return Err(FetchError::Url);
        }
        let (mut sender, is_proxy) = self.route.open(uri, self.limits.connect).await?;
        // RFC 9112 section 3.2: a proxy is told the whole address.
        let target = if is_proxy {
            uri.to_string()
        } else {
            uri.path_and_query().map_or("/", |target| target.as_str()).to_owned()
        };
        let verb = if body.is_empty() { Verb::GET } else { Verb::POST };
        let mut request = HttpRequest::builder()
            .method(verb)
            .uri(target)
            .header(HOST, authority)
            .header(ACCEPT, "application/ocsp-response");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, Request::MEDIA_TYPE);
        }
        if bypass_caches {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        let request = request.body(Full::new(body.clone())).map_err(|_| FetchError::Url)?;
        sender.send_request(request).await.map_err(|_| FetchError::Broken)
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

/// Reads a number of seconds from the items of a header field, which may have several lines, and quote
/// the number (RFC 9111 section 5.2).
fn seconds(headers: &HeaderMap, name: &HeaderName, prefix: &str) -> Option<Duration> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let mut numbers = lines.flat_map(items).filter_map(|item| {
        let start = item.get(..prefix.len()).filter(|s| s.eq_ignore_ascii_case(prefix))?;
        let number = item.get(start.len()..)?;
        let bare = number.strip_prefix('"').and_then(|number| number.strip_suffix('"'));
        let number = bare.unwrap_or(number);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // RFC 9111 section 1.2.2: what is too large is very large.
        is_number.then(|| number.parse().unwrap_or(u32::MAX.into()))
    });
    numbers.next().map(Duration::from_secs)
}

/// Splits a list at its commas, but for those in quoted strings.
fn items(line: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    line.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => return character == ',' && !is_quoted,
        }
        false
    })
    .map(str::trim)
}
