//! What DMARC says of a message: RFC 9989.
//!
//! Every message whose client is in `dmarc_verify_hosts` is examined once, when it has come and before
//! its recipients' rules are asked, unless a rule before the data has set the control
//! `dmarc_disable_verify`. The result of that is a fact of the message; `dmarc_status` holds if its
//! word is in the list, as `reject : quarantine`, and `off` is the word of a message that was not
//! examined. A rule that refuses for `temperror` should say `defer`.
//!
//! `nofrom` is the word of a message that claims no domain, as `From: root` does, and of one whose author
//! cannot be told. The former is accepted unless a rule refuses it; for the latter, the option
//! `dmarc_invalid_from` says what becomes of it before a rule is asked.

use std::time::Duration;

use dmarc_policy::{Discovery, DkimInput, Policy, Status, Verdict};
use mail_types::{
    AuthResult, MethodResult, Reply, ReplyCode, Semantics, SpfInput, Value, Variable, WordList,
};

use crate::gateway::authentication::dkim::DkimLimits;
use crate::gateway::policy::condition::{Condition, Holds, Home, Test};
use crate::gateway::policy::context::Scene;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::Entry;
use crate::gateway::policy::stage::Place;
use crate::gateway::policy::state::Notes;
use crate::gateway::policy::words::Words;
use crate::gateway::smtp::replies::say;

/// What is examined, and what follows from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcSettings {
    /// How the items of a list of `dmarc_status` work together.
    pub(crate) semantics: Semantics,
    /// Whether a message is refused where its author's domain asks for that; else it is put into
    /// quarantine.
    pub(crate) rejects: bool,
    /// What becomes of a message whose author cannot be told.
    pub(crate) invalid_from: InvalidFrom,
    /// What becomes of one for which the DNS did not answer.
    pub(crate) temperror: Temperror,
    /// How organizational domains are found.
    pub(crate) discovery: Discovery,
    /// How long SPF, DKIM and DMARC of a message may ask the DNS together.
    pub(crate) timeout: Duration,
    pub(crate) dkim: DkimLimits,
}

impl DmarcSettings {
    /// What is done with a message that fails, where its author's domain asks for this.
    fn of_failure(&self, asked: Policy) -> Treatment {
        match asked {
            // Not solely for that: RFC 9989 section 7.4.
            Policy::Reject if self.rejects => Treatment::Reject,
            Policy::Reject | Policy::Quarantine => Treatment::Quarantine,
            Policy::None => Treatment::Accept,
        }
    }

    fn of_fault(&self) -> Treatment {
        match self.invalid_from {
            InvalidFrom::Accept => Treatment::Accept,
            InvalidFrom::Quarantine => Treatment::Quarantine,
            InvalidFrom::Reject => Treatment::Reject,
            InvalidFrom::Auto => self.of_failure(Policy::Reject),
        }
    }

    /// Whoever sends a message chooses domains for which the DNS does not answer: that is not better for
    /// it than to fail, and never worse.
    fn of_missing_answer(&self, verdict: &Verdict) -> Treatment {
        let of_failure = self.of_failure(verdict.pending);
        let chosen = match self.temperror {
            Temperror::Accept => Treatment::Accept,
            Temperror::Quarantine => Treatment::Quarantine,
            Temperror::Defer => Treatment::Defer,
            Temperror::Auto if of_failure == Treatment::Reject => Treatment::Defer,
            Temperror::Auto => of_failure,
        };
        // A record was found, and a message that fails is accepted.
        let harmless = verdict.record().is_some() && verdict.pending == Policy::None;
        if harmless { Treatment::Accept } else { chosen }
    }
}

/// What is done with a message for what DMARC says alone, the mildest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Treatment {
    Accept,
    Quarantine,
    /// It may come again: 451 4.7.1.
    Defer,
    /// 550 5.7.1.
    Reject,
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

/// `dmarc_temperror`: what becomes of a message for which the DNS did not answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Temperror {
    /// It is deferred where it would be refused if that had failed, and else treated as if it had.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Defer,
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
    pub(crate) fn treatment(&self, settings: &DmarcSettings) -> Treatment {
        let verdict = &self.verdict;
        let of_result = match verdict.result {
            AuthResult::Fail => settings.of_failure(verdict.disposition),
            AuthResult::TempError => settings.of_missing_answer(verdict),
            _ => Treatment::Accept,
        };
        // Of several authors, one fails or is sound, and for a stricter one an answer is missing.
        let of_others = match verdict.pending {
            Policy::None => Treatment::Accept,
            _ => settings.of_missing_answer(verdict),
        };
        let of_fault = verdict.fault.map_or(Treatment::Accept, |_| settings.of_fault());
        of_result.max(of_others).max(of_fault)
    }

    /// Returns the reply to a message that is not taken for this alone.
    pub(crate) fn refusal(&self, settings: &DmarcSettings) -> Option<Reply> {
        let verdict = &self.verdict;
        match (self.treatment(settings), verdict.reply()) {
            (Treatment::Reject, Some(reply)) => Some(reply),
            (Treatment::Reject, None) => {
                let fault = verdict.fault.map(|fault| fault.to_string()).unwrap_or_default();
                let text = format!("DMARC cannot be checked: {fault} (dmarc_invalid_from)");
                Some(say(ReplyCode::MAILBOX_UNAVAILABLE, "5.7.1", &text))
            }
            (Treatment::Defer, _) => {
                let author = verdict.author.as_ref().map(ToString::to_string).unwrap_or_default();
                let text = format!("the DNS did not answer: DMARC of {author} cannot be checked");
                Some(say(ReplyCode::LOCAL_ERROR, "4.7.1", &text))
            }
            _ => None,
        }
    }

    /// Returns the field that says why the message is in quarantine for this alone, if it is.
    pub(crate) fn quarantine(&self, settings: &DmarcSettings) -> Option<String> {
        if self.treatment(settings) != Treatment::Quarantine {
            return None;
        }
        let verdict = &self.verdict;
        let author = verdict.author.as_ref().map(ToString::to_string).unwrap_or_default();
        Some(match (verdict.fault, verdict.result) {
            (_, AuthResult::Fail) if verdict.disposition != Policy::None => {
                let asked = verdict.disposition;
                format!(
                    "X-Quarantine: DMARC: the message is not from {author}, which asks to {asked} it"
                )
            }
            (Some(fault), _) => format!("X-Quarantine: DMARC cannot be checked: {fault}"),
            (None, _) => {
                format!("X-Quarantine: DMARC of {author} cannot be checked: the DNS did not answer")
            }
        })
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
        signatures.chain([self.verdict.authentication()])
    }
}

/// Publishes what there is to say of a message that is not examined.
pub(crate) fn publish_off(notes: &mut Notes) {
    notes.publish("dmarc_status", Value::trusted(Status::Off.as_str()));
}

/// The condition.
#[derive(Debug)]
pub(crate) struct DmarcTest {
    words: Words<WordList>,
    semantics: Semantics,
}

impl DmarcTest {
    pub(crate) fn read(entry: &Entry, place: Place, home: &Home<'_>) -> Result<Self, Problem> {
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

pub(crate) const VARIABLES: &[&str] = &[
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
