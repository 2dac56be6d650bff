//! The failures in a subject so far.

use super::program::{NONE, Program, Run};

/// The choices and runs that have failed, with the bytes at which they did.
#[derive(Debug)]
pub(super) struct Failures {
    /// A bit for each choice at each byte; empty before the first failure.
    bits: Vec<u64>,
    choices: usize,
    /// The positions of a subject: one more than it has bytes. 0 if nothing is remembered.
    positions: usize,
    /// The last run of each kind that has failed: from each of its bytes it fails.
    runs: Vec<(u32, u32)>,
}

impl Failures {
    pub(super) fn new(program: &Program, length: usize) -> Self {
        let fits = program.failures.saturating_mul(length + 1) <= MOST_BITS;
        let positions = if program.is_pure && fits { length + 1 } else { 0 };
        let runs = if program.is_pure { program.runs } else { 0 };
        let (bits, runs) = (Vec::new(), vec![(NONE, 0); runs]);
        Self { bits, choices: program.failures, positions, runs }
    }

    /// The number of a choice among the failures. It depends on how many of the repetitions around it have
    /// matched no byte since their part began: if one has not, those within it have not either.
    pub(super) fn of_choice(
        &self,
        program: &Program,
        choice: u32,
        position: u32,
        registers: &[u32],
    ) -> u32 {
        if self.positions == 0 {
            return NONE;
        }
        let Some(choice) = program.choices.get(choice as usize) else { return NONE };
        let (mut failure, mut mark) = (choice.failure, choice.mark);
        while registers.get(mark as usize) == Some(&position) {
            failure += 1;
            mark = program.outer_marks.get(mark as usize).copied().unwrap_or(NONE);
        }
        u32::try_from(failure).unwrap_or(NONE)
    }

    pub(super) fn has(&self, failure: u32, position: usize) -> bool {
        let bit = failure as usize * self.positions + position;
        self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Returns the work: the first one has to make room.
    pub(super) fn keep(&mut self, failure: u32, position: u32) -> usize {
        let mut work = 0;
        if self.bits.is_empty() {
            self.bits = vec![0; (self.choices * self.positions).div_ceil(64)];
            work = self.bits.len() / 8;
        }
        let bit = failure as usize * self.positions + position as usize;
        if let Some(word) = self.bits.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
        work
    }

    pub(super) fn has_run(&self, run: u32, position: usize) -> bool {
        self.runs
            .get(run as usize)
            .is_some_and(|(from, end)| (*from as usize) <= position && position <= *end as usize)
    }

    /// The last run of a kind that has failed, if it begins after a position.
    pub(super) fn run_after(&self, run: u32, position: usize) -> Option<(u32, u32)> {
        let failed = self.runs.get(run as usize).copied();
        failed.filter(|(from, end)| position < *from as usize && from <= end)
    }

    pub(super) fn keep_run(&mut self, run: Run, from: u32, end: u32) {
        if let Some(place) = self.runs.get_mut(run.id as usize) {
            *place = (from + u32::from(run.inner), end);
        }
    }
}

/// The most bits, 8 MiB.
const MOST_BITS: usize = 1 << 26;
