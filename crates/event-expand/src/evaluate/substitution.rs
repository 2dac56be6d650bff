//! Texts that are expanded twice.

use std::rc::Rc;

use mail_types::exim::Trust;

use crate::evaluate::{Evaluation, Halt, Kept};
use crate::operators::pattern::Pattern;
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
            compiled = Pattern::new(&pattern_text.bytes, &self.options.limits);
            self.charge(compiled.steps(), at)?;
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
        let length = subject.bytes.len();
        let between = |from: usize, to: usize| subject.bytes.get(from..to).unwrap_or_default();
        let bytes = Rc::clone(subject);
        let matcher = pattern.matcher(&bytes.bytes);
        let mut matcher = matcher.map_err(|error| self.regex_error(error, at))?;
        // Parsed at the first match: without a match it need not be a template.
        let mut template = None;
        let (mut done, mut trust, mut empty) = (0, Trust::Trusted, false);
        loop {
            // After an empty match: one that is not empty at the same byte, else one after it.
            let found = matcher.search(done, empty, self.steps_left());
            let found = found.map_err(|error| self.regex_error(error, at))?;
            self.charge(matcher.take_steps(), at)?;
            let Some(groups) = found else { break };
            let (from, to) = groups.first().copied().flatten().unwrap_or((length, length));
            self.charge(1 + to.saturating_sub(done) / 64, at)?;
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
            (done, empty) = (to, from == to);
            if empty && to >= length {
                break;
            }
        }
        self.push(between(done, length), at)?;
        Ok(trust)
    }
}
