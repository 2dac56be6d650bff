//! Moves the messages of a [`Stub`] over the network by hickory, on tokio.

#[cfg(feature = "dnssec-ring")]
mod dname;
mod exchange;
#[cfg(feature = "dnssec-ring")]
mod validating;
#[cfg(feature = "dnssec-ring")]
mod wildcard;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mail_types::dns::{Answer, DnsFailure, Question, Resolve, Resolving};
use mail_types::hickory::ResolverSettings;
use tokio::time::{Instant, timeout};

#[cfg(feature = "dnssec-ring")]
pub use self::validating::{ValidatingResolver, validated_walk};
use crate::{DnssecState, Lookup, LookupStep, Stub, StubOptions};
#[cfg(feature = "dnssec-ring")]
pub use hickory_proto::dnssec::TrustAnchors;

/// A resolver that asks validating resolvers by a [`Stub`]; clones share its cache.
///
/// ```
/// use dane_tlsa::hickory::StubResolver;
/// use dane_tlsa::mail_types::dns;
/// use dane_tlsa::{Decision, Policy, StubOptions};
///
/// # #[expect(dead_code)]
/// async fn decide(policy: &Policy, resolver: &StubResolver) -> Decision {
///     dns::run(&mut policy.session(), resolver).await
/// }
/// let resolver = StubResolver::new(&["127.0.0.1:53".parse()?], StubOptions::default());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StubResolver {
    stub: Arc<Mutex<Stub>>,
    /// Held during a probe: questions that come meanwhile wait for it.
    probe: Arc<tokio::sync::Mutex<()>>,
}

impl StubResolver {
    /// Asks these servers; it sends nothing yet.
    #[must_use]
    pub fn new(servers: &[SocketAddr], options: StubOptions) -> Self {
        let stub = Arc::new(Mutex::new(Stub::new(servers, options)));
        Self { stub, probe: Arc::default() }
    }

    /// Asks the servers of these settings, with their time and number of tries; a system's settings have both.
    #[must_use]
    pub fn of_settings(settings: &ResolverSettings, options: StubOptions) -> Self {
        let (patience, tries) = settings.patience();
        let rounds = u32::try_from(tries).unwrap_or(u32::MAX);
        Self::new(&settings.addresses(), options.with_patience(patience, rounds))
    }

    /// Returns the servers that are asked, and whether each validates, by the last probe: a program logs it
    /// loudly where DNSSEC is not available.
    ///
    /// ```
    /// use dane_tlsa::hickory::StubResolver;
    /// use dane_tlsa::mail_types::hickory::ResolverSettings;
    /// use dane_tlsa::{DnssecState, StubOptions};
    ///
    /// let settings = ResolverSettings::of_server("127.0.0.1:5353".parse()?);
    /// let resolver = StubResolver::of_settings(&settings, StubOptions::default());
    /// // Before the first question it is not known whether the server validates.
    /// assert_eq!(resolver.servers(), [("127.0.0.1:5353".parse()?, DnssecState::Unproven)]);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn servers(&self) -> Vec<(SocketAddr, DnssecState)> {
        self.stub().servers().collect()
    }

    fn stub(&self) -> MutexGuard<'_, Stub> {
        self.stub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn finish(&self, question: Question, time: Duration) -> Answer {
        let mut lookup = self.stub().lookup(question, now(), time);
        loop {
            let step = self.stub().next(&mut lookup, now());
            match step {
                LookupStep::Done(answer) => return answer,
                LookupStep::Probed => return Answer::Failed(DnsFailure::ServFail),
                LookupStep::Send(query) => self.send(&mut lookup, &query).await,
                LookupStep::Probe(_) => {
                    let turn = self.probe.lock().await;
                    // Another question may have done it meanwhile.
                    let step = self.stub().next(&mut lookup, now());
                    if let LookupStep::Probe(mut probe) = step {
                        self.finish_probe(&mut probe).await;
                    }
                    drop(turn);
                }
            }
        }
    }

    async fn finish_probe(&self, probe: &mut Lookup) {
        loop {
            let step = self.stub().next(probe, now());
            let LookupStep::Send(query) = step else { return };
            self.send(probe, &query).await;
        }
    }

    async fn send(&self, lookup: &mut Lookup, query: &crate::Query) {
        match exchange::response(query).await {
            Some(response) => self.stub().handle_response(lookup, response, now()),
            None => self.stub().handle_silence(lookup, now()),
        }
    }
}

impl Resolve for StubResolver {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        Box::pin(async move {
            let answer = timeout(time, self.finish(question.clone(), time)).await;
            (question, answer.unwrap_or(Answer::Failed(DnsFailure::Timeout)))
        })
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
