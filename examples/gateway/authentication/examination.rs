//! The examination of a message: SPF and DKIM, and DMARC by their results.

use std::time::{Duration, Instant, SystemTime};

use dmarc_policy::{Author, DkimInput, Dmarc};
use mail_types::dns::{Resolve, Session, run_cached};
use mail_types::smtp::Header;
use spf_result::Report;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::dkim::{self, Keys, Signature};
use super::dmarc::{DmarcSettings, Examined};
use super::envelope::Envelope;
use super::spf::{SpfSettings, check};

/// An examination, with its message and its settings.
pub(crate) struct Examination<'a> {
    pub(crate) envelope: Envelope<'a>,
    pub(crate) message: &'a [u8],
    pub(crate) settings: &'a DmarcSettings,
    pub(crate) spf: &'a SpfSettings,
    /// The most questions of SPF.
    pub(crate) spf_questions: usize,
    pub(crate) resolver: &'a dyn Resolve,
}

impl Examination<'_> {
    /// Evaluates SPF, DKIM and DMARC. A `known` report of SPF is used; else a new one is returned, with
    /// the number of its questions.
    pub(crate) async fn run(&self, known: Option<&Report>) -> (Examined, Option<(Report, usize)>) {
        let Self { settings, resolver, .. } = *self;
        let (start, half) = (Instant::now(), settings.timeout / 2);
        // The sender chooses the domain of SPF: its DNS must not use up the time for DKIM and DMARC.
        let (middle, end) = (start + half, start + settings.timeout);
        let header = Header::of(self.message);
        let read = || Author::from_fields(header.bodies("From"));
        let author = aside(READING * header.text.len(), read);
        let (found, signatures) = tokio::join!(
            self.sender(known.is_some(), half),
            self.verified(header, &author, middle)
        );
        let report = known.or(found.as_ref().map(|(report, _)| report));
        let spf = report.and_then(Report::spf_input);
        let dkim: Vec<_> = signatures.iter().filter_map(dkim_input).collect();
        let dmarc = Dmarc::new(author).with_spf(spf.as_ref()).with_dkim(&dkim);
        let dmarc = dmarc.with_discovery(settings.discovery.clone());
        let verdict = run_cached(&mut dmarc.session(), resolver, left(end), &|_| None).await;
        let dkim_results = signatures.iter().map(|signature| signature.result).collect();
        let signatures = signatures.iter().map(Signature::method_result).collect();
        let overridden = None;
        (Examined { verdict, spf, dkim, signatures, dkim_results, overridden }, found)
    }

    /// Checks the reverse-path by SPF, unless the report is known.
    async fn sender(&self, known: bool, time: Duration) -> Option<(Report, usize)> {
        if known {
            return None;
        }
        let mut spf = self.spf.clone();
        let limits = &mut spf.options.limits;
        limits.time = limits.time.min(time);
        Some(check(self.envelope, &spf, self.spf_questions, self.resolver).await)
    }

    /// Verifies the signatures of a message.
    async fn verified(&self, header: Header<'_>, author: &Author, end: Instant) -> Vec<Signature> {
        let mut signatures =
            dkim::read(header, author.domains(), &self.settings.dkim, SystemTime::now());
        let keys = Keys::of(&signatures);
        if keys.is_empty() {
            return signatures;
        }
        let questions = keys.questions();
        let mut session = Session::new(keys, Vec::new(), questions);
        let keys = run_cached(&mut session, self.resolver, left(end), &|_| None).await;
        let octets = header.body.len() + signatures.len() * header.text.len();
        aside(octets, || dkim::verify(header, &mut signatures, keys));
        signatures
    }
}

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

/// Does work on this many octets; long work does not block other connections.
fn aside<T>(octets: usize, work: impl FnOnce() -> T) -> T {
    let threads = Handle::try_current().map(|handle| handle.runtime_flavor());
    match threads {
        Ok(RuntimeFlavor::MultiThread) if octets > QUICK => block_in_place(work),
        _ => work(),
    }
}

/// Returns the input of DMARC for a signature with a domain and a selector.
fn dkim_input(signature: &Signature) -> Option<DkimInput> {
    let domain = signature.domain.clone()?;
    let selector = Some(signature.selector.clone()).filter(|selector| !selector.is_empty())?;
    Some(DkimInput { result: signature.result, domain, selector })
}

/// The cost of reading an octet of an address, which programs may read in several ways, if hashing one
/// costs 1.
const READING: usize = 16;
/// The number of octets that are hashed in less than a millisecond.
const QUICK: usize = 256 << 10;
