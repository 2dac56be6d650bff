//! Fetches an OCSP response into a file.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use examples::cases::certificates::{certificates, written};
use examples::cases::shown::{Done, named, read_in};
use ocsp_staple::hyper::{FetchLimits, Fetcher, Proxy};
use ocsp_staple::{
    Certificate, Check, Event, FetchError, Issuer, IssuerHash, Pace, Request, Schedule,
    ScheduleState, Signer, replace_file,
};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::UnixTime;

use crate::files;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// A file with the certificate, and perhaps its chain
    #[arg(long)]
    cert: PathBuf,
    /// A file with the certificate of its issuer, if the chain lacks it
    #[arg(long)]
    issuer: Option<PathBuf>,
    /// The address of the responder, if the certificate names none
    #[arg(long, value_name = "URL")]
    responder: Option<String>,
    /// Identifies the issuer by SHA-256 in the request
    #[arg(long)]
    sha256: bool,
    /// The most requests to the responder
    #[arg(long, default_value_t = 3)]
    tries: u32,
    /// The time limit of each try, in seconds
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// An HTTP proxy for the requests
    #[arg(long, value_name = "URL")]
    proxy: Option<Proxy>,
    /// A file with the certificate authorities of a responder with an https URL
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The file for the response, in DER
    output: PathBuf,
}

impl Wanted {
    pub(crate) fn run(&self) -> Done {
        let mut ders = Vec::new();
        for file in [Some(&self.cert), self.issuer.as_ref()].into_iter().flatten() {
            ders.extend(certificates(file)?.into_iter().map(|der| (file, der)));
        }
        let chain: Result<Vec<_>, _> =
            ders.iter().map(|(file, der)| read_in(file, Certificate::parse(der))).collect();
        let chain = chain?;
        let (leaf, issuers) = chain.split_first().ok_or("no certificate")?;
        let algorithms = default_provider().signature_verification_algorithms.all;
        let check = Check::new(leaf, issuers.iter().map(Issuer::from), algorithms)?;
        let hash = if self.sha256 { IssuerHash::Sha256 } else { IssuerHash::Sha1 };
        let schedule = Schedule::new(leaf, UnixTime::now());
        let mut schedule = schedule.with_pace(Pace::default().with_hash(hash));
        if let Some(responder) = &self.responder {
            schedule = schedule.with_responders([Arc::from(responder.as_str())]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.ask(&mut schedule, &check))
    }

    fn fetcher(&self) -> Result<Fetcher, Box<dyn Error>> {
        let limits = FetchLimits::default().with_time(Duration::from_secs(self.timeout));
        let mut fetcher = Fetcher::new(limits);
        if let Some(file) = &self.ca {
            let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(files::authorities(file)?)
                .with_no_client_auth();
            fetcher = fetcher.with_tls(Arc::new(config));
        }
        Ok(match &self.proxy {
            Some(proxy) => fetcher.with_proxy(proxy.clone()),
            None => fetcher,
        })
    }

    /// Asks at once as often as it is wanted; the pauses of the schedule are for servers.
    async fn ask(&self, schedule: &mut Schedule, check: &Check<'_>) -> Done {
        match schedule.state(UnixTime::now()) {
            ScheduleState::NoResponder => {
                // Most public certificates are so, and nothing is wrong with that.
                println!(
                    "nothing to fetch: the certificate names no OCSP responder (see --responder)"
                );
                return Ok(());
            }
            ScheduleState::Ended => {
                let end = written(check.certificate().not_after());
                return Err(format!("the certificate ended at {end}").into());
            }
            _ => {}
        }
        let fetcher = self.fetcher()?;
        let mut error: Box<dyn Error> = "the responder was not asked".into();
        for _ in 0..self.tries {
            let due = schedule.wake_at().unwrap_or_else(UnixTime::now);
            let Some(fetch) = schedule.poll_fetch(due.max(UnixTime::now())) else { break };
            let request = Request::new(check.certificate(), check.issuer(), fetch.hash);
            let now = UnixTime::now();
            match fetcher.fetch(&fetch, &request).await {
                Ok(got) => schedule.handle_response(&got.response, got.max_age, check, now, 0),
                Err(failure) => {
                    schedule.handle_failure(failure.error, failure.retry_after, now, 0);
                }
            }
            if let Some(staple) = schedule.staple(UnixTime::now()) {
                named(&self.output, replace_file(&self.output, &staple.response))?;
                println!("good until {}", written(staple.until));
                warn(check, &staple.response);
                return Ok(());
            }
            while let Some(event) = schedule.poll_event() {
                error = match event {
                    Event::Failed { error, .. } => {
                        let is_https = error == FetchError::Https;
                        let help = if is_https { "; give its authorities with --ca" } else { "" };
                        format!("{}: {error}{help}", fetch.responder).into()
                    }
                    event => return Err(event.to_string().into()),
                };
            }
        }
        Err(error)
    }
}

/// Tells that the signer's certificate ends before the proof says that it does.
fn warn(check: &Check<'_>, response: &[u8]) {
    let Ok(proof) = check.verify(response, UnixTime::now()) else { return };
    if let (Signer::Delegated { until, .. }, Some(next)) = (proof.signer, proof.next_update)
        && until < next
    {
        let (until, next) = (written(until), written(next));
        eprintln!("ocsp: the signer's certificate ends at {until}, before nextUpdate, {next}");
    }
}
