//! The OCSP responder of the authority: RFC 6960.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier};
use der::{Encode as _, Reader as _, SliceReader, Tag, TagNumber};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{KeyPair, SigningKey as _};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Done;
use crate::element::element;

/// A responder until it is dropped.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    revocations: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Responder {
    /// Answers for all certificates of a key: a certificate with the number `revoked` is revoked, others are good.
    pub(crate) async fn start(key: Arc<KeyPair>, revoked: u8) -> Done<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let revocations = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&revocations);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (key, told) = (Arc::clone(&key), Arc::clone(&told));
                let service = service_fn(move |request| {
                    let (key, told) = (Arc::clone(&key), Arc::clone(&told));
                    async move { Ok::<_, Infallible>(respond(request, &key, revoked, &told).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                // A client that goes away is no fault of the responder.
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { address, revocations, task })
    }

    /// Returns the number of responses that said "revoked".
    pub(crate) fn revocations(&self) -> usize {
        self.revocations.load(Ordering::Relaxed)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Incoming>,
    key: &KeyPair,
    revoked: u8,
    told: &AtomicUsize,
) -> Response<Full<Bytes>> {
    // RFC 6960 appendix A: a short request is in the path, in base64.
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let octets = if request.method() == Method::GET {
        let text = path.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        BASE64.decode(text.as_bytes()).unwrap_or_default()
    } else {
        let body = Limited::new(request.into_body(), MAX_REQUEST).collect().await;
        body.map(|body| body.to_bytes().to_vec()).unwrap_or_default()
    };
    let mut reply = Response::new(Full::default());
    match answer(&octets, key, revoked, told) {
        Ok(octets) => *reply.body_mut() = Full::new(octets.into()),
        Err(_) => *reply.status_mut() = StatusCode::BAD_REQUEST,
    }
    reply
}

/// Answers a request for one certificate.
fn answer(request: &[u8], key: &KeyPair, revoked: u8, told: &AtomicUsize) -> Done<Vec<u8>> {
    // OCSPRequest, TBSRequest, requestList and Request: each begins with the next.
    let mut inner = request;
    for _ in 0..4 {
        inner = first(inner)?.value();
    }
    let cert_id = SliceReader::new(inner)?.tlv_bytes()?;
    // hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber.
    let mut fields = SliceReader::new(first(cert_id)?.value())?;
    let mut serial = AnyRef::NULL;
    for _ in 0..4 {
        serial = fields.decode()?;
    }
    let now = time(SystemTime::now())?;
    let later = time(SystemTime::now() + VALIDITY)?;
    let status = if serial.value() == [revoked] {
        told.fetch_add(1, Ordering::Relaxed);
        element(context(1, true), &[&now])?
    } else {
        element(context(0, false), &[])?
    };
    let next_update = element(context(0, true), &[&later])?;
    let single = element(Tag::Sequence, &[cert_id, &status, &now, &next_update])?;
    let key_hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.public_key_raw());
    let responder =
        element(context(2, true), &[&element(Tag::OctetString, &[key_hash.as_ref()])?])?;
    let responses = element(Tag::Sequence, &[&single])?;
    let data = element(Tag::Sequence, &[&responder, &now, &responses])?;
    let algorithm = element(Tag::Sequence, &[&ECDSA_SHA256.to_der()?])?;
    let signature = element(Tag::BitString, &[&[0], &key.sign(&data)?])?;
    let basic = element(Tag::Sequence, &[&data, &algorithm, &signature])?;
    let basic = element(Tag::OctetString, &[&basic])?;
    let bytes = element(Tag::Sequence, &[&OCSP_BASIC.to_der()?, &basic])?;
    let successful = element(Tag::Enumerated, &[&[0]])?;
    element(Tag::Sequence, &[&successful, &element(context(0, true), &[&bytes])?])
}

fn first(octets: &[u8]) -> der::Result<AnyRef<'_>> {
    SliceReader::new(octets)?.decode()
}

fn time(time: SystemTime) -> der::Result<Vec<u8>> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    GeneralizedTime::from_unix_duration(since)?.to_der()
}

fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

/// Octets.
const MAX_REQUEST: usize = 64 << 10;
const VALIDITY: Duration = Duration::from_hours(24);
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// `id-pkix-ocsp-basic`.
const OCSP_BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
