//! Texts with expansions: Exim's language, as `event-expand` has it.
//!
//! A text is parsed and checked once, by [`Text::parse`]; one without a `$` is known from then on.
//! Expanding waits only where a lookup must be made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{Ask, ExpandError, Expansion, Progress, Stop, Template};
use mail_types::{Found, Trust, Value};
use thiserror::Error;

use super::asking::Asked;
use super::language::{Language, LanguageError};
use super::place::Place;
use super::scene::Scene;
use super::variable::{Names, Seen};

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
        place: Place,
        language: &Arc<Language>,
    ) -> Result<Self, TextError> {
        let template = language.parse(text, Some(place))?;
        let form = match template.literal() {
            Some(text) => Form::Literal(Value::new(text.to_vec(), Trust::Trusted)),
            None => {
                template.check(&Names)?;
                Form::Template(Arc::new(template))
            }
        };
        Ok(Self { form, language: Arc::clone(language) })
    }

    /// Expands it for a modifier; what goes beyond [`Text::MAX_LENGTH`] octets is cut off.
    ///
    /// # Errors
    ///
    /// [`Unfinished`]; why it has failed is in the log then.
    pub(crate) async fn expand(&self, scene: &mut Scene<'_>) -> Result<Value<'static>, Unfinished> {
        let value = self.expand_whole(scene).await?;
        if value.as_bytes().len() <= Self::MAX_LENGTH {
            return Ok(value);
        }
        let bytes = value.as_bytes().get(..Self::MAX_LENGTH).unwrap_or_default();
        Ok(Value::new(bytes.to_vec(), value.trust()))
    }

    /// The same, for what means something else when it is cut: a list, a number.
    pub(crate) async fn expand_whole(
        &self,
        scene: &mut Scene<'_>,
    ) -> Result<Value<'static>, Unfinished> {
        let template = match &self.form {
            Form::Literal(value) => return Ok(value.clone()),
            Form::Template(template) => template,
        };
        let (mut journal, mut reason, mut spent) = (Vec::new(), None, Duration::ZERO);
        loop {
            let request = match self.advance(template, scene, &mut journal) {
                Progress::Done(value) => return Ok(value),
                Progress::Stopped(Stop::Forced { .. }) => return Err(Unfinished::Forced),
                Progress::Stopped(stop) => {
                    let why = reason.unwrap_or_default();
                    scene.notes.log(format!("a text cannot be expanded: {stop}{why}"));
                    return Err(Unfinished::Failed);
                }
                Progress::Request(request) => request,
            };
            let asked = Instant::now();
            let (found, why) = ask(scene, &request.ask, spent).await;
            spent += asked.elapsed();
            reason = why.map(|why| format!(": {}", Value::new(why.into_bytes(), Trust::Untrusted)));
            journal.push(found);
        }
    }

    /// Goes as far as it can with what was found.
    fn advance(&self, template: &Template, scene: &Scene<'_>, found: &mut Vec<Found>) -> Progress {
        let seen = Seen { scene, lists: &self.language.lists };
        let journal = std::mem::take(found);
        let mut expansion = Expansion::replay(template, &seen, &self.language.options, journal);
        let progress = expansion.poll();
        if matches!(progress, Progress::Request(_)) {
            *found = expansion.journal().to_vec();
        }
        progress
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

    /// Returns the text that it begins with in any case.
    pub(super) fn lead(&self) -> &[u8] {
        match &self.form {
            Form::Literal(value) => value.as_bytes(),
            Form::Template(template) => template.lead(),
        }
    }

    /// The longest text that a modifier takes, in octets.
    pub(crate) const MAX_LENGTH: usize = 16_384;
}

/// Has a lookup made, or a file read, by the program; and says why it is deferred.
pub(super) async fn ask(
    scene: &Scene<'_>,
    request: &Ask,
    spent: Duration,
) -> (Found, Option<String>) {
    match scene.services.get::<Asked>() {
        Some(Asked(engines)) => engines.answer(request, spent).await,
        None => (Found::Deferred, Some("nobody makes lookups here".to_owned())),
    }
}

/// Why there is no text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unfinished {
    /// The text says `fail`.
    Forced,
    /// It cannot be expanded, or not now.
    Failed,
}

/// Why a text is not a [`Text`]. Positions are in bytes, with macros put in and lines joined.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum TextError {
    #[error(transparent)]
    Language(#[from] LanguageError),
    #[error(transparent)]
    Name(#[from] ExpandError),
}
