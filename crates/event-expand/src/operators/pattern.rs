//! Regular expressions, in the syntax and with the meaning of PCRE2 without UTF: over bytes.
//!
//! `syntax` and the modules beside it parse a pattern to nodes; `compile` compiles these to a program;
//! `matcher` runs it.

mod back;
mod byte_set;
mod class;
mod compile;
mod escape;
mod failures;
mod group;
mod matcher;
mod node;
mod program;
mod syntax;

pub(crate) use matcher::Matcher;
use program::Program;
pub(crate) use syntax::Fault;
use syntax::Reader;

use crate::Limits;
use crate::stop::ExpandError;

/// A compiled pattern, or its fault.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    program: Result<Program, Fault>,
    backtracks: usize,
}

/// The groups of a match, as ranges of the subject's bytes.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

/// The reason why a match has no result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum MatchError {
    /// An invalid pattern.
    Pattern(Fault),
    /// The match needs more backtracks than the limit.
    Work,
    /// The match needs more steps than are left.
    Steps,
}

impl Fault {
    pub(crate) fn error(self, at: usize) -> ExpandError {
        ExpandError::Regex { at, offset: self.at, problem: self.problem }
    }
}

impl Pattern {
    pub(crate) fn new(pattern: &[u8], limits: &Limits) -> Self {
        let program = Reader::read(pattern, limits.regex_size)
            .and_then(|expression| compile::compiled(&expression, limits.regex_size));
        Self { program, backtracks: limits.regex_backtracks }
    }

    /// The fault of an invalid pattern.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.program.as_ref().err().copied()
    }

    /// Its size in bytes, roughly.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.program.as_ref().map_or(0, Program::size)
    }

    /// The steps that compiling counts for.
    pub(crate) fn steps(&self) -> usize {
        let parts = |program: &Program| program.steps.len().max(program.visits);
        COMPILING + self.program.as_ref().map_or(0, parts) / 64
    }

    /// Prepares searches of a subject.
    pub(crate) fn matcher<'m>(&'m self, subject: &'m [u8]) -> Result<Matcher<'m>, MatchError> {
        let program = self.program.as_ref().map_err(|fault| MatchError::Pattern(*fault))?;
        Ok(Matcher::new(program, subject, self.backtracks))
    }
}

/// The least steps of compiling a pattern.
pub(crate) const COMPILING: usize = 100;

/// `$0` to `$20`.
const MOST_GROUPS: usize = 21;
