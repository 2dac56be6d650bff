//! Programs, which the matcher runs.

use std::collections::BTreeMap;

use super::byte_set::ByteSet;
use super::node::{Assertion, Greed};

/// A compiled expression.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) sets: Vec<ByteSet>,
    pub(super) set_ids: BTreeMap<ByteSet, u32>,
    /// The choices whose failures can be remembered.
    pub(super) choices: Vec<Choice>,
    /// The number of failures of choices to remember for each position of a subject.
    pub(super) failures: usize,
    /// The number of runs whose failures can be remembered.
    pub(super) runs: usize,
    pub(super) groups: usize,
    pub(super) registers: usize,
    /// The groups of each reference and condition; those of one name are shared.
    pub(super) targets: Vec<Vec<u32>>,
    /// The number of groups in all of them.
    pub(super) target_groups: usize,
    /// For the register of a repetition's mark, that of the repetition around it.
    pub(super) outer_marks: Vec<u32>,
    /// The parts that compiling has visited.
    pub(super) visits: usize,
    /// Whether a failure at a step and a position depends on nothing else.
    pub(super) is_pure: bool,
    /// The first bytes of all matches after the start of a subject, if each has one.
    pub(super) first: Option<ByteSet>,
}

/// A step: the next one follows unless it says otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Byte(u8),
    Set(u32),
    /// As many bytes of a set as there are, within bounds.
    Run(Run),
    Jump(u32),
    /// First one step, then the other.
    Split {
        first: u32,
        second: u32,
        choice: u32,
    },
    /// Keeps the position of the start of a group.
    Open(u32),
    Close(u32),
    /// Keeps the position before a part that can be empty.
    Mark(u32),
    /// Leaves a repetition after an empty part.
    LeaveIfEmpty {
        register: u32,
        exit: u32,
    },
    Assert(Assertion),
    /// Back by some bytes.
    Back(u32),
    /// Keeps the number of entries to go back to.
    Begin(u32),
    /// Drops the choices since the begin.
    Commit(u32),
    /// Drops them, and goes back to the kept position.
    CommitBack {
        choices: u32,
        position: u32,
    },
    /// As `Begin`; goes to a step if what follows fails.
    BeginNot {
        register: u32,
        exit: u32,
    },
    /// Fails up to before the begin.
    FailNot(u32),
    Reference {
        target: u32,
        folded: bool,
    },
    /// Goes to a step unless a group has matched.
    Unless {
        target: u32,
        exit: u32,
    },
    Keep,
    Fail,
    Match,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) set: u32,
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) greed: Greed,
    /// Its number, if it is endless: what fails at one of its bytes fails at the next ones.
    pub(super) id: u32,
    /// Whether it is in a repetition whose part can be empty: that it fails at its first byte then
    /// depends on where that part began.
    pub(super) inner: bool,
    /// Its choice, if it is not endless.
    pub(super) choice: u32,
}

/// A choice: its first number among the failures, and the register of the innermost repetition around
/// it whose part can be empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) failure: usize,
    pub(super) mark: u32,
}

/// No number.
pub(super) const NONE: u32 = u32::MAX;

impl Program {
    /// The number of a set.
    pub(super) fn set(&mut self, set: ByteSet) -> u32 {
        *self.set_ids.entry(set).or_insert_with(|| {
            self.sets.push(set);
            index(self.sets.len() - 1)
        })
    }

    /// Its size in bytes, roughly.
    pub(super) fn size(&self) -> usize {
        self.steps.len() * size_of::<Step>()
            + self.sets.len() * size_of::<(ByteSet, ByteSet, u32)>()
            + self.choices.len() * size_of::<Choice>()
            + self.targets.len() * size_of::<Vec<u32>>()
            + self.target_groups * size_of::<u32>()
            + self.registers * size_of::<usize>()
    }

    /// Finds what is known of all matches before any search.
    pub(super) fn finish(&mut self) {
        self.set_ids.clear();
        self.first = self.first_bytes();
        self.hold_runs();
    }

    /// Follows all ways to the first byte; a way that needs the start of the subject has none.
    fn first_bytes(&self) -> Option<ByteSet> {
        let mut seen = vec![false; self.steps.len()];
        let (mut open, mut bytes) = (vec![0_usize], ByteSet::EMPTY);
        while let Some(at) = open.pop() {
            if std::mem::replace(seen.get_mut(at)?, true) {
                continue;
            }
            match *self.steps.get(at)? {
                Step::Byte(byte) => bytes = bytes.with(byte, byte),
                Step::Set(set) => bytes = bytes.union(*self.sets.get(set as usize)?),
                Step::Run(run) => {
                    bytes = bytes.union(*self.sets.get(run.set as usize)?);
                    if run.least == 0 {
                        open.push(at + 1);
                    }
                }
                Step::Jump(to) => open.push(to as usize),
                Step::Split { first, second, .. } => open.extend([first as usize, second as usize]),
                Step::Assert(Assertion::Start) | Step::Fail => {}
                Step::Open(_)
                | Step::Close(_)
                | Step::Mark(_)
                | Step::Begin(_)
                | Step::Commit(_)
                | Step::Keep
                | Step::Assert(_) => open.push(at + 1),
                Step::LeaveIfEmpty { exit, .. } | Step::Unless { exit, .. } => {
                    open.extend([at + 1, exit as usize]);
                }
                Step::BeginNot { exit, .. } => open.push(exit as usize),
                Step::Back(_)
                | Step::CommitBack { .. }
                | Step::FailNot(_)
                | Step::Reference { .. }
                | Step::Match => return None,
            }
        }
        Some(bytes)
    }

    /// A run that the next byte cannot belong to gives none of its bytes back.
    fn hold_runs(&mut self) {
        for at in 0..self.steps.len() {
            let Some(Step::Run(run)) = self.steps.get(at).copied() else { continue };
            if run.greed != Greed::Greedy {
                continue;
            }
            let after = self.steps.get(at + 1..).unwrap_or_default();
            let after = after.iter().find(|step| !matches!(step, Step::Open(_) | Step::Close(_)));
            let own = self.sets.get(run.set as usize).copied().unwrap_or(ByteSet::ALL);
            let next = match after {
                Some(Step::Byte(byte)) => Some(ByteSet::of(&[*byte])),
                Some(Step::Set(set)) => self.sets.get(*set as usize).copied(),
                Some(Step::Run(next)) if next.least > 0 => {
                    self.sets.get(next.set as usize).copied()
                }
                _ => None,
            };
            if next.is_some_and(|next| next.is_disjoint(own))
                && let Some(Step::Run(run)) = self.steps.get_mut(at)
            {
                run.greed = Greed::Possessive;
            }
        }
    }
}

pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}
