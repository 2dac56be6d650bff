//! Queries that have their answer: writing one again would be most of the work of an expansion that goes on.

use std::rc::Rc;

use super::{Captures, Evaluation, Halt};

/// The place of a lookup in a run: its depth tells it from a lookup within its query, which is deeper.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct LookupPlace {
    depth: usize,
    /// The steps that its query takes, which count although it is not written again.
    steps: usize,
}

/// The state of a run before the query of a lookup.
pub(crate) struct BeforeQuery {
    next: usize,
    steps: usize,
    /// Kept, so that no later captures can have the same address.
    captures: Option<Rc<Captures>>,
}

impl Evaluation<'_> {
    /// Tells whether the next answer is that of the lookup which begins now; then its query counts as written.
    pub(crate) fn skip_query(&mut self, at: usize) -> Result<bool, Halt> {
        let place = self.journal.places.get(self.next).copied().flatten();
        let is_answered = self.next < self.journal.found.len();
        match place.filter(|place| is_answered && place.depth == self.depth) {
            Some(place) => self.charge(place.steps, at).map(|()| true),
            None => Ok(false),
        }
    }

    /// Returns the state before a query.
    pub(crate) fn before_query(&self) -> BeforeQuery {
        BeforeQuery { next: self.next, steps: self.steps, captures: self.captures.clone() }
    }

    /// Takes note of the place of a lookup behind its query, unless that has requests of its own, or changes the
    /// numbered variables.
    pub(crate) fn note_query(&mut self, before: &BeforeQuery) {
        let has_same_captures = match (&before.captures, &self.captures) {
            (None, None) => true,
            (Some(before), Some(now)) => Rc::ptr_eq(before, now),
            _ => false,
        };
        let place = LookupPlace { depth: self.depth, steps: self.steps - before.steps };
        self.place = (before.next == self.next && has_same_captures).then_some(place);
    }
}
