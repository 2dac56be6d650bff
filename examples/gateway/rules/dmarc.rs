//! What DMARC says of a message: RFC 9989.
//!
//! Every message whose client is in `dmarc_verify_hosts` is examined once, when it has come and before
//! its recipients' rules are asked, unless a rule before the data has set the control
//! `dmarc_disable_verify`. The result of that is a fact of the message; `dmarc_status` holds if its
//! word is in the list, as `reject : quarantine`, and `off` is the word of a message that was not
//! examined. A rule that refuses for `temperror` should say `defer`.

use std::time::Duration;

use dmarc_policy::{Discovery, DkimInput, Policy, SpfInput, Status, Verdict};
use mail_types::{AuthResult, HostSet, MethodResult, Semantics, Value, Variable, WordList};

use super::super::dkim::DkimLimits;
use super::Problem;
use super::condition::{Condition, Holds, Home, Test};
use super::notes::Notes;
use super::place::Place;
use super::scene::Scene;
use super::source::Entry;
use super::words::Words;

/// What is examined, and what follows from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcSettings {
    /// The clients whose messages are examined.
    pub(crate) verify_hosts: HostSet,
    /// How the items of a list of `dmarc_status` work together.
    pub(crate) semantics: Semantics,
    /// Whether a message is refused where its author's domain asks for that; else it is put into
    /// quarantine.
    pub(crate) rejects: bool,
    /// What becomes of a message whose author cannot be told.
    pub(crate) invalid_from: InvalidFrom,
    /// How organizational domains are found.
    pub(crate) discovery: Discovery,
    /// How long SPF, DKIM and DMARC of a message may ask the DNS together.
    pub(crate) timeout: Duration,
    pub(crate) dkim: DkimLimits,
}

/// `dmarc_invalid_from`: what becomes of a message whose author cannot be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum InvalidFrom {
    /// What becomes of one that fails where its author's domain asks to reject it.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Reject,
}

/// What was found out about a message.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    pub(crate) verdict: Verdict,
    pub(crate) spf: Option<SpfInput>,
    /// The signatures that have a domain and a selector.
    pub(crate) dkim: Vec<DkimInput>,
    /// What is said of each signature in `Authentication-Results`.
    pub(crate) signatures: Vec<MethodResult>,
}

impl Examined {
    /// Returns what is done with the message for this alone.
    pub(crate) fn applied(&self, settings: &DmarcSettings) -> Policy {
        match self.verdict.disposition {
            // Not solely for that: RFC 9989 section 7.4.
            Policy::Reject if !settings.rejects => Policy::Quarantine,
            asked => asked,
        }
    }

    /// Keeps it for whoever asks, and publishes its variables.
    pub(crate) fn keep(self, host: &str, notes: &mut Notes) {
        for name in VARIABLES {
            if let Variable::Value(value) = self.verdict.variable(name, host) {
                notes.publish(name, value.into_owned());
            }
        }
        notes.facts().insert(self);
    }

    /// Returns what is said of it in `Authentication-Results`, behind SPF's part.
    pub(crate) fn method_results(&self) -> impl Iterator<Item = MethodResult> {
        let none = || MethodResult::new("dkim", AuthResult::None);
        let unsigned = self.signatures.is_empty().then(none);
        let signatures = self.signatures.iter().cloned().chain(unsigned);
        signatures.chain([self.verdict.method_result()])
    }
}

/// Publishes what there is to say of a message that is not examined.
pub(crate) fn publish_off(notes: &mut Notes) {
    notes.publish("dmarc_status", Value::trusted(Status::Off.as_str()));
}

/// The condition.
#[derive(Debug)]
pub(super) struct DmarcTest {
    words: Words<WordList>,
    semantics: Semantics,
}

impl DmarcTest {
    pub(super) fn read(entry: &Entry, place: Place, home: &Home<'_>) -> Result<Self, Problem> {
        let words = Words::read(&entry.text, place, home.language, |list, _| {
            Ok(WordList::new(list, Status::WORDS)?)
        })?;
        Ok(Self { words, semantics: home.dmarc.semantics })
    }

    async fn holds(&self, scene: &mut Scene<'_>) -> Holds {
        match self.words.now(scene).await {
            Ok(words) => words.matches(status(scene).as_str(), self.semantics).into(),
            Err(instead) => instead,
        }
    }
}

impl Condition for DmarcTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        match self.words.known() {
            Some(words) => {
                Test::Known(words.matches(status(scene).as_str(), self.semantics).into())
            }
            None => Test::Work(Box::pin(self.holds(scene))),
        }
    }
}

fn status(scene: &mut Scene<'_>) -> Status {
    let examined = scene.notes.facts().get::<Examined>();
    examined.map_or(Status::Off, |examined| examined.verdict.status())
}

pub(super) const VARIABLES: &[&str] = &[
    "dmarc_status",
    "dmarc_status_text",
    "dmarc_used_domain",
    "dmarc_domain_policy",
    "dmarc_alignment_spf",
    "dmarc_alignment_dkim",
    "dmarc_ar_header",
];

/// Leaves a message unexamined.
pub(crate) const DISABLE_VERIFY: &str = "dmarc_disable_verify";
/// Has a failure report written about it; the text of 2014 has both spellings.
pub(crate) const ENABLE_FORENSIC: [&str; 2] = ["dmarc_enable_forensic", "dmarc_forensic_enable"];
