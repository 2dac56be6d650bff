//! What SPF says of the sender: RFC 7208.
//!
//! `spf` holds if the result is in its list of words, as `fail : softfail`; `spf_guess` evaluates the
//! record of the option `spf_guess` where the domain publishes none. A null path is tested as the
//! name of HELO. The DNS is asked when the first condition needs it, once for a message. All senders of a
//! connection share [`Notes::MAX_SPF_QUESTIONS`](crate::gateway::policy::state::Notes::MAX_SPF_QUESTIONS), until a message
//! is accepted. Who has used them up gets `temperror` (RFC 7208 section 2.6.6), but chooses that himself:
//! no rule is passed by with it, the sender is put off.

use std::sync::Arc;
use std::time::SystemTime;

use mail_types::hickory::Resolver;
use mail_types::{Helo, MethodResult, Semantics, Variable, WordList};
use spf_result::{Check, MacroString, Options, Record, Report, SpfResult};

use crate::gateway::policy::condition::{Condition, Holds, Home, Test};
use crate::gateway::policy::context::Scene;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::Entry;
use crate::gateway::policy::stage::Place;
use crate::gateway::policy::state::Notes;
use crate::gateway::policy::words::Words;

/// How SPF is tested.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpfSettings {
    pub(crate) options: Options,
    /// What `spf_guess` evaluates; without it, RFC 7208's limits hold for the customary guess.
    pub(crate) guess: Option<Arc<Record>>,
    /// What `$spf_smtp_comment` says where the domain gives no explanation.
    pub(crate) comment: Option<MacroString>,
}

/// One of the two conditions.
#[derive(Debug)]
pub(crate) struct SpfTest {
    words: Words<WordList>,
    guesses: bool,
    settings: SpfSettings,
}

impl SpfTest {
    pub(crate) fn read(
        entry: &Entry,
        place: Place,
        home: &Home<'_>,
        guesses: bool,
    ) -> Result<Self, Problem> {
        let words = Words::read(&entry.text, place, home.language, |list, _| {
            Ok(WordList::new(list, SpfResult::WORDS)?)
        })?;
        let mut settings = home.spf.clone();
        if guesses {
            let guess = settings.guess.take().unwrap_or_else(Options::default_guess);
            settings.options.guess = Some(guess);
        }
        Ok(Self { words, guesses, settings })
    }

    async fn holds(&self, scene: &mut Scene<'_>) -> Holds {
        let words = match self.words.now(scene).await {
            Ok(words) => words,
            Err(instead) => return instead,
        };
        if let Some(report) = self.known(scene) {
            return words.matches(report.outcome().result().as_str(), SEMANTICS).into();
        }
        let before = scene.notes.spf_questions_left();
        let Some(report) = ask(scene, &self.settings).await else { return Holds::Later };
        let result = report.outcome().result();
        if scene.notes.spf_questions_left() == 0 {
            if before > 0 {
                let most = Notes::MAX_SPF_QUESTIONS;
                scene.notes.log(format!(
                    "SPF: the connection has asked the DNS {most} questions since its last message; \
                     its senders are put off from now on"
                ));
            }
            if result == SpfResult::TempError {
                return Holds::Later;
            }
        }
        let holds = words.matches(report.outcome().result().as_str(), SEMANTICS);
        for name in VARIABLES {
            if let Variable::Value(value) = report.variable(name) {
                scene.notes.publish(name, value.into_owned());
            }
        }
        let facts = scene.notes.facts();
        if self.guesses {
            facts.insert(Guessed(report));
        } else {
            facts.insert(Checked(report));
        }
        holds.into()
    }

    fn known<'s>(&self, scene: &'s mut Scene<'_>) -> Option<&'s Report> {
        let facts = scene.notes.facts();
        if self.guesses {
            facts.get::<Guessed>().map(|Guessed(report)| report)
        } else {
            facts.get::<Checked>().map(|Checked(report)| report)
        }
    }
}

impl Condition for SpfTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        Test::Work(Box::pin(self.holds(scene)))
    }
}

/// Asks the DNS; `None` if there is nobody to ask.
pub(crate) async fn ask(scene: &Scene<'_>, settings: &SpfSettings) -> Option<Report> {
    let resolver = scene.services.get::<Resolver>()?;
    let sender = &scene.transaction?.sender;
    let (client, helo) = (scene.client.address.ip(), Helo::new(&scene.greeting.name));
    let mut options = settings.options.clone();
    let most = options.limits.questions.min(scene.notes.spf_questions_left());
    options.limits.questions = most;
    let check = Check::mail_from(client, &helo, sender)
        .with_options(options)
        .with_receiver(scene.host)
        .at(SystemTime::now());
    let mut session = check.session();
    let time = settings.options.limits.time;
    let outcome = mail_types::hickory::run_cached(&mut session, resolver, time, &|_| None).await;
    scene.notes.count_spf_questions(session.answers().len().min(most));
    let report = check.report(outcome);
    Some(match &settings.comment {
        Some(template) => report.with_smtp_comment_template(&check, template),
        None => report,
    })
}

/// What `spf` found of a message.
pub(crate) struct Checked(pub(crate) Report);

/// What `spf_guess` found.
struct Guessed(Report);

/// Returns what is said of it in an `Authentication-Results` field: a guess only where nothing else
/// was tested.
pub(crate) fn method_result(facts: &crate::gateway::policy::facts::Facts) -> Option<MethodResult> {
    let guessed = || facts.get::<Guessed>().map(|Guessed(report)| report);
    let report = facts.get::<Checked>().map(|Checked(report)| report).or_else(guessed)?;
    Some(report.authentication())
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
