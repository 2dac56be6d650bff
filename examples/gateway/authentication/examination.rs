//! The examination of a message: SPF, DKIM and, on top of them, DMARC.

use std::time::{Duration, Instant, SystemTime};

use dmarc_policy::{Author, DkimInput, Dmarc};
use mail_types::hickory::Resolver;
use mail_types::{Inquiry, Session, Step};
use spf_result::Report;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::dkim;
use super::dkim::{Keys, Signature};
use crate::gateway::message::header::Header;
use crate::gateway::policy::conditions::dmarc::{DmarcSettings, Examined};
use crate::gateway::policy::conditions::spf;
use crate::gateway::policy::conditions::spf::{Checked, SpfSettings};
use crate::gateway::policy::context::Scene;

/// Finds out whose the message of a scene is. What a rule has asked of SPF is not asked again.
pub(crate) async fn examine(
    scene: &mut Scene<'_>,
    settings: &DmarcSettings,
    spf: &SpfSettings,
) -> Examined {
    let (start, half) = (Instant::now(), settings.timeout / 2);
    // Whose DNS is asked for SPF is the sender's choice: it must not use up the time for the rest.
    let (middle, end) = (start + half, start + settings.timeout);
    let header = Header::of(scene.message);
    let author = aside(header.text.len(), || Author::from_fields(header.bodies("From")));
    let known = scene.notes.facts().get::<Checked>().is_some();
    let (report, signatures) = {
        let scene = &*scene;
        let signatures = verified(scene, header, &author, settings, middle);
        tokio::join!(sender(scene, spf, half, known), signatures)
    };
    if let Some(report) = report {
        scene.notes.facts().insert(Checked(report));
    }
    let checked = scene.notes.facts().get::<Checked>();
    let spf = checked.and_then(|Checked(report)| report.spf_input());
    let dkim: Vec<_> = signatures.iter().filter_map(dkim_input).collect();
    let mut dmarc = Dmarc::new(author).with_dkim(&dkim).with_discovery(settings.discovery.clone());
    if let Some(spf) = &spf {
        dmarc = dmarc.with_spf(spf);
    }
    let verdict = answered(&mut dmarc.session(), scene, end).await;
    let signatures = signatures.iter().map(Signature::method_result).collect();
    Examined { verdict, spf, dkim, signatures }
}

/// What SPF says of the reverse-path, unless that is known.
async fn sender(
    scene: &Scene<'_>,
    spf: &SpfSettings,
    time: Duration,
    known: bool,
) -> Option<Report> {
    if known {
        return None;
    }
    let mut spf = spf.clone();
    let limits = &mut spf.options.limits;
    limits.time = limits.time.min(time);
    spf::ask(scene, &spf).await
}

/// The signatures of a message, verified; without one nothing is done.
async fn verified(
    scene: &Scene<'_>,
    header: Header<'_>,
    author: &Author,
    settings: &DmarcSettings,
    end: Instant,
) -> Vec<Signature> {
    let mut signatures = dkim::read(header, author.domains(), &settings.dkim, SystemTime::now());
    let keys = Keys::of(&signatures);
    if keys.is_empty() {
        return signatures;
    }
    let questions = keys.questions();
    let mut session = Session::new(keys, Vec::new(), questions);
    let keys = answered(&mut session, scene, end).await;
    let octets = header.body.len() + signatures.len() * header.text.len();
    aside(octets, || dkim::verify(header, &mut signatures, keys));
    signatures
}

/// Runs a session to its end; where there is nobody to ask, no question is answered.
async fn answered<I: Inquiry>(
    session: &mut Session<I>,
    scene: &Scene<'_>,
    end: Instant,
) -> I::Verdict {
    if let Some(resolver) = scene.services.get::<Resolver>() {
        let time = end.saturating_duration_since(Instant::now());
        return mail_types::hickory::run_cached(session, resolver, time, &|_| None).await;
    }
    loop {
        match session.poll() {
            Step::Done(verdict) => return verdict,
            Step::Ask(_) => {}
            Step::Wait => session.handle_timeout(),
        }
    }
}

/// Works on so many octets; if that takes a while, not in the way of other connections.
fn aside<T>(octets: usize, work: impl FnOnce() -> T) -> T {
    let threads = Handle::try_current().map(|handle| handle.runtime_flavor());
    match threads {
        Ok(RuntimeFlavor::MultiThread) if octets > QUICK => block_in_place(work),
        _ => work(),
    }
}

/// What DMARC and its reports hear of a signature that has a domain and a selector.
fn dkim_input(signature: &Signature) -> Option<DkimInput> {
    let domain = signature.domain.clone()?;
    let selector = Some(signature.selector.clone()).filter(|selector| !selector.is_empty())?;
    Some(DkimInput { result: signature.result, domain, selector })
}

/// So many octets are hashed in less than a millisecond.
const QUICK: usize = 256 << 10;
