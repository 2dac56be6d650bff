//! One rule: a verb, conditions, and what is done on the way.

use std::ops::ControlFlow;

use mail_types::{Reply, ReplyCode, Trust, Value};

use super::condition::{Condition, Holds, Home, Test};
use super::dmarc::{DISABLE_VERIFY, ENABLE_FORENSIC};
use super::judgement::Judgement;
use super::notes::Lasts;
use super::place::Place;
use super::scene::Scene;
use super::source::{Entry, RuleSource};
use super::text::{Text, Unfinished};
use super::variable::is_acl;
use super::{Problem, RuleError};

/// A rule, read and checked.
#[derive(Debug)]
pub(super) struct Rule {
    verb: Verb,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    Accept,
    Defer,
    Deny,
    Quarantine,
    Warn,
}

#[derive(Debug)]
enum Step {
    Condition { negated: bool, condition: Box<dyn Condition> },
    Message(Text),
    LogMessage(Text),
    LogWrite(Text),
    AddHeader(Text),
    Set(String, Text),
    Control(&'static str),
    Profile(Text),
}

/// The controls that there are.
///
/// `no_multiline_responses`: what `message` says in several lines is said in one. The others are
/// DMARC's, and come too late when the message is there.
const CONTROLS: &[&str] = &[NO_MULTILINE, DISABLE_VERIFY, ENABLE_FORENSIC[0], ENABLE_FORENSIC[1]];
const NO_MULTILINE: &str = "no_multiline_responses";

/// Variables that are a whole field, its name too; nothing is added where one has no value.
const WHOLE_FIELDS: &[&str] =
    &["$spf_received", "${spf_received}", "$dmarc_ar_header", "${dmarc_ar_header}"];

impl Rule {
    pub(super) fn read(
        source: &RuleSource,
        place: Place,
        home: &Home<'_>,
    ) -> Result<Self, RuleError> {
        let is_verb = |entry: &&Entry| entry.name == "verb" && !entry.negated;
        let mut verbs = source.entries.iter().filter(is_verb);
        let verb = verbs.next();
        let verb = verb.ok_or(RuleError::Rule { line: source.line, problem: Problem::NoVerb })?;
        if let Some(second) = verbs.next() {
            return Err(second.error(Problem::Unknown { name: "a second verb".into() }));
        }
        let verb = Verb::read(verb)?;
        let rest = source.entries.iter().filter(|entry| !is_verb(entry));
        let read = |entry| Step::read(entry, place, verb, home);
        Ok(Self { verb, steps: rest.map(read).collect::<Result<_, _>>()? })
    }

    /// Works the rule; returns what it comes to, or `None` if the next one is to be asked.
    pub(super) async fn ask(&self, scene: &mut Scene<'_>) -> Option<Judgement> {
        let (mut message, mut log_message) = (None, None);
        for step in &self.steps {
            match step {
                Step::Condition { negated, condition } => {
                    let holds = match condition.test(scene) {
                        Test::Known(holds) => holds,
                        Test::Work(work) => work.await,
                    };
                    match holds {
                        Holds::Ignored => {}
                        Holds::Later if self.verb == Verb::Warn => return None,
                        Holds::Later => return Some(later(scene.place)),
                        _ if (holds == Holds::Yes) == *negated => return None,
                        _ => {}
                    }
                }
                Step::Message(text) => message = Some(text),
                Step::LogMessage(text) => log_message = Some(text),
                // Without a filter it would take what another should refuse.
                step if step.work(scene).await.is_break() => return Some(later(scene.place)),
                _ => {}
            }
        }
        let log_message = said(log_message, scene).await.map(|text| text.to_string());
        let message = said(message, scene).await;
        self.conclude(message.as_ref(), log_message, scene)
    }

    fn conclude(
        &self,
        message: Option<&Value<'_>>,
        log_message: Option<String>,
        scene: &mut Scene<'_>,
    ) -> Option<Judgement> {
        let place = scene.place;
        let text = message.map(|text| String::from_utf8_lossy(text.as_bytes()));
        let flat = scene.notes.has_control(NO_MULTILINE);
        let says = |code, detail, otherwise: &str| {
            reply(code, detail, text.as_deref().unwrap_or(otherwise), flat)
        };
        let accepts = || text.as_deref().map(|text| reply(ReplyCode::OK, "2.1.5", text, flat));
        let mut judgement = Judgement { log_message, ..Judgement::default() };
        match self.verb {
            Verb::Warn => {
                if let Some(line) = judgement.log_message {
                    scene.notes.log(format!("Warning: {line}"));
                }
                return None;
            }
            Verb::Accept => judgement.acceptance = accepts(),
            Verb::Quarantine => {
                judgement.acceptance = accepts();
                let reason = judgement.log_message.as_deref().unwrap_or("a rule says so");
                scene.notes.log(format!("Quarantine: {reason}"));
                let reason = cut(format!("{QUARANTINE}: {reason}"));
                match place {
                    Place::Connect => scene.notes.quarantine(reason, Lasts::Connection),
                    Place::Prdr => judgement.quarantine = Some(reason),
                    _ => scene.notes.quarantine(reason, Lasts::Message),
                }
            }
            Verb::Deny => judgement.refusal = Some(says(place.denied(), "5.7.1", "not permitted")),
            Verb::Defer => {
                judgement.refusal =
                    Some(says(place.deferred(), "4.7.1", "not now, try again later"));
            }
        }
        Some(judgement)
    }
}

impl Verb {
    fn read(entry: &Entry) -> Result<Self, RuleError> {
        match entry.text.as_str() {
            "accept" => Ok(Self::Accept),
            "defer" => Ok(Self::Defer),
            "deny" => Ok(Self::Deny),
            "quarantine" => Ok(Self::Quarantine),
            "warn" => Ok(Self::Warn),
            other => Err(entry.error(Problem::Verb { verb: other.to_owned() })),
        }
    }
}

impl Step {
    fn read(entry: &Entry, place: Place, verb: Verb, home: &Home<'_>) -> Result<Self, RuleError> {
        let name = entry.name.as_str();
        let misplaced = || Problem::Misplaced { name: name.to_owned(), place };
        let in_parts = matches!(name, "header" | "header_raw" | "set");
        if entry.of.is_some() != in_parts {
            return Err(entry.error(Problem::Parts { name: name.to_owned() }));
        }
        if let Some(kind) = home.kinds.iter().find(|kind| kind.name == name) {
            if !kind.places.contains(&place) {
                return Err(entry.error(misplaced()));
            }
            let condition = (kind.read)(entry, place, home).map_err(|p| entry.error(p))?;
            return Ok(Self::Condition { negated: entry.negated, condition });
        }
        Self::read_modifier(entry, place, verb, home).map_err(|problem| entry.error(problem))
    }

    fn read_modifier(
        entry: &Entry,
        place: Place,
        verb: Verb,
        home: &Home<'_>,
    ) -> Result<Self, Problem> {
        let name = entry.name.as_str();
        let misplaced = Problem::Misplaced { name: name.to_owned(), place };
        let says = matches!(verb, Verb::Deny | Verb::Defer)
            || (place == Place::Prdr && verb != Verb::Warn);
        let text = || Text::parse(&entry.text, place, home.language).map_err(Problem::Text);
        match name {
            _ if entry.negated => Err(Problem::Unknown { name: format!("!{name}") }),
            "message" if !says => Err(misplaced),
            "message" => Ok(Self::Message(text()?)),
            "log_message" => Ok(Self::LogMessage(text()?)),
            "logwrite" => Ok(Self::LogWrite(text()?)),
            // The message is one for all its recipients.
            "add_header" if place == Place::Prdr => Err(misplaced),
            "add_header" => {
                let name = entry.text.split_once(':').map(|(name, _)| name);
                let named = |c: u8| c.is_ascii_graphic() && c != b'$';
                let is_name = |name: &str| !name.is_empty() && name.bytes().all(named);
                if WHOLE_FIELDS.contains(&entry.text.trim()) || name.is_some_and(is_name) {
                    Ok(Self::AddHeader(text()?))
                } else {
                    Err(Problem::FieldName)
                }
            }
            "set" => {
                // The text of 2014 writes the name with and without its $.
                let name = entry.of.as_deref().unwrap_or_default();
                let name = name.strip_prefix('$').unwrap_or(name);
                if !is_acl(name) {
                    return Err(Problem::NotSettable { name: name.to_owned() });
                }
                Ok(Self::Set(name.to_owned(), text()?))
            }
            "control" => {
                let known = CONTROLS.iter().find(|control| **control == entry.text);
                let unknown = || Problem::Control { control: entry.text.clone() };
                let known = known.ok_or_else(unknown)?;
                if *known != NO_MULTILINE && Place::CONTENT.contains(&place) {
                    let name = format!("control {known}");
                    return Err(Problem::Misplaced { name, place });
                }
                Ok(Self::Control(known))
            }
            "profile" if place != Place::Rcpt => Err(misplaced),
            "profile" => Ok(Self::Profile(text()?)),
            _ => Err(Problem::Unknown { name: name.to_owned() }),
        }
    }

    /// Does what does not wait for the end of the rule. A text that fails by its own word does
    /// nothing; breaks off where it cannot go on without one that cannot be told.
    async fn work(&self, scene: &mut Scene<'_>) -> ControlFlow<()> {
        let lasts = if scene.place == Place::Connect { Lasts::Connection } else { Lasts::Message };
        let text = match self {
            Self::LogWrite(text)
            | Self::AddHeader(text)
            | Self::Set(_, text)
            | Self::Profile(text) => text,
            Self::Control(control) => {
                scene.notes.set_control(control, lasts);
                return ControlFlow::Continue(());
            }
            Self::Condition { .. } | Self::Message(_) | Self::LogMessage(_) => {
                return ControlFlow::Continue(());
            }
        };
        match (self, text.expand(scene).await) {
            (Self::LogWrite(_), Ok(line)) => scene.notes.log(line.to_string()),
            (Self::AddHeader(_), Ok(text)) if !text.as_bytes().is_empty() => {
                scene.notes.add_header(field(&text), lasts);
            }
            (Self::Set(name, _), Ok(value)) => scene.notes.set(name, value),
            // What it had before is not what it should have now.
            (Self::Set(name, _), Err(Unfinished::Failed)) => scene.notes.unset(name),
            (Self::Profile(_), Ok(profile)) => {
                scene.notes.set_candidate_profile(profile.as_bytes().to_vec());
            }
            (Self::Profile(_), Err(Unfinished::Failed)) => return ControlFlow::Break(()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Expands what is said at the end of a rule; one that cannot be has its default.
async fn said(text: Option<&Text>, scene: &mut Scene<'_>) -> Option<Value<'static>> {
    text?.expand(scene).await.ok()
}

/// Makes a reply of a text. It may begin with a code of the same class, and with an enhanced one.
fn reply(code: ReplyCode, enhanced: &str, text: &str, flat: bool) -> Reply {
    let text = flatten(text, flat);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let (word, rest) = first.split_once(' ').unwrap_or((first, ""));
    let own = word.parse::<ReplyCode>().ok().filter(|own| own.severity() == code.severity());
    let (code, first) = own.map_or((code, first), |own| (own, rest));
    let with_own = format!("{code} {first}").parse::<Reply>().ok();
    let reply = match with_own.filter(|reply| reply.enhanced().is_some()) {
        Some(reply) => reply,
        None => match enhanced.parse() {
            Ok(enhanced) => Reply::new(code, first).with_enhanced(enhanced),
            Err(_) => Reply::new(code, first),
        },
    };
    lines.fold(reply, Reply::with_line)
}

/// What a rule comes to whose condition cannot be told now.
fn later(place: Place) -> Judgement {
    let text = "it cannot be told now, try again later";
    let refusal = reply(place.deferred(), "4.7.0", text, true);
    Judgement { refusal: Some(refusal), ..Judgement::default() }
}

/// Makes a text of several lines one of one line, if that is wanted.
fn flatten(text: &str, flat: bool) -> String {
    if flat { text.lines().collect::<Vec<_>>().join(" ") } else { text.to_owned() }
}

/// A field that cannot break its line, cut to the 998 octets of RFC 5322 section 2.1.1.
fn field(text: &Value<'_>) -> String {
    let whole = String::from_utf8_lossy(text.as_bytes());
    let (name, body) = whole.split_once(':').unwrap_or((&whole, ""));
    let body = Value::new(body.trim().as_bytes(), Trust::Untrusted).to_string();
    cut(format!("{name}: {body}"))
}

fn cut(mut field: String) -> String {
    let end = (0..=MAX_FIELD.min(field.len())).rev().find(|&end| field.is_char_boundary(end));
    field.truncate(end.unwrap_or_default());
    field
}

/// The field of a message in quarantine.
const QUARANTINE: &str = "X-Quarantine";
/// The longest field that is added, in octets without its CRLF.
const MAX_FIELD: usize = 998;
