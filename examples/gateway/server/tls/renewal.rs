//! OCSP responses that the gateway fetches from the responders of its certificates.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use ocsp_staple::hyper::Fetcher;
use ocsp_staple::{
    Certificate, Check, Event, Fetch, FetchError, ProofError, ProofFileError, Request, Schedule,
    ScheduleState, Staple, Store,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use super::certificate::{algorithms, parse};
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::words::FetchResult;

/// The running renewals, one for each certificate.
#[derive(Debug)]
pub(super) struct Renewals {
    /// Without it no proofs are fetched.
    fetcher: Option<Arc<Fetcher>>,
    store: Store,
    running: Mutex<HashMap<CertificateDer<'static>, Weak<Renewal>>>,
    metrics: Arc<Metrics>,
}

/// The response of one certificate, renewed until the drop.
#[derive(Debug)]
pub(super) struct Renewal {
    staple: watch::Receiver<Option<Staple>>,
    task: JoinHandle<()>,
}

impl Renewals {
    pub(super) fn new(store: Store, fetcher: Option<Fetcher>, metrics: &Arc<Metrics>) -> Self {
        let (fetcher, metrics) = (fetcher.map(Arc::new), Arc::clone(metrics));
        Self { fetcher, store, running: Mutex::default(), metrics }
    }

    /// Returns the renewal for the first certificate of a chain, from the file of this name, and starts it
    /// if necessary. `None` without a responder.
    pub(super) fn of(
        &self,
        path: &Path,
        chain: &[CertificateDer<'static>],
    ) -> Result<Arc<Renewal>, Unfetched> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, renewal| renewal.strong_count() > 0);
        let known = chain.first().and_then(|leaf| running.get(leaf));
        if let Some(renewal) = known.and_then(Weak::upgrade) {
            return Ok(renewal);
        }
        let begun = Arc::new(self.begin(path, chain).inspect_err(|error| {
            let path = path.display();
            match error {
                Unfetched::Off => {}
                Unfetched::NoResponder => debug!(event = "ocsp", "{path}: {error}"),
                Unfetched::Chain(_) => {
                    warn!(event = "ocsp", "{path}: cannot fetch an OCSP response: {error}");
                }
            }
        })?);
        if let Some(leaf) = chain.first() {
            running.insert(leaf.clone(), Arc::downgrade(&begun));
        }
        Ok(begun)
    }

    fn begin(&self, path: &Path, chain: &[CertificateDer<'static>]) -> Result<Renewal, Unfetched> {
        let fetcher = self.fetcher.as_ref().ok_or(Unfetched::Off)?;
        fetchable(chain, true)?;
        let (leaf, issuers) = parse(chain)?;
        let now = UnixTime::now();
        let mut schedule = Schedule::new(&leaf, now);
        let check = Check::new(&leaf, issuers, algorithms()).map_err(ProofFileError::Issuer)?;
        match self.store.load(&leaf) {
            Ok(Some(saved)) => schedule.handle_saved(saved, &check, now),
            Ok(None) => {}
            Err(error) => warn!(event = "ocsp", "{}", log::chain(&error)),
        }
        let (shown, staple) = watch::channel(schedule.staple(now));
        let work = RenewalTask {
            name: path.display().to_string(),
            chain: chain.to_vec(),
            fetcher: Arc::clone(fetcher),
            store: self.store.clone(),
            shown,
            metrics: Arc::clone(&self.metrics),
        };
        let task = tokio::spawn(async move {
            // It was read and checked above.
            if let Err(error) = work.run(schedule).await {
                error!(event = "ocsp", "{error}");
            }
        });
        Ok(Renewal { staple, task })
    }
}

/// Tells whether the proof of a chain's first certificate can be fetched, where proofs are fetched or not.
pub(super) fn fetchable(chain: &[CertificateDer<'_>], fetch: bool) -> Result<(), Unfetched> {
    if !fetch {
        return Err(Unfetched::Off);
    }
    let (leaf, issuers) = parse(chain)?;
    let now = UnixTime::now();
    match Schedule::new(&leaf, now).state(now) {
        ScheduleState::Ended => {
            return Err(
                ProofFileError::from(ProofError::CertificateExpired(leaf.not_after())).into()
            );
        }
        ScheduleState::NoResponder => return Err(Unfetched::NoResponder),
        _ => {}
    }
    Check::new(&leaf, issuers, algorithms()).map_err(ProofFileError::Issuer)?;
    Ok(())
}

/// Why the proof of a certificate is not fetched.
#[derive(Debug, Error)]
pub(super) enum Unfetched {
    #[error("tls_ocsp_fetch is off")]
    Off,
    #[error("it names no OCSP responder")]
    NoResponder,
    #[error(transparent)]
    Chain(#[from] ProofFileError),
}

impl Renewal {
    pub(super) fn staple(&self) -> Option<Staple> {
        self.staple.borrow().clone()
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task of a renewal.
struct RenewalTask {
    /// The name of the certificate in the log.
    name: String,
    chain: Vec<CertificateDer<'static>>,
    fetcher: Arc<Fetcher>,
    store: Store,
    shown: watch::Sender<Option<Staple>>,
    metrics: Arc<Metrics>,
}

impl RenewalTask {
    /// Follows the schedule until the certificate expires.
    async fn run(&self, mut schedule: Schedule) -> Result<(), ProofFileError> {
        let (leaf, issuers) = parse(&self.chain)?;
        let check = Check::new(&leaf, issuers, algorithms())?;
        loop {
            schedule.handle_time(UnixTime::now());
            // Not of a request: a saved response, or an end.
            while let Some(event) = schedule.poll_event() {
                self.tell(&event);
            }
            if let Some(fetch) = schedule.poll_fetch(UnixTime::now()) {
                self.fetch(&fetch, &check, &mut schedule).await;
            }
            while let Some(event) = schedule.poll_event() {
                self.count(&event);
                self.tell(&event);
            }
            let staple = schedule.staple(UnixTime::now());
            self.shown.send_if_modified(|shown| {
                let modified = *shown != staple;
                *shown = staple;
                modified
            });
            self.save(&leaf, &mut schedule).await;
            let Some(wake) = schedule.wake_at() else { return Ok(()) };
            let wait = wake.as_secs().saturating_sub(UnixTime::now().as_secs());
            // Wait in steps, since the clock may be set meanwhile.
            sleep(Duration::from_secs(wait).clamp(SHORTEST, LONGEST)).await;
        }
    }

    async fn fetch(&self, fetch: &Fetch, check: &Check<'_>, schedule: &mut Schedule) {
        let request = Request::new(check.certificate(), check.issuer(), fetch.hash);
        let fetched = self.fetcher.fetch(fetch, &request).await;
        let (now, random) = (UnixTime::now(), random());
        match fetched {
            Ok(got) => {
                schedule.handle_response(&got.response, got.max_age, check, now, random);
            }
            Err(failure) => {
                schedule.handle_failure(failure.error, failure.retry_after, now, random);
            }
        }
    }

    /// Counts the event of a request.
    fn count(&self, event: &Event) {
        let result = match event {
            Event::Good { .. } => FetchResult::Good,
            Event::Revoked(_) => FetchResult::Revoked,
            Event::Failed { .. } => FetchResult::Failed,
            _ => return,
        };
        self.metrics.staple_fetches.count(result);
    }

    fn tell(&self, event: &Event) {
        let name = &self.name;
        match event {
            Event::Good { .. } => info!(event = "ocsp", "{name}: {event}"),
            Event::Failed { error: FetchError::Https, .. } => warn!(
                event = "ocsp",
                "{name}: {event}; tls_ocsp_verify_certificates names no authorities"
            ),
            Event::Failed { .. } | Event::SavedRefused(_) => {
                warn!(event = "ocsp", "{name}: {event}");
            }
            Event::NoResponder => debug!(event = "ocsp", "{name}: {event}"),
            _ => error!(event = "ocsp", "{name}: {event}"),
        }
    }

    /// Saves a new response. A failure is only logged.
    async fn save(&self, leaf: &Certificate<'_>, schedule: &mut Schedule) {
        let Some(saved) = schedule.poll_saved() else { return };
        let (store, der) = (self.store.clone(), leaf.as_der().to_vec());
        let write = move || store.save(&Certificate::parse(&der).ok()?, &saved).err();
        if let Ok(Some(error)) = spawn_blocking(write).await {
            warn!(event = "ocsp", "{}", log::chain(&error));
        }
    }
}

/// A random number for jitter: `RandomState` is keyed by the system's random numbers.
fn random() -> u32 {
    let [.., a, b, c, d] = RandomState::new().hash_one(SystemTime::now()).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(10);
