//! Lists that are known at the start, or expanded each time.
//!
//! A list without a `$` is read once. Any other is expanded when its condition is tested, and what
//! comes of it is read then; it may be, or end in, what a lookup finds. Found text is a list and no
//! more: it is not expanded again. Whoever can write what a lookup finds, or a variable holds, can put
//! items into the list; what it does not have is the list's form: a separator, as `<;`, counts only if
//! the template itself begins with it, or if all of the list is trusted. A list that cannot be read
//! defers, and says so in the log.

use std::fmt;
use std::sync::Arc;

use mail_types::exim::{ByteList, List, Trust, Value};

use super::place::Place;
use super::rules::Problem;
use super::surroundings::Surroundings;
use super::text::{Text, Unfinished};
use crate::gateway::lookups::language::Language;

/// A list, as something that was read of it.
pub(crate) struct Words<L> {
    form: Form<L>,
    read: Box<Reading<L>>,
}

/// Reads a list: words, patterns, whatever its condition has.
type Reading<L> = dyn Fn(List<'_>, Trust) -> Result<L, Problem> + Send + Sync;

enum Form<L> {
    Known(Arc<L>),
    Expanded(Text),
}

impl<L> Words<L> {
    /// Takes a list that stands at this stage, and reads it if it has nothing to expand.
    pub(crate) fn read(
        text: &str,
        place: impl Into<Place>,
        language: &Arc<Language>,
        read: impl Fn(List<'_>, Trust) -> Result<L, Problem> + Send + Sync + 'static,
    ) -> Result<Self, Problem> {
        Self::of(Text::parse(text, place, language)?, read)
    }

    /// The same of a text that is parsed already.
    pub(super) fn of(
        text: Text,
        read: impl Fn(List<'_>, Trust) -> Result<L, Problem> + Send + Sync + 'static,
    ) -> Result<Self, Problem> {
        let form = match text.literal() {
            Some(literal) => {
                let literal = str::from_utf8(literal).map_err(|_| Problem::NotText)?;
                Form::Known(Arc::new(read(List::new(literal), Trust::Trusted)?))
            }
            None => Form::Expanded(text),
        };
        Ok(Self { form, read: Box::new(read) })
    }

    /// Tells whether it has one of these variables to expand.
    pub(crate) fn mentions(&self, variables: &[&str]) -> bool {
        match &self.form {
            Form::Known(_) => false,
            Form::Expanded(text) => variables.iter().any(|name| text.mentions(name)),
        }
    }

    /// Returns the list, if it was read at the start.
    pub(crate) fn known(&self) -> Option<&L> {
        match &self.form {
            Form::Known(list) => Some(list),
            Form::Expanded(_) => None,
        }
    }

    /// Returns the list as it is now.
    ///
    /// # Errors
    ///
    /// [`Unfinished`]; why it has failed is in the log then.
    pub(crate) async fn now(
        &self,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Arc<L>, Unfinished> {
        let text = match &self.form {
            Form::Known(list) => return Ok(Arc::clone(list)),
            Form::Expanded(text) => text,
        };
        let found = text.expand_whole(surroundings).await?;
        match self.read_found(text, &found) {
            Ok(list) => Ok(Arc::new(list)),
            Err(problem) => {
                let fault = format!("an expanded list cannot be read: {problem}");
                surroundings.log().add_fault(fault);
                Err(Unfinished::Failed)
            }
        }
    }

    fn read_found(&self, text: &Text, found: &Value<'_>) -> Result<L, Problem> {
        let list = str::from_utf8(found.as_bytes()).map_err(|_| Problem::NotText)?;
        let lead = str::from_utf8(text.lead()).unwrap_or_default().trim_start();
        let named = found.trust() == Trust::Trusted || ByteList::names_separator(lead.as_bytes());
        let list = if named { List::new(list) } else { List::separated(list, ':') };
        (self.read)(list, found.trust())
    }
}

impl<L: fmt::Debug> fmt::Debug for Words<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Known(list) => f.debug_tuple("Words").field(list).finish(),
            Form::Expanded(text) => f.debug_tuple("Words").field(text).finish(),
        }
    }
}
