//! The page of metrics, over HTTP/1.1 on a loopback address: `GET /metrics`.
//!
//! Anybody on this host can ask. A page of the web in a browser on this host can not: a name of its author can lead to
//! a loopback address (DNS rebinding), so a request must name this host. A request has few octets and little time, and there are few connections, so
//! that a client that does not end its request holds nothing that mail needs; further ones wait.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::gateway::Gateway;
use crate::gateway::telemetry::metrics::page::{self, Form};
use crate::gateway::telemetry::metrics::{Readings, families};

/// The server of the page, and the gateway whose state it shows.
#[derive(Clone)]
pub(super) struct Monitor {
    pub(super) gateway: Arc<Gateway>,
    /// A slot for each connection of a client.
    pub(super) slots: Arc<Semaphore>,
    /// Their number.
    pub(super) most: usize,
}

impl Monitor {
    /// Serves the page until the server stops.
    pub(super) async fn serve(self, listener: TcpListener) {
        let (mut stop, room) = (self.gateway.stop.subscribe(), Arc::new(Semaphore::new(MOST)));
        loop {
            // It is never closed.
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(Option::is_some) => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let monitor = self.clone();
                    tokio::spawn(async move {
                        let ended = timeout(TIME, monitor.converse(stream)).await;
                        if !matches!(ended, Ok(Ok(()))) {
                            debug!("a connection to metrics_interface did not end with a reply");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!("metrics_interface: cannot accept a connection: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Answers the request of a connection.
    async fn converse(&self, stream: TcpStream) -> Result<(), hyper::Error> {
        let answer = |request: Request<Incoming>| {
            let response = match self.misdirected(&request) {
                Some(refusal) => refusal,
                None => self.response(request.method(), request.uri().path(), accept(&request)),
            };
            async move { Ok::<_, Infallible>(response) }
        };
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(MOST_OCTETS)
            .max_headers(MOST_FIELDS)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service_fn(answer))
            .await
    }

    /// Refuses a request for another host (RFC 9110 section 7.4), and one that does not tell which (RFC 9112 section
    /// 3.2). An address is no name that could lead elsewhere.
    fn misdirected(&self, request: &Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let mut fields = request.headers().get_all(HOST).iter();
        let (field, second) = (fields.next(), fields.next());
        let of_field = match (field, second) {
            (Some(field), None) => field.to_str().ok().and_then(|text| text.parse().ok()),
            (None, None) if request.version() == Version::HTTP_10 => None,
            _ => return Some(plain(StatusCode::BAD_REQUEST, "one Host is required\n")),
        };
        let is_ours = |host: Option<&Authority>| host.is_some_and(|host| self.is_this_host(host));
        let of_target = request.uri().authority();
        let is_named = (field.is_none() || is_ours(of_field.as_ref()))
            && (of_target.is_none() || is_ours(of_target));
        let text = "Host is neither an address nor a name of this host\n";
        (!is_named).then(|| plain(StatusCode::MISDIRECTED_REQUEST, text))
    }

    fn is_this_host(&self, host: &Authority) -> bool {
        let name = host.host();
        let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let own = [LOCALHOST, self.gateway.startup.host.as_str()];
        literal.unwrap_or(name).parse::<IpAddr>().is_ok()
            || own.iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    fn response(&self, method: &Method, path: &str, accept: Option<&str>) -> Response<Full<Bytes>> {
        if path != PATH {
            return plain(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
        }
        if method != Method::GET {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed\n");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return refusal;
        }
        let form = Form::of(accept);
        let families = families::all(&self.gateway.metrics, &self.readings());
        match page::write(families, form) {
            Ok(page) => with_type(Response::new(Full::from(page)), form.content_type()),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be written\n"),
        }
    }

    /// Asks the parts of the gateway; none of them waits for a disk or for the network.
    fn readings(&self) -> Readings {
        let Self { gateway, slots, most } = self;
        let live = gateway.live();
        Readings {
            now: SystemTime::now(),
            open_connections: most.saturating_sub(slots.available_permits()),
            message_memory: gateway.memory.level(),
            journal: gateway.store.reading(),
            events: gateway.events.reading(),
            certificates: live.tls.readings(),
            configured: live.since,
        }
    }
}

fn accept<B>(request: &Request<B>) -> Option<&str> {
    request.headers().get(ACCEPT)?.to_str().ok()
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    with_type(response, "text/plain; charset=utf-8")
}

fn with_type(mut response: Response<Full<Bytes>>, kind: &'static str) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The path of the page.
pub(super) const PATH: &str = "/metrics";
const LOCALHOST: &str = "localhost";
/// The most connections at a time.
const MOST: usize = 8;
/// The most octets of a request; hyper takes no smaller limit.
const MOST_OCTETS: usize = 8192;
const MOST_FIELDS: usize = 50;
/// The time of a request's header section, and of a whole connection.
const HEADER_TIME: Duration = Duration::from_secs(3);
const TIME: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
