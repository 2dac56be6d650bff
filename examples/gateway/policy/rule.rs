//! One rule: a verb, conditions and modifiers.

use std::fmt;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::{EnhancedCode, ReplyCode};

use super::condition::{RuleScope, Test, Truth};
use super::context::Context;
use super::decision::Decision;
use super::header_fields::cut;
use super::reply_text::reply;
use super::rule_step::{NO_MULTILINE, RuleStep, check_form};
use super::rules::{Problem, RuleError};
use super::source::{RuleEntry, RuleSource};
use super::stage::Stage;
use super::state::Said;
use super::text::{Text, Unfinished};
use super::text_log::logged;
use super::unsupported;

/// A rule, read and checked.
#[derive(Debug)]
pub(super) struct Rule {
    verb: Verb,
    steps: Vec<(StepPlace, RuleStep)>,
}

/// The place of a step, for the log.
#[derive(Debug)]
struct StepPlace {
    line: usize,
    name: String,
}

impl fmt::Display for StepPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.name)
    }
}

/// The caller of a list of rules; for a later one more of the list has an effect.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Caller {
    Session,
    /// `${acl{…}}`.
    Text,
    /// The condition `acl`.
    Condition,
}

/// The verdict of a list that was called; without a rule that decides, it denies.
#[derive(Debug)]
pub(super) struct Verdict {
    /// Whether it accepts; `Later` if it defers.
    pub(super) truth: Truth,
    /// Its message, for a text.
    pub(super) text: Option<Value<'static>>,
    /// Its messages, for a rule.
    pub(super) said: Said,
}

impl Verdict {
    fn later(said: Said) -> Self {
        Self { truth: Truth::Later, text: None, said }
    }
}

impl Default for Verdict {
    fn default() -> Self {
        Self { truth: Truth::No, text: None, said: Said::default() }
    }
}

/// The action of a rule whose conditions hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verb {
    Accept,
    Defer,
    Deny,
    /// Denies, and ends the connection.
    Drop,
    Quarantine,
    /// Denies unless all conditions hold.
    Require,
    Warn,
}

impl Rule {
    /// Reads a rule of a list that is called at this stage.
    pub(super) fn read(
        source: &RuleSource,
        caller: Caller,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        let is_verb = |entry: &&RuleEntry| entry.name == "verb" && !entry.negated;
        let mut verbs = source.entries.iter().filter(is_verb);
        let verb = verbs.next();
        let verb = verb.ok_or(RuleError::Rule { line: source.line, problem: Problem::NoVerb })?;
        if let Some(second) = verbs.next() {
            return Err(second.error(Problem::SecondVerb));
        }
        check_form(verb, false).map_err(|problem| verb.error(problem))?;
        let verb = Verb::read(verb, caller, stage)?;
        let rest = source.entries.iter().filter(|entry| !is_verb(entry));
        let read = |entry: &RuleEntry| -> Result<_, RuleError> {
            let place = StepPlace { line: entry.line, name: entry.full_name() };
            Ok((place, RuleStep::read(entry, (caller, stage), verb, home)?))
        };
        Ok(Self { verb, steps: rest.map(read).collect::<Result<_, _>>()? })
    }

    /// Works the rule; returns what it comes to, or `None` if the next one is to be asked.
    pub(super) async fn ask(&self, context: &mut Context<'_>) -> Option<Decision> {
        let held = match self.work(context).await {
            Worked::Held(held) => held,
            Worked::Not => return None,
            Worked::Later(said) => return Some(later(&said, context.stage)),
        };
        let Said { message, log_message } = held.say(context).await;
        self.conclude(message.as_deref(), log_message.as_ref(), context)
    }

    /// Works a rule of a list that was called.
    pub(super) async fn answer(
        &self,
        caller: Caller,
        context: &mut Context<'_>,
    ) -> Option<Verdict> {
        let held = match self.work(context).await {
            Worked::Held(held) => held,
            Worked::Not => return None,
            Worked::Later(said) => return Some(Verdict::later(said)),
        };
        let truth = match self.verb {
            Verb::Accept | Verb::Quarantine => Truth::Yes,
            Verb::Deny | Verb::Drop | Verb::Require => Truth::No,
            Verb::Defer => Truth::Later,
            Verb::Warn => {
                if let Some(line) = held.say(context).await.log_message {
                    context.state.log(format!("Warning: {line}"));
                }
                return None;
            }
        };
        Some(if caller == Caller::Condition {
            Verdict { truth, text: None, said: held.say(context).await }
        } else {
            Verdict { truth, text: held.text(context).await, said: Said::default() }
        })
    }

    /// Tests the conditions, and does what modifiers do at once. A `require` decides where one does not hold, with
    /// the texts before it.
    async fn work(&self, context: &mut Context<'_>) -> Worked<'_> {
        let (mut message, mut log_message) = (None, None);
        context.state.take_said();
        for (place, step) in &self.steps {
            match step {
                RuleStep::Condition { negated, condition } => {
                    let holds = match condition.test(context) {
                        Test::Known(holds) => holds,
                        Test::Pending(work) => work.await,
                    };
                    context.state.text_log().place(place);
                    match holds {
                        Truth::Ignored => {}
                        Truth::Later if self.verb == Verb::Warn => return Worked::Not,
                        Truth::Later => return Worked::Later(context.state.take_said()),
                        _ if (holds == Truth::Yes) != *negated => {}
                        _ if self.verb == Verb::Require => {
                            let said = context.state.take_said();
                            return Worked::Held(Held { message, log_message, said });
                        }
                        _ => return Worked::Not,
                    }
                }
                RuleStep::Message(text) => message = Some((place, text)),
                RuleStep::LogMessage(text) => log_message = Some((place, text)),
                step => {
                    let worked = step.work(context).await;
                    context.state.text_log().place(place);
                    // Without a filter it would take what another should refuse.
                    if worked.is_break() {
                        return Worked::Later(Said::default());
                    }
                }
            }
        }
        if self.verb == Verb::Require {
            return Worked::Not;
        }
        Worked::Held(Held { message, log_message, said: context.state.take_said() })
    }

    fn conclude(
        &self,
        message: Option<&[String]>,
        log_message: Option<&Value<'_>>,
        context: &mut Context<'_>,
    ) -> Option<Decision> {
        let stage = context.stage;
        let flat = context.state.has_control(NO_MULTILINE);
        let mut wrong = None;
        let mut says = |code, detail, otherwise: &str| {
            let default = [otherwise.to_owned()];
            let (reply, own) = reply(code, detail, message.unwrap_or(&default), flat);
            wrong = own;
            reply
        };
        let log_line = log_message.map(logged);
        let mut decision = Decision { log_message: log_line, ..Decision::default() };
        match self.verb {
            Verb::Warn => {
                if let Some(line) = decision.log_message {
                    context.state.log(format!("Warning: {line}"));
                }
                return None;
            }
            Verb::Accept | Verb::Quarantine if message.is_some() => {
                decision.acceptance = Some(says(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, ""));
            }
            Verb::Accept | Verb::Quarantine => {}
            Verb::Deny | Verb::Drop | Verb::Require => {
                decision.refusal =
                    Some(says(stage.denied(), EnhancedCode::REFUSED_BY_POLICY, "not permitted"));
                decision.drops = self.verb == Verb::Drop;
            }
            Verb::Defer => {
                decision.refusal = Some(says(
                    stage.deferred(),
                    EnhancedCode::DEFERRED_BY_POLICY,
                    "not now, try again later",
                ));
            }
        }
        if let Some(code) = wrong {
            let verb = self.verb.as_str();
            context
                .state
                .log(format!("message: {verb} cannot reply {code}; its default code is sent"));
        }
        if self.verb == Verb::Quarantine {
            Self::quarantine(log_message, context, &mut decision);
        }
        Some(decision)
    }

    fn quarantine(why: Option<&Value<'_>>, context: &mut Context<'_>, decision: &mut Decision) {
        let line = why.map_or_else(|| "a rule says so".to_owned(), Value::to_string);
        context.state.log(format!("Quarantine: {line}"));
        let reason = why.map_or_else(|| "a rule says so".to_owned(), Value::to_line);
        let reason = cut(format!("{QUARANTINE}: {reason}"));
        match context.stage {
            Stage::Prdr => decision.quarantine = Some(reason),
            stage => context.state.quarantine(reason, stage.lasts()),
        }
    }
}

/// The result of the conditions of a rule.
enum Worked<'r> {
    Held(Held<'r>),
    /// The next rule is to be asked.
    Not,
    /// One cannot be told now; a list that defers may say why.
    Later(Said),
}

/// The texts of a rule that were reached.
struct Held<'r> {
    message: Option<(&'r StepPlace, &'r Text)>,
    log_message: Option<(&'r StepPlace, &'r Text)>,
    /// What the list says that the last condition `acl` called.
    said: Said,
}

impl Held<'_> {
    /// Expands the messages. As in Exim, a message of the rule takes the place of the list's, and a log message is
    /// put before the list's.
    async fn say(self, context: &mut Context<'_>) -> Said {
        let own = match self.log_message {
            Some((place, text)) => placed(text.expand(context).await, place, context),
            None => None,
        };
        let log_message = match (own, self.said.log_message) {
            (Some(own), Some(said)) => {
                let joined = [own.as_bytes(), b": ", said.as_bytes()].concat();
                Some(Value::new(joined, own.trust().max(said.trust())))
            }
            (own, said) => own.or(said),
        };
        let message = match self.message {
            Some((place, text)) => placed(text.expand_lines(context).await, place, context),
            None => None,
        };
        Said { message: message.or(self.said.message), log_message }
    }

    /// Expands the message for a text.
    async fn text(self, context: &mut Context<'_>) -> Option<Value<'static>> {
        if let Some((place, text)) = self.message {
            return placed(text.expand(context).await, place, context);
        }
        let lines = self.said.message?;
        Some(Value::new(lines.join("\n").into_bytes(), Trust::Untrusted))
    }
}

/// Returns what a text came to; the log gets the place of one that failed.
fn placed<T>(
    expanded: Result<T, Unfinished>,
    place: &StepPlace,
    context: &mut Context<'_>,
) -> Option<T> {
    context.state.text_log().place(place);
    expanded.ok()
}

impl Verb {
    pub(crate) const ALL: [Self; 7] = [
        Self::Accept,
        Self::Defer,
        Self::Deny,
        Self::Drop,
        Self::Quarantine,
        Self::Require,
        Self::Warn,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Defer => "defer",
            Self::Deny => "deny",
            Self::Drop => "drop",
            Self::Quarantine => "quarantine",
            Self::Require => "require",
            Self::Warn => "warn",
        }
    }

    /// The code of its reply, unless `message` has another of the same class.
    pub(super) fn code(self, stage: Stage) -> ReplyCode {
        match self {
            Self::Deny | Self::Drop | Self::Require => stage.denied(),
            Self::Defer => stage.deferred(),
            Self::Accept | Self::Quarantine | Self::Warn => ReplyCode::OK,
        }
    }

    fn read(entry: &RuleEntry, caller: Caller, stage: Stage) -> Result<Self, RuleError> {
        match Self::ALL.into_iter().find(|verb| verb.as_str() == entry.text) {
            // A list that is called decides for no session, and the replies of recipients stand for themselves.
            Some(Self::Quarantine | Self::Drop) if caller != Caller::Session => {
                Err(entry.error(Problem::CalledVerb { verb: entry.text.clone() }))
            }
            Some(Self::Drop) if stage == Stage::Prdr => {
                let (name, stages) = ("the verb drop".to_owned(), WITH_DROP);
                Err(entry.error(Problem::Elsewhere { name, stage, stages }))
            }
            Some(verb) => Ok(verb),
            None if entry.text == unsupported::VERB => {
                let name = format!("verb = {}", unsupported::VERB);
                Err(entry.error(Problem::Unsupported { name }))
            }
            None => Err(entry.error(Problem::Verb { verb: entry.text.clone() })),
        }
    }
}

/// What a rule comes to whose condition cannot be told now.
fn later(said: &Said, stage: Stage) -> Decision {
    let text = ["temporary failure evaluating policy, try again later".to_owned()];
    let text = said.message.as_deref().unwrap_or(&text);
    let (refusal, _) = reply(stage.deferred(), EnhancedCode::of::<4, 7, 0>(), text, true);
    let log_message = said.log_message.as_ref().map(logged);
    Decision { refusal: Some(refusal), log_message, ..Decision::default() }
}

/// The field of a message in quarantine.
const QUARANTINE: &str = "X-Quarantine";

/// The stages at which a rule can end the connection.
const WITH_DROP: &[Stage] = &[Stage::Connect, Stage::Helo, Stage::Mail, Stage::Rcpt, Stage::Data];
