//! Texts with expansions: Exim's language, as `event-expand` has it.
//!
//! A text is parsed and checked once, by [`Text::parse`]; one without a `$` is known from then on.
//! Expanding waits only where a lookup must be made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{
    Ask, ExpandError, ExpandFailure, HostCall, Journal, Need, Options, Progress, Template,
    Variables,
};
use mail_types::exim::{Query, Segment, Trust, Value};
use thiserror::Error;

use super::nearest::suggestion;
use super::place::Place;
use super::stage::Stage;
use super::surroundings::Surroundings;
use super::variable::{Names, NamesAt, Seen, nearest_variable, stages};
use crate::gateway::lookups::language::{Call, Language, is_untrusted};
use crate::gateway::lookups::language_error::LanguageError;

/// A text whose variables are known to exist, and whose lookups can be made.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    form: Form,
    language: Arc<Language>,
}

#[derive(Clone, Debug)]
enum Form {
    Literal(Value<'static>),
    Template(Arc<Template>),
}

impl Text {
    /// Parses a text.
    pub(crate) fn parse(
        text: &str,
        place: impl Into<Place>,
        language: &Arc<Language>,
    ) -> Result<Self, TextError> {
        let place = place.into();
        let template = language.parse(text, &NamesAt(place)).map_err(|error| match error {
            LanguageError::NoHeader { at } => TextError::NoHeader { at, place },
            other => TextError::Language(other),
        })?;
        let form = if let Some(text) = template.literal() {
            Form::Literal(Value::new(text.to_vec(), Trust::Trusted))
        } else {
            template.check(&Names).map_err(|unknown| match unknown {
                ExpandError::UnknownVariable { at, name } => {
                    let nearest = nearest_variable(&name, place);
                    TextError::Unknown { at, name, nearest }
                }
                other => TextError::Name(other),
            })?;
            template.check_patterns()?;
            template.check(&NamesAt(place)).map_err(|early| match early {
                ExpandError::UnknownVariable { at, name } => TextError::Early { at, name, place },
                other => TextError::Name(other),
            })?;
            note_calls(&template, place, language);
            Form::Template(Arc::new(template))
        };
        Ok(Self { form, language: Arc::clone(language) })
    }

    /// Expands it for a modifier; what goes beyond [`Text::MAX_LENGTH`] octets is cut off.
    ///
    /// # Errors
    ///
    /// [`Unfinished`]; why it has failed is in the log then.
    pub(crate) async fn expand(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Value<'static>, Unfinished> {
        let value = self.expand_whole(surroundings).await?;
        if value.as_bytes().len() <= Self::MAX_LENGTH {
            return Ok(value);
        }
        let bytes = value.as_bytes().get(..Self::MAX_LENGTH).unwrap_or_default();
        Ok(Value::new(bytes.to_vec(), value.trust()))
    }

    /// The same, for what means something else when it is cut: a list, a number.
    pub(crate) async fn expand_whole(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Value<'static>, Unfinished> {
        match &self.form {
            Form::Literal(value) => Ok(value.clone()),
            Form::Template(template) => {
                let run = self.run(template, surroundings, Template::resume).await;
                run.map_err(|stopped| stopped.logged(surroundings))
            }
        }
    }

    /// The same, for a program that shows the reason for having no text.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    #[cfg(feature = "gateway")]
    pub(crate) async fn expand_or_stop(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Value<'static>, Stopped> {
        match &self.form {
            Form::Literal(value) => Ok(value.clone()),
            Form::Template(template) => self.run(template, surroundings, Template::resume).await,
        }
    }

    /// Expands it to lines for a reply or for header fields. The text of the configuration breaks
    /// lines; a value in it does not, and no line has a control character. What goes beyond
    /// [`Text::MAX_LENGTH`] octets is cut off.
    ///
    /// # Errors
    ///
    /// [`Unfinished`]; why it has failed is in the log then.
    pub(crate) async fn expand_lines(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Vec<String>, Unfinished> {
        let mut text = String::new();
        for segment in self.expand_segments(surroundings).await?.segments() {
            match segment {
                Segment::Literal(bytes) | Segment::Value { bytes, trust: Trust::Trusted, .. } => {
                    push_text(&mut text, bytes);
                }
                Segment::Value { bytes, trust, .. } => {
                    text += &Value::new(bytes, trust).to_line();
                }
            }
        }
        let end =
            (0..=Self::MAX_LENGTH.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or_default());
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Expands it to its own texts and the values between them.
    ///
    /// # Errors
    ///
    /// [`Unfinished`]; why it has failed is in the log then.
    pub(crate) async fn expand_segments(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Query, Unfinished> {
        match &self.form {
            Form::Literal(value) => {
                let mut whole = Query::default();
                whole.push_literal(value.as_bytes());
                Ok(whole)
            }
            Form::Template(template) => {
                let run = self.run(template, surroundings, Template::resume_segments).await;
                run.map_err(|stopped| stopped.logged(surroundings))
            }
        }
    }

    async fn run<T>(
        &self,
        template: &Template,
        surroundings: &mut dyn Surroundings,
        resume: Resume<T>,
    ) -> Result<T, Stopped> {
        let (mut journal, mut reason, mut spent) = (Journal::default(), None, Duration::ZERO);
        let mut earlier = Vec::new();
        loop {
            let progress = {
                let seen = Seen::new(&*surroundings, &self.language.lists, &earlier);
                resume(template, &seen, &self.language.options, &mut journal)
            };
            let request = match progress {
                Progress::Done(done) => return Ok(done),
                Progress::Stopped(stop) => {
                    let why = reason.unwrap_or_default();
                    return Err(Stopped { stop, why });
                }
                Progress::Request(request) => request,
            };
            if matches!(request.ask, Ask::Call { call: HostCall::Acl, .. }) {
                earlier.push((journal.found().len() + 1, surroundings.snapshot()));
            }
            let asked = Instant::now();
            let (found, why) = surroundings.answer(&request.ask, spent).await;
            spent += asked.elapsed();
            reason = why.map(|why| format!(": {}", Value::new(why.into_bytes(), Trust::Untrusted)));
            journal.handle_found(found);
        }
    }

    /// Returns its texts and the values between them, as far as they are known before expansion at a place.
    pub(crate) fn known_segments(&self, place: Place) -> Query {
        let names = NamesAt(place);
        match &self.form {
            Form::Literal(value) => {
                let mut whole = Query::default();
                whole.push_literal(value.as_bytes());
                whole
            }
            Form::Template(template) => template.known_segments(|name| is_untrusted(&names, name)),
        }
    }

    /// Tells whether a part of it is untrusted in any case.
    pub(crate) fn is_untrusted(&self, place: Place) -> bool {
        let is_untrusted = |part| matches!(part, Segment::Value { trust: Trust::Untrusted, .. });
        self.known_segments(place).segments().any(is_untrusted)
    }

    /// Tells whether it has this variable.
    pub(crate) fn mentions(&self, variable: &str) -> bool {
        match &self.form {
            Form::Literal(_) => false,
            Form::Template(template) => template.names().any(|name| name == variable),
        }
    }

    /// Returns the text, if it has nothing to expand.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match &self.form {
            Form::Literal(value) => Some(value.as_bytes()),
            Form::Template(_) => None,
        }
    }

    /// Returns its lines, if it has nothing to expand.
    pub(super) fn literal_lines(&self) -> Option<Vec<String>> {
        let mut text = String::new();
        push_text(&mut text, self.literal()?);
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Returns the text that it begins with in any case.
    pub(crate) fn lead(&self) -> &[u8] {
        match &self.form {
            Form::Literal(value) => value.as_bytes(),
            Form::Template(template) => template.lead(),
        }
    }

    /// The longest text that a modifier takes, in octets.
    pub(crate) const MAX_LENGTH: usize = 16_384;
}

/// Takes note of the lists of rules that a template at this place calls.
pub(crate) fn note_calls(template: &Template, place: Place, language: &Language) {
    for (_, need) in template.needs() {
        if let Need::Acl(name) = need {
            let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
            language.note_call(Call { name, place: place.as_str(), by_condition: false });
        }
    }
}

/// Expands a template as far as its journal goes.
type Resume<T> = fn(&Template, &dyn Variables, &Options, &mut Journal) -> Progress<T>;

/// Appends text of the configuration: its lines are lines.
fn push_text(text: &mut String, bytes: &[u8]) {
    for (at, line) in bytes.split(|&octet| octet == b'\n').enumerate() {
        if at > 0 {
            text.push('\n');
        }
        *text += &Value::new(line.strip_suffix(b"\r").unwrap_or(line), Trust::Trusted).to_line();
    }
}

/// The reason for having no text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unfinished {
    /// The text says `fail`.
    Forced,
    /// It cannot be expanded, or not now.
    Failed,
}

/// The reason for having no text, with that of the last lookup.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{stop}{why}")]
pub(crate) struct Stopped {
    pub(crate) stop: ExpandFailure,
    /// A colon and the reason, or nothing.
    why: String,
}

impl Stopped {
    /// Logs a failure that the text has not forced.
    fn logged(&self, surroundings: &mut dyn Surroundings) -> Unfinished {
        if matches!(self.stop, ExpandFailure::Forced { .. }) {
            return Unfinished::Forced;
        }
        surroundings.log().add_fault(format!("expansion failed: {self}"));
        Unfinished::Failed
    }
}

/// The places at which a variable can have a value, as the end of an error.
pub(crate) fn available(name: &str) -> String {
    stages(name).map(|stages| format!(", but at {}", Stage::names(stages))).unwrap_or_default()
}

/// Why a text is not a [`Text`]. Positions are in bytes, with macros put in and lines joined.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum TextError {
    #[error(transparent)]
    Language(#[from] LanguageError),
    #[error(transparent)]
    Name(#[from] ExpandError),
    #[error(
        "byte {at}: header fields are not available at {}, but at {}",
        place.as_str(), Stage::names(Stage::CONTENT)
    )]
    NoHeader { at: usize, place: Place },
    #[error("byte {at}: ${name} is not available at {}{}", place.as_str(), available(name))]
    Early { at: usize, name: Box<str>, place: Place },
    #[error("byte {at}: unknown variable {name:?}{}", suggestion(*.nearest))]
    Unknown { at: usize, name: Box<str>, nearest: Option<&'static str> },
}

impl TextError {
    /// Returns the position, if the fault has one.
    #[cfg(feature = "gateway")]
    pub(crate) fn at(&self) -> Option<usize> {
        match self {
            Self::Language(error) => error.at(),
            Self::Name(error) => Some(error.at()),
            Self::NoHeader { at, .. } | Self::Early { at, .. } | Self::Unknown { at, .. } => {
                Some(*at)
            }
        }
    }
}
