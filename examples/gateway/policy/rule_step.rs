//! A condition or a modifier of a rule.

use std::ops::ControlFlow;

use super::condition::{Condition, RuleScope};
use super::conditions::dmarc;
use super::context::Context;
use super::delay;
use super::header_fields;
use super::nearest::nearest;
use super::reply_text::check_codes;
use super::rule::{Caller, Verb};
use super::rules::{Problem, RuleError};
use super::source::{EntryForm, RuleEntry};
use super::stage::Stage;
use super::text::{Text, Unfinished};
use super::unsupported;
use super::variable::is_acl;

/// A step of a rule.
#[derive(Debug)]
pub(super) enum RuleStep {
    Condition { negated: bool, condition: Box<dyn Condition> },
    Message(Text),
    LogMessage(Text),
    LogWrite(Text),
    AddHeader(Text),
    RemoveHeader(Text),
    Delay(Text),
    Set(String, Text),
    Control(&'static str),
    Profile(Text),
}

/// Refuses several texts where one takes the place of another, or where all would have to hold although each is a
/// list itself; and a number or a boolean for a list.
pub(super) fn check_form(entry: &RuleEntry, is_condition: bool) -> Result<(), Problem> {
    let name = entry.name.as_str();
    match entry.form {
        EntryForm::OneOfSeveral if !SEVERAL.contains(&name) => {
            Err(Problem::Several { name: entry.full_name(), is_condition })
        }
        EntryForm::Bare if is_condition && name != "condition" => Err(Problem::NotText),
        _ => Ok(()),
    }
}

/// The conditions and modifiers that a rule can have more than once.
const SEVERAL: [&str; 9] = [
    "acl",
    "condition",
    "ratelimit",
    "add_header",
    "remove_header",
    "control",
    "delay",
    "logwrite",
    "set",
];

/// Says how a `set` is written that has the form of Exim, `NAME = VALUE`.
fn set_parts(name: &str, value: &str) -> Problem {
    let (name, value) = (name.trim().trim_start_matches('$'), value.trim());
    let value = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    Problem::SetParts { name: name.to_owned(), value }
}

/// The controls that there are.
///
/// `no_multiline_responses`: what `message` says in several lines is said in one. The others are
/// DMARC's, and come too late when the message is there.
pub(crate) const CONTROLS: [&str; 7] = {
    let [verify, report, report_too, forwarder, list, local] = dmarc::CONTROLS;
    [NO_MULTILINE, verify, report, report_too, forwarder, list, local]
};
pub(super) const NO_MULTILINE: &str = "no_multiline_responses";

impl RuleStep {
    pub(super) fn read(
        entry: &RuleEntry,
        (caller, stage): (Caller, Stage),
        verb: Verb,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        let name = entry.name.as_str();
        let kind = home.kinds.iter().find(|kind| kind.name == name);
        let full_name = entry.full_name();
        if kind.is_none() && !MODIFIERS.contains(&name) && (home.is_option)(&full_name) {
            return Err(entry.error(Problem::Option { name: full_name }));
        }
        if let Some((own, value)) = entry.text.split_once('=')
            && name == "set"
            && entry.of.is_none()
        {
            return Err(entry.error(set_parts(own, value)));
        }
        let in_parts = matches!(name, "header" | "header_raw" | "set");
        if entry.of.is_some() != in_parts {
            return Err(entry.error(Problem::Parts { name: name.to_owned() }));
        }
        check_form(entry, kind.is_some()).map_err(|problem| entry.error(problem))?;
        if let Some(kind) = kind {
            if stage == Stage::Event && !kind.stages.contains(&stage) {
                let (name, cause) = (name.to_owned(), "there is no session to look at");
                return Err(entry.error(Problem::OutsideSession { name, cause }));
            }
            if !kind.stages.contains(&stage) {
                let (name, stages) = (name.to_owned(), kind.stages);
                return Err(entry.error(Problem::Unknowable { name, stage, stages }));
            }
            let condition = (kind.read)(entry, stage, home).map_err(|p| entry.error(p))?;
            return Ok(Self::Condition { negated: entry.negated, condition });
        }
        Self::read_modifier(entry, (caller, stage), verb, home)
            .map_err(|problem| entry.error(problem))
    }

    fn read_modifier(
        entry: &RuleEntry,
        (caller, stage): (Caller, Stage),
        verb: Verb,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let name = entry.name.as_str();
        let without_effect =
            || Problem::WithVerb { name: name.to_owned(), stage, verb: verb.as_str() };
        let says = match caller {
            Caller::Text => matches!(verb, Verb::Accept | Verb::Deny | Verb::Require),
            Caller::Condition => verb != Verb::Warn,
            Caller::Session => {
                matches!(verb, Verb::Deny | Verb::Defer | Verb::Drop | Verb::Require)
                    || (stage == Stage::Prdr && verb != Verb::Warn)
            }
        };
        let text = || Text::parse(&entry.text, stage, home.language).map_err(Problem::Text);
        match name {
            _ if unsupported::STEPS.contains(&name) => {
                Err(Problem::Unsupported { name: name.to_owned() })
            }
            _ if entry.negated => {
                let nearest = nearest(name, home.kinds.iter().map(|kind| kind.name));
                Err(Problem::Unknown { name: format!("!{name}"), nearest })
            }
            _ if !MODIFIERS.contains(&name) => {
                let conditions = home.kinds.iter().map(|kind| kind.name);
                let nearest = nearest(name, conditions.chain(MODIFIERS));
                Err(Problem::Unknown { name: name.to_owned(), nearest })
            }
            "message" if !says => Err(without_effect()),
            "message" if caller == Caller::Text => Ok(Self::Message(text()?)),
            "message" if caller == Caller::Condition => Self::said(text()?, stage),
            "message" => Self::message(text()?, stage, verb),
            "log_message" if caller == Caller::Text && verb != Verb::Warn => Err(without_effect()),
            "log_message" => Ok(Self::LogMessage(text()?)),
            "logwrite" => Ok(Self::LogWrite(text()?)),
            "add_header" | "remove_header" | "delay" => Self::effect(entry, stage, text),
            "control" | "profile" if stage == Stage::Event => Err(outside(name, NO_MESSAGE)),
            "set" => {
                // The text of 2014 writes the name with and without its $.
                let name = entry.of.as_deref().unwrap_or_default();
                let name = name.strip_prefix('$').unwrap_or(name);
                if !is_acl(name) {
                    return Err(Problem::NotSettable { name: name.to_owned() });
                }
                Ok(Self::Set(name.to_owned(), text()?))
            }
            "control" => Self::control(entry, stage),
            _ if stage != Stage::Rcpt => Err(elsewhere(name, stage, &[Stage::Rcpt])),
            _ => Ok(Self::Profile(text()?)),
        }
    }

    /// Reads a modifier that changes the message or lets the client wait.
    fn effect(
        entry: &RuleEntry,
        stage: Stage,
        text: impl FnOnce() -> Result<Text, Problem>,
    ) -> Result<Self, Problem> {
        let name = entry.name.as_str();
        match (name, stage) {
            ("delay", Stage::Event) => Err(outside(name, "there is no client that waits")),
            (_, Stage::Event) => Err(outside(name, NO_MESSAGE)),
            // The message is one for all its recipients, and their replies would wait for each other.
            ("delay", Stage::Prdr) => Err(elsewhere(name, stage, WITH_DELAY)),
            ("delay", _) => delay::check(text()?).map(Self::Delay),
            // A client may greet again.
            ("remove_header", Stage::Prdr | Stage::Helo | Stage::Connect) => {
                Err(elsewhere(name, stage, WITH_REMOVAL))
            }
            (_, Stage::Prdr | Stage::Helo) => Err(elsewhere(name, stage, WITH_FIELDS)),
            ("remove_header", _) => header_fields::check_removed(text()?).map(Self::RemoveHeader),
            _ => header_fields::check_added(&entry.text, text).map(Self::AddHeader),
        }
    }

    fn message(text: Text, stage: Stage, verb: Verb) -> Result<Self, Problem> {
        check_codes(&text, verb.code(stage), verb.as_str())?;
        Self::said(text, stage)
    }

    /// Before MAIL a client has no SMTPUTF8 to take other replies by.
    fn said(text: Text, stage: Stage) -> Result<Self, Problem> {
        let is_early = matches!(stage, Stage::Connect | Stage::Helo);
        if is_early && text.literal().is_some_and(|text| !text.is_ascii()) {
            return Err(Problem::NotAscii);
        }
        Ok(Self::Message(text))
    }

    fn control(entry: &RuleEntry, stage: Stage) -> Result<Self, Problem> {
        let known = CONTROLS.into_iter().find(|control| *control == entry.text);
        let unknown = || Problem::Control {
            control: entry.text.clone(),
            nearest: nearest(&entry.text, CONTROLS),
        };
        let known = known.ok_or_else(unknown)?;
        if known != NO_MULTILINE && Stage::CONTENT.contains(&stage) {
            return Err(elsewhere(&format!("control {known}"), stage, WITH_CONTROL));
        }
        Ok(Self::Control(known))
    }

    /// Does a modifier that takes effect at once. A text with a forced failure does
    /// nothing; breaks off where it cannot go on without one that cannot be told.
    pub(super) async fn work(&self, context: &mut Context<'_>) -> ControlFlow<()> {
        let text = match self {
            Self::AddHeader(text) => {
                header_fields::add(text, context).await;
                return ControlFlow::Continue(());
            }
            Self::RemoveHeader(text) => {
                header_fields::remove(text, context).await;
                return ControlFlow::Continue(());
            }
            Self::Delay(text) => {
                delay::wait(text, context).await;
                return ControlFlow::Continue(());
            }
            Self::LogWrite(text) | Self::Set(_, text) | Self::Profile(text) => text,
            Self::Control(control) => {
                if context.stage == Stage::Rcpt && *control != NO_MULTILINE {
                    context.state.set_recipient_control(control);
                } else {
                    context.state.set_control(control, context.stage.lasts());
                }
                return ControlFlow::Continue(());
            }
            Self::Condition { .. } | Self::Message(_) | Self::LogMessage(_) => {
                return ControlFlow::Continue(());
            }
        };
        match (self, text.expand(context).await) {
            (Self::LogWrite(_), Ok(line)) => context.state.log(line.to_string()),
            (Self::Set(name, _), Ok(value)) => context.state.set(name, value),
            // The old value would be wrong.
            (Self::Set(name, _), Err(Unfinished::Failed)) => context.state.unset(name),
            (Self::Profile(_), Ok(profile)) => {
                context.state.set_candidate_profile(profile.as_bytes().to_vec());
            }
            (Self::Profile(_), Err(Unfinished::Failed)) => return ControlFlow::Break(()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn elsewhere(name: &str, stage: Stage, stages: &'static [Stage]) -> Problem {
    Problem::Elsewhere { name: name.to_owned(), stage, stages }
}

/// The stages at which a client can wait, fields can be added or removed, and controls of DMARC are in time.
const WITH_DELAY: &[Stage] = &[Stage::Connect, Stage::Helo, Stage::Mail, Stage::Rcpt, Stage::Data];
const WITH_FIELDS: &[Stage] = &[Stage::Connect, Stage::Mail, Stage::Rcpt, Stage::Data];
const WITH_REMOVAL: &[Stage] = &[Stage::Mail, Stage::Rcpt, Stage::Data];
const WITH_CONTROL: &[Stage] = &[Stage::Connect, Stage::Helo, Stage::Mail, Stage::Rcpt];

fn outside(name: &str, cause: &'static str) -> Problem {
    Problem::OutsideSession { name: name.to_owned(), cause }
}

const NO_MESSAGE: &str = "there is no message to change";

/// The modifiers; `profile` is the last that is read.
pub(crate) const MODIFIERS: [&str; 9] = [
    "delay",
    "message",
    "log_message",
    "logwrite",
    "add_header",
    "remove_header",
    "set",
    "control",
    "profile",
];
