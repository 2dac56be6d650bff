//! Texts that are expanded twice.

use std::rc::Rc;

use mail_types::exim::Trust;

use crate::evaluate::condition::COMPILING;
use crate::evaluate::{Evaluation, Halt, Kept};
use crate::operators::pattern::{Pattern, Subject};
use crate::stop::{ExpandError, ExpandFailure};
use crate::template::Template;
use crate::tree::{Arguments, PatternId, Sequence, Tree};

impl Evaluation<'_> {
    /// `${expand:…}`.
    pub(crate) fn expand_again(
        &mut self,
        tree: &Tree,
        at: usize,
        operand: Sequence,
    ) -> Result<Trust, Halt> {
        let text = self.kept_argument(tree, operand)?;
        let start = self.out.len();
        let querying = std::mem::replace(&mut self.querying, false);
        let trust = if let Some(template) = self.second_template(at, &text)? {
            self.second(at, &template)?
        } else {
            self.push(&text.bytes, at)?;
            text.trust
        };
        self.querying = querying;
        self.mark(start, trust, None);
        Ok(trust)
    }

    /// Parses an expanded text as a template; `None` if it contains nothing to expand.
    fn second_template(&self, at: usize, text: &Kept) -> Result<Option<Template>, Halt> {
        if !text.bytes.iter().any(|b| matches!(b, b'$' | b'\\')) {
            return Ok(None);
        }
        if text.trust == Trust::Untrusted {
            return Err(ExpandError::Untrusted { at }.into());
        }
        let template = Template::parse_within(&text.bytes, &self.options.limits);
        let template = template.map_err(|error| Halt::from(ExpandError::Template { at, error }))?;
        let checked = template.check_names(self.variables);
        checked.map_err(|error| Halt::from(ExpandError::Inner { at, error: error.into() }))?;
        Ok(Some(template))
    }

    fn second(&mut self, at: usize, template: &Template) -> Result<Trust, Halt> {
        let position = u32::try_from(at).unwrap_or(u32::MAX);
        self.enter(position)?;
        let done = self.sequence(&template.tree, template.tree.root);
        self.leave();
        done.map_err(|halt| match halt {
            Halt::Stop(stop) => match *stop {
                ExpandFailure::Error(error) => {
                    ExpandError::Inner { at, error: error.into() }.into()
                }
                ExpandFailure::Forced { .. } => ExpandFailure::Forced { at }.into(),
                ExpandFailure::Deferred { .. } => ExpandFailure::Deferred { at }.into(),
            },
            waiting @ Halt::Waiting(_) => waiting,
        })
    }

    /// `${sg{subject}{pattern}{replacement}}`: the replacement is expanded for each match, with the
    /// numbered variables of that match.
    pub(crate) fn substitute(
        &mut self,
        tree: &Tree,
        at: usize,
        strings: Arguments,
        known: Option<PatternId>,
    ) -> Result<Trust, Halt> {
        let [subject, pattern, replacement] = tree.arguments(strings) else {
            return Ok(Trust::Trusted);
        };
        let subject = Rc::new(self.kept_argument(tree, *subject)?);
        let pattern_text = self.kept_argument(tree, *pattern)?;
        let replacement = self.kept_argument(tree, *replacement)?;
        let compiled;
        let pattern = if let Some(pattern) = known.and_then(|known| tree.pattern(known)) {
            pattern
        } else {
            self.charge(COMPILING, at)?;
            compiled = Pattern::new(&pattern_text.bytes, &self.options.limits);
            &compiled
        };
        let start = self.out.len();
        let captures = self.captures.clone();
        let querying = std::mem::replace(&mut self.querying, false);
        let trust = self.replace_all(at, &subject, pattern, &replacement)?;
        (self.captures, self.querying) = (captures, querying);
        let trust = trust.max(subject.trust).max(replacement.trust);
        self.mark(start, trust, None);
        Ok(trust)
    }

    fn replace_all(
        &mut self,
        at: usize,
        subject: &Rc<Kept>,
        pattern: &Pattern,
        replacement: &Kept,
    ) -> Result<Trust, Halt> {
        let text = Subject::new(&subject.bytes);
        let length = subject.bytes.len();
        let between = |from: usize, to: usize| subject.bytes.get(from..to).unwrap_or_default();
        // Parsed at the first match: without a match it need not be a template.
        let mut template = None;
        let (mut done, mut trust, mut empty) = (0, Trust::Trusted, false);
        let (mut skipped, mut charged) = (0, false);
        loop {
            // After an empty match: a non-empty match at the same position, else one byte further.
            // That needs a second pattern.
            if empty && !std::mem::replace(&mut charged, true) {
                self.charge(COMPILING, at)?;
            }
            let found = pattern.matches_from(&text, done + skipped, empty);
            let found = found.map_err(|error| self.regex_error(error, at))?;
            let Some(groups) = found else {
                if !empty {
                    break;
                }
                self.charge(1, at)?;
                (skipped, empty) = (1, false);
                continue;
            };
            let (from, to) = groups.first().copied().flatten().unwrap_or((length, length));
            // In a text that is not ASCII, each match scans the whole text once more.
            let again = if text.is_borrowed() { to - done } else { length };
            self.charge(1 + again / 64, at)?;
            self.push(between(done, from), at)?;
            self.capture(Rc::clone(subject), groups);
            let template = match &template {
                Some(template) => template,
                None => template.insert(self.second_template(at, replacement)?),
            };
            match template {
                Some(template) => trust = trust.max(self.second(at, template)?),
                None => self.push(&replacement.bytes, at)?,
            }
            (done, skipped, empty) = (to, 0, from == to);
            if empty && to >= length {
                break;
            }
        }
        self.push(between(done, length), at)?;
        Ok(trust)
    }
}
