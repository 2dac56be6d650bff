//! What SPF says of the sender: RFC 7208.
//!
//! `spf` holds if the result is in its list of words, as `fail : softfail`; `spf_guess` evaluates the
//! record of the option `spf_guess` where the domain publishes none. A null path is tested as the
//! name of HELO. The DNS is asked when the first condition needs it, once for a message. All senders of a
//! connection share [`PolicyState::MAX_SPF_QUESTIONS`], until a message is accepted. After them the
//! result is `temperror` (RFC 7208 section 2.6.6). Since the client chooses that, no rule is passed by with it:
//! the sender is deferred.

use mail_types::exim::{Semantics, Variable, WordList};
use spf_result::{Options, Report, SpfResult};

use crate::gateway::authentication::results::Authentication;
use crate::gateway::authentication::spf::{SpfSettings, check};
use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;
use crate::gateway::policy::words::Words;

/// One of the two conditions.
#[derive(Debug)]
pub(crate) struct SpfTest {
    words: Words<WordList>,
    guesses: bool,
    settings: SpfSettings,
}

impl SpfTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
        guesses: bool,
    ) -> Result<Self, Problem> {
        let name = if guesses { "spf_guess" } else { "spf" };
        let words = Words::read(&entry.text, stage, home.language, move |list, _| {
            WordList::new(list, SpfResult::WORDS)
                .map_err(|problem| Problem::Words { name, problem })
        })?;
        if let Some(holds) =
            words.known().and_then(|list| list.constant(SpfResult::WORDS, SEMANTICS))
        {
            return Err(Problem::SameForAll { holds });
        }
        let mut settings = home.spf.clone();
        if guesses {
            let guess = settings.guess.take().unwrap_or_else(Options::default_guess);
            settings.options.guess = Some(guess);
        }
        Ok(Self { words, guesses, settings })
    }

    async fn holds(&self, context: &mut Context<'_>) -> Truth {
        let words = match self.words.now(context).await {
            Ok(words) => words,
            Err(unfinished) => return unfinished.into(),
        };
        if let Some(report) = self.known(context) {
            return words.matches(report.outcome().result().as_str(), SEMANTICS).into();
        }
        let Some(envelope) = context.envelope() else {
            context.state.log("SPF: the client, its name and the sender are not known".to_owned());
            return Truth::Later;
        };
        let before = context.state.spf_questions_left();
        let resolver = &*context.services.resolver;
        let (report, asked) = check(envelope, &self.settings, before, resolver).await;
        context.state.count_spf_questions(asked);
        let result = report.outcome().result();
        if !self.guesses {
            context.services.metrics.spf.count_named(result.as_str());
        }
        if context.state.spf_questions_left() == 0 {
            if before > 0 {
                let most = PolicyState::MAX_SPF_QUESTIONS;
                context.state.log(format!(
                    "SPF: the connection has asked the DNS {most} questions since its last message; \
                     its senders are put off from now on"
                ));
            }
            if result == SpfResult::TempError {
                return Truth::Later;
            }
        }
        let holds = words.matches(result.as_str(), SEMANTICS);
        for name in VARIABLES {
            if let Variable::Value(value) = report.variable(name) {
                context.state.publish(name, value.into_owned());
            }
        }
        let Authentication { spf, guess, .. } = &mut context.state.authentication;
        *(if self.guesses { guess } else { spf }) = Some(report);
        holds.into()
    }

    fn known<'s>(&self, context: &'s Context<'_>) -> Option<&'s Report> {
        let Authentication { spf, guess, .. } = &context.state.authentication;
        if self.guesses { guess.as_ref() } else { spf.as_ref() }
    }
}

impl Condition for SpfTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        Test::Pending(Box::pin(self.holds(context)))
    }
}

pub(crate) const VARIABLES: &[&str] = &[
    "spf_result",
    "spf_result_guessed",
    "spf_header_comment",
    "spf_received",
    "spf_smtp_comment",
    "spf_used_domain",
];

/// As the text of 2014 has it.
const SEMANTICS: Semantics = Semantics::EachItem;
