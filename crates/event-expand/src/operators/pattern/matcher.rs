//! Searches a subject, byte by byte, with a count of the work.
//!
//! It goes back as PCRE2 does. It remembers what has failed at which byte, wherever that depends on
//! nothing else, also from one search of a subject to the next: an expression without references,
//! `\K` and `\G` takes time in proportion to its size and the subject's, if both fit. Within atomic parts and
//! look-around, and between passes of a lazy repetition that may be empty, nothing is kept for the next start.

use super::back::Entry;
use super::byte_set::ByteSet;
use super::failures::Failures;
use super::node::Greed;
use super::program::{NONE, Program, Run, Step, index};
use super::{Groups, MOST_GROUPS, MatchError};

/// The searches of one subject.
#[derive(Debug)]
pub(crate) struct Matcher<'m> {
    pub(super) program: &'m Program,
    pub(super) subject: &'m [u8],
    /// The start of the match; the last start of each group, then the start and the end of its
    /// last match; then what atomic groups, look-around and repetitions keep.
    registers: Vec<u32>,
    pub(super) open: Vec<Entry>,
    pub(super) failures: Failures,
    /// The start of the search.
    from: usize,
    /// The most backtracks of a search, if failures depend on more than the place.
    backtracks: Option<usize>,
    most_open: usize,
    pub(super) work: usize,
}

/// The end of an attempt from one byte.
enum Attempt {
    Failed,
    Matched(usize),
}

impl<'m> Matcher<'m> {
    pub(super) fn new(program: &'m Program, subject: &'m [u8], backtracks: usize) -> Self {
        Self {
            program,
            subject,
            registers: vec![NONE; program.registers],
            open: Vec::new(),
            failures: Failures::new(program, subject.len()),
            from: 0,
            backtracks: (!program.is_pure).then_some(backtracks),
            most_open: backtracks.saturating_mul(OPEN_OF_BACKTRACK).saturating_add(LEAST_OPEN),
            work: 0,
        }
    }

    /// Returns the steps done since the last call, with the rest of a step kept.
    pub(crate) fn take_steps(&mut self) -> usize {
        let steps = self.work / WORK_OF_STEP;
        self.work %= WORK_OF_STEP;
        steps
    }

    /// Searches from a byte on, within a number of steps; with `not_empty` for a match that is not
    /// empty, if it is at this byte.
    pub(crate) fn search(
        &mut self,
        from: usize,
        not_empty: bool,
        steps: usize,
    ) -> Result<Option<Groups>, MatchError> {
        if self.subject.len() >= NONE as usize {
            return Err(MatchError::Steps);
        }
        let most = steps.saturating_mul(WORK_OF_STEP);
        let mut from = from;
        let mut backtracks = self.backtracks;
        if not_empty {
            self.from = from;
            if let Attempt::Matched(end) = self.attempt(from, true, most, &mut backtracks)? {
                return Ok(Some(self.groups(end)));
            }
            from += 1;
        }
        self.from = from;
        while let Some(start) = self.next_start(from) {
            if let Attempt::Matched(end) = self.attempt(start, false, most, &mut backtracks)? {
                return Ok(Some(self.groups(end)));
            }
            from = start + 1;
        }
        if self.work > most { Err(MatchError::Steps) } else { Ok(None) }
    }

    /// The next byte at which a match can begin.
    fn next_start(&mut self, from: usize) -> Option<usize> {
        let rest = self.subject.get(from..)?;
        let Some(first) = self.program.first.as_ref().filter(|_| from > 0) else {
            return Some(from);
        };
        let skipped = rest.iter().position(|byte| first.contains(*byte));
        self.work += skipped.unwrap_or(rest.len()) / 8;
        skipped.map(|skipped| from + skipped)
    }

    fn groups(&mut self, end: usize) -> Groups {
        let groups = self.program.groups + 1;
        let start = self.register(0) as usize;
        let mut found = vec![Some((start, end))];
        for group in 1..groups.min(MOST_GROUPS) {
            let (from, to) =
                (self.register(1 + groups + group), self.register(1 + 2 * groups + group));
            found.push((to != NONE).then_some((from as usize, to as usize)));
        }
        self.open.clear();
        self.registers.fill(NONE);
        self.work += self.registers.len() / 16;
        found
    }

    fn attempt(
        &mut self,
        start: usize,
        not_empty: bool,
        most: usize,
        backtracks: &mut Option<usize>,
    ) -> Result<Attempt, MatchError> {
        let (mut at, mut position) = (0, start);
        self.set(0, index(start));
        loop {
            self.work += 1;
            if self.work > most {
                return Err(MatchError::Steps);
            }
            if self.open.len() > self.most_open {
                return Err(MatchError::Work);
            }
            let next = match self.program.steps.get(at) {
                Some(Step::Match) if !not_empty || self.register(0) as usize != position => {
                    return Ok(Attempt::Matched(position));
                }
                Some(step) => self.step(*step, at, &mut position),
                None => None,
            };
            if let Some(next) = next {
                at = next;
                continue;
            }
            if let Some(left) = backtracks {
                *left = left.checked_sub(1).ok_or(MatchError::Work)?;
            }
            match self.go_back(&mut position) {
                Some(next) => at = next,
                None => return Ok(Attempt::Failed),
            }
        }
    }

    /// Does a step; returns the next one, or `None` if it fails.
    fn step(&mut self, step: Step, at: usize, position: &mut usize) -> Option<usize> {
        match step {
            Step::Byte(byte) => {
                let is_there = self.subject.get(*position) == Some(&byte);
                *position += 1;
                is_there.then_some(at + 1)
            }
            Step::Set(set) => {
                let byte = *self.subject.get(*position)?;
                *position += 1;
                self.set_of(set)?.contains(byte).then_some(at + 1)
            }
            Step::Run(run) => self.run(run, at, position),
            Step::Jump(to) => Some(to as usize),
            Step::Split { first, second, choice } => self.split(first, second, choice, *position),
            Step::Open(group) => self.set(1 + group as usize, index(*position)).then_some(at + 1),
            Step::Close(group) => self.close(group as usize, *position).then_some(at + 1),
            Step::Mark(register) => self.set(register as usize, index(*position)).then_some(at + 1),
            Step::LeaveIfEmpty { register, exit } => {
                let is_empty = self.register(register as usize) as usize == *position;
                Some(if is_empty { exit as usize } else { at + 1 })
            }
            Step::Assert(assertion) => {
                assertion.holds(self.subject, *position, self.from).then_some(at + 1)
            }
            Step::Back(bytes) => {
                *position = position.checked_sub(bytes as usize)?;
                Some(at + 1)
            }
            Step::Begin(register) => self.begin(register).then_some(at + 1),
            Step::Commit(register) => self.commit(register).then_some(at + 1),
            Step::CommitBack { choices, position: kept } => {
                *position = self.register(kept as usize) as usize;
                self.commit(choices).then_some(at + 1)
            }
            Step::BeginNot { register, exit } => {
                self.begin(register);
                let position = index(*position);
                self.open.push(Entry::Choice { step: exit, position, choice: NONE });
                Some(at + 1)
            }
            Step::FailNot(register) => self.fail_not(register),
            Step::Reference { target, folded } => {
                self.reference(target, folded, position).then_some(at + 1)
            }
            Step::Unless { target, exit } => {
                Some(if self.matched(target).is_some() { at + 1 } else { exit as usize })
            }
            Step::Keep => self.set(0, index(*position)).then_some(at + 1),
            Step::Fail | Step::Match => None,
        }
    }

    fn split(&mut self, first: u32, second: u32, choice: u32, position: usize) -> Option<usize> {
        let place = index(position);
        let choice = self.failures.of_choice(self.program, choice, place, &self.registers);
        if choice != NONE && self.failures.has(choice, position) {
            return None;
        }
        self.open.push(Entry::Choice { step: second, position: place, choice });
        Some(first as usize)
    }

    /// As many bytes of a set as there are, or as few.
    fn run(&mut self, run: Run, at: usize, position: &mut usize) -> Option<usize> {
        let from = *position;
        if self.failures.has_run(run.id, from) {
            return None;
        }
        let failure =
            self.failures.of_choice(self.program, run.choice, index(from), &self.registers);
        if failure != NONE && self.failures.has(failure, from) {
            return None;
        }
        let (length, run_end) = self.length(run, from)?;
        *position = from + length;
        let (step, from, position, end) =
            (index(at), index(from), index(*position), index(from).saturating_add(run.most));
        if failure != NONE && run.greed != Greed::Possessive {
            self.open.push(Entry::Failed { position: from, choice: failure });
        }
        match run.greed {
            Greed::Greedy => {
                let least = from + run.least;
                self.open.push(Entry::Less { step, least, position, end: run_end });
            }
            Greed::Lazy => self.open.push(Entry::More { step, from, position, end }),
            Greed::Possessive if run.id == NONE => {}
            Greed::Possessive => {
                self.open.push(Entry::FailedRun { step, from, end: position });
            }
        }
        Some(at + 1)
    }

    /// The bytes that a run takes at first, and its end: without those at which it has failed.
    fn length(&mut self, run: Run, from: usize) -> Option<(usize, u32)> {
        let set = self.set_of(run.set)?;
        let rest = self.subject.get(from..)?;
        let most = if run.greed == Greed::Lazy { run.least } else { run.most };
        let rest = rest.get(..most as usize).unwrap_or(rest);
        let failed = self.failures.run_after(run.id, from).filter(|_| run.greed != Greed::Lazy);
        let new = failed.and_then(|(failed, _)| rest.get(..failed as usize - from)).unwrap_or(rest);
        let length = new.iter().position(|byte| !set.contains(*byte)).unwrap_or(new.len());
        self.work += length / 4;
        let mut end = index(from + length);
        if let Some((failed, failed_end)) = failed
            && end == failed
        {
            end = failed_end;
            if run.greed == Greed::Possessive {
                self.failures.keep_run(run, index(from), end);
                return None;
            }
            let last = end.min((failed + run.least).saturating_sub(1));
            let length = (last as usize).checked_sub(from)?;
            return (length >= run.least as usize).then_some((length, end));
        }
        (length >= run.least as usize).then_some((length, end))
    }

    pub(super) fn set_of(&self, set: u32) -> Option<&'m ByteSet> {
        self.program.sets.get(set as usize)
    }

    pub(super) fn register(&self, register: usize) -> u32 {
        self.registers.get(register).copied().unwrap_or(NONE)
    }

    pub(super) fn put(&mut self, register: usize, value: u32) {
        if let Some(place) = self.registers.get_mut(register) {
            *place = value;
        }
    }

    /// Sets a register until this way fails.
    pub(super) fn set(&mut self, register: usize, value: u32) -> bool {
        let entry = Entry::Restore { register: index(register), value: self.register(register) };
        self.open.push(entry);
        self.put(register, value);
        true
    }

    fn close(&mut self, group: usize, position: usize) -> bool {
        let groups = self.program.groups + 1;
        self.set(1 + groups + group, self.register(1 + group));
        self.set(1 + 2 * groups + group, index(position))
    }

    /// The last match of the first of some groups that has one.
    fn matched(&mut self, target: u32) -> Option<(usize, usize)> {
        let groups = self.program.groups + 1;
        let of_target = self.program.targets.get(target as usize)?;
        let has = |group: &u32| self.register(1 + 2 * groups + *group as usize) != NONE;
        let found = of_target.iter().position(has);
        self.work += found.unwrap_or(of_target.len()) / 2;
        let group = *of_target.get(found?)? as usize;
        let (from, to) = (self.register(1 + groups + group), self.register(1 + 2 * groups + group));
        Some((from as usize, to as usize))
    }

    fn reference(&mut self, target: u32, folded: bool, position: &mut usize) -> bool {
        let Some((from, to)) = self.matched(target) else { return false };
        let text = self.subject.get(from..to).unwrap_or_default();
        let end = *position + text.len();
        let Some(here) = self.subject.get(*position..end) else { return false };
        self.work += text.len() / 8;
        *position = end;
        if folded { here.eq_ignore_ascii_case(text) } else { here == text }
    }
}

/// The work of one of [`Limits::steps`](crate::Limits::steps).
const WORK_OF_STEP: usize = 1024;

/// The most entries to go back to: so many, and some for each backtrack of the limit.
const LEAST_OPEN: usize = 4096;
const OPEN_OF_BACKTRACK: usize = 20;
