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

use dmarc_policy::Status;
use mail_types::exim::{Semantics, Value, Variable, WordList};

use crate::gateway::authentication::dmarc::Examined;
use crate::gateway::policy::condition::{Condition, Holds, Home, Test};
use crate::gateway::policy::context::Scene;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::Entry;
use crate::gateway::policy::stage::Place;
use crate::gateway::policy::state::Notes;
use crate::gateway::policy::words::Words;

/// Keeps what was found out for whoever asks, and publishes its variables.
pub(crate) fn keep(examined: Examined, host: &str, notes: &mut Notes) {
    for name in VARIABLES {
        if let Variable::Value(value) = examined.verdict.variable(name, host) {
            notes.publish(name, value.into_owned());
        }
    }
    notes.authentication.dmarc = Some(examined);
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

fn status(scene: &Scene<'_>) -> Status {
    let examined = scene.notes.authentication.dmarc.as_ref();
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
