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

use dmarc_policy::{OverrideKind, Status};
use mail_types::exim::{Semantics, Value, Variable, WordList};

use crate::gateway::authentication::dmarc::Examined;
use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;
use crate::gateway::policy::words::Words;

/// Keeps the verdict, and publishes its variables.
pub(crate) fn keep(examined: Examined, host: &str, state: &mut PolicyState) {
    for name in VARIABLES {
        if let Variable::Value(value) = examined.verdict.variable(name, host) {
            state.publish(name, value.into_owned());
        }
    }
    state.authentication.dmarc = Some(examined);
}

/// Publishes what there is to say of a message that is not examined.
pub(crate) fn publish_off(state: &mut PolicyState) {
    state.publish("dmarc_status", Value::trusted(Status::Off.as_str()));
}

/// The condition.
#[derive(Debug)]
pub(crate) struct DmarcTest {
    words: Words<WordList>,
    semantics: Semantics,
}

impl DmarcTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let words = Words::read(&entry.text, stage, home.language, |list, _| {
            WordList::new(list, Status::WORDS)
                .map_err(|problem| Problem::Words { name: "dmarc_status", problem })
        })?;
        let semantics = home.dmarc.semantics;
        if let Some(holds) = words.known().and_then(|list| list.constant(Status::WORDS, semantics))
        {
            return Err(Problem::SameForAll { holds });
        }
        Ok(Self { words, semantics })
    }

    async fn holds(&self, context: &mut Context<'_>) -> Truth {
        match self.words.now(context).await {
            Ok(words) => words.matches(status(context).as_str(), self.semantics).into(),
            Err(unfinished) => unfinished.into(),
        }
    }
}

impl Condition for DmarcTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        match self.words.known() {
            Some(words) => {
                Test::Known(words.matches(status(context).as_str(), self.semantics).into())
            }
            None => Test::Pending(Box::pin(self.holds(context))),
        }
    }
}

fn status(context: &Context<'_>) -> Status {
    let examined = context.state.authentication.dmarc.as_ref();
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
/// Accept a message that fails; its row in reports has the reason (RFC 9990 section 3.1.6).
pub(crate) const OVERRIDES: [(&str, OverrideKind); 3] = [
    ("dmarc_override/trusted_forwarder", OverrideKind::TrustedForwarder),
    ("dmarc_override/mailing_list", OverrideKind::MailingList),
    ("dmarc_override/local_policy", OverrideKind::LocalPolicy),
];

/// The controls of DMARC.
pub(crate) const CONTROLS: [&str; 6] = [
    DISABLE_VERIFY,
    ENABLE_FORENSIC[0],
    ENABLE_FORENSIC[1],
    OVERRIDES[0].0,
    OVERRIDES[1].0,
    OVERRIDES[2].0,
];

/// Returns the reason that rules have for accepting a message that fails, if any.
pub(crate) fn overridden(state: &PolicyState) -> Option<OverrideKind> {
    OVERRIDES.iter().find(|(control, _)| state.has_control(control)).map(|(_, kind)| *kind)
}
