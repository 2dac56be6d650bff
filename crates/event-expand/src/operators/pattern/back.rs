//! Backtracking.

use super::matcher::Matcher;
use super::program::{NONE, Run, Step, index};

/// An entry of the stack; the last one is undone or tried first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// The other way.
    Choice {
        step: u32,
        position: u32,
        choice: u32,
    },
    /// Both ways have failed.
    Failed {
        position: u32,
        choice: u32,
    },
    Restore {
        register: u32,
        value: u32,
    },
    /// A byte less.
    Less {
        step: u32,
        least: u32,
        position: u32,
        end: u32,
    },
    /// A byte more.
    More {
        step: u32,
        from: u32,
        position: u32,
        end: u32,
    },
    /// A run whose continuation has failed.
    FailedRun {
        step: u32,
        from: u32,
        end: u32,
    },
}

impl Matcher<'_> {
    /// Goes back to the last choice; returns its other way.
    pub(super) fn go_back(&mut self, position: &mut usize) -> Option<usize> {
        while let Some(entry) = self.open.pop() {
            self.work += 1;
            match entry {
                Entry::Choice { step, position: place, choice } => {
                    if choice != NONE {
                        self.open.push(Entry::Failed { position: place, choice });
                    }
                    *position = place as usize;
                    return Some(step as usize);
                }
                Entry::Failed { position, choice } => {
                    self.work += self.failures.keep(choice, position);
                }
                Entry::Restore { register, value } => self.put(register as usize, value),
                Entry::Less { step, least, position: place, end } if place > least => {
                    let place = place - 1;
                    self.open.push(Entry::Less { step, least, position: place, end });
                    *position = place as usize;
                    return Some(step as usize + 1);
                }
                Entry::Less { step, least, end, .. } => {
                    if let Some(run) = self.run_at(step) {
                        self.failures.keep_run(run, least - run.least, end);
                    }
                }
                Entry::More { step, from, position: place, end } => {
                    let Some(run) = self.run_at(step) else { continue };
                    let next = self.subject.get(place as usize).filter(|_| place < end);
                    if next.is_none_or(|byte| {
                        !self.set_of(run.set).is_some_and(|set| set.contains(*byte))
                    }) {
                        self.failures.keep_run(run, from, place);
                        continue;
                    }
                    self.open.push(Entry::More { step, from, position: place + 1, end });
                    *position = place as usize + 1;
                    return Some(step as usize + 1);
                }
                Entry::FailedRun { step, from, end } => {
                    if let Some(run) = self.run_at(step) {
                        self.failures.keep_run(run, from, end);
                    }
                }
            }
        }
        None
    }

    fn run_at(&self, step: u32) -> Option<Run> {
        match self.program.steps.get(step as usize) {
            Some(Step::Run(run)) => Some(*run),
            _ => None,
        }
    }

    pub(super) fn begin(&mut self, register: u32) -> bool {
        let open = index(self.open.len());
        self.set(register as usize, open)
    }

    /// Drops the choices since the begin, but not what they restore.
    pub(super) fn commit(&mut self, register: u32) -> bool {
        let begin = self.register(register as usize) as usize;
        let mut end = begin;
        for at in begin..self.open.len() {
            self.work += 1;
            if let Some(entry @ Entry::Restore { .. }) = self.open.get(at).copied()
                && let Some(place) = self.open.get_mut(end)
            {
                *place = entry;
                end += 1;
            }
        }
        self.open.truncate(end);
        true
    }

    pub(super) fn fail_not(&mut self, register: u32) -> Option<usize> {
        let begin = self.register(register as usize) as usize;
        while self.open.len() > begin
            && let Some(entry) = self.open.pop()
        {
            self.work += 1;
            if let Entry::Restore { register, value } = entry {
                self.put(register as usize, value);
            }
        }
        None
    }
}
