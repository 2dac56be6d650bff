//! Compiles an expression to a program.

use std::collections::BTreeMap;

use super::escape::NO_GROUP;
use super::node::{Assertion, Condition, Count, Greed, Look, Named, Node, Target};
use super::program::{Choice, NONE, Program, Run, Step, index};
use super::syntax::{Expression, Fault, TOO_LARGE};

/// Compiles an expression to a program of a limited size in bytes.
pub(super) fn compiled(expression: &Expression, limit: usize) -> Result<Program, Fault> {
    let groups = expression.groups;
    let program =
        Program { groups, registers: 1 + 3 * (groups + 1), is_pure: true, ..Program::default() };
    let (named_targets, marks) = (BTreeMap::new(), Vec::new());
    let mut compiler = Compiler { expression, program, limit, named_targets, marks };
    compiler.node(&expression.node)?;
    compiler.push(Step::Match)?;
    compiler.program.finish();
    Ok(compiler.program)
}

struct Compiler<'e> {
    expression: &'e Expression,
    program: Program,
    limit: usize,
    /// The numbers of the references to a name so far.
    named_targets: BTreeMap<Box<[u8]>, u32>,
    /// The registers of the repetitions here whose parts can be empty.
    marks: Vec<u32>,
}

impl Compiler<'_> {
    fn node(&mut self, node: &Node) -> Result<(), Fault> {
        self.program.visits += 1; // Some parts make no step.
        if self.program.visits > self.limit / LEAST_OF_PART {
            return Err(TOO_LARGE);
        }
        match node {
            Node::Empty => Ok(()),
            Node::Fail => self.push(Step::Fail),
            Node::Set(set) => {
                let byte = set.single().map(Step::Byte);
                let step = byte.unwrap_or_else(|| Step::Set(self.program.set(*set)));
                self.push(step)
            }
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.node(node)),
            Node::Either(branches) => self.either(branches, Self::node),
            Node::Group(group, node) => {
                self.push(Step::Open(index(*group)))?;
                self.node(node)?;
                self.push(Step::Close(index(*group)))
            }
            Node::Atomic(node) => self.atomic(|compiler| compiler.node(node)),
            Node::Repeat(node, count) => self.repeat(node, *count),
            Node::Assertion(assertion) => {
                self.program.is_pure &= *assertion != Assertion::SearchStart;
                self.push(Step::Assert(*assertion))
            }
            Node::Look(look, node) => self.look(*look, node),
            Node::Reference(reference) => {
                let target = self.target(&reference.target)?;
                self.push(Step::Reference { target, folded: reference.folded })
            }
            Node::Conditional(condition, yes, no) => self.conditional(condition, yes, no),
            Node::Keep => {
                self.program.is_pure = false;
                self.push(Step::Keep)
            }
        }
    }

    fn either(
        &mut self,
        branches: &[Node],
        mut branch: impl FnMut(&mut Self, &Node) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Some((last, others)) = branches.split_last() else { return Ok(()) };
        let mut ends = Vec::new();
        for node in others {
            let split = self.split()?;
            self.set_targets(split, split + 1, 0);
            branch(self, node)?;
            ends.push(self.here());
            self.push(Step::Jump(0))?;
            let next = self.here();
            self.set_targets(split, split + 1, next);
        }
        branch(self, last)?;
        for end in ends {
            self.set_jump(end);
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, count: Count) -> Result<(), Fault> {
        if count.most == Some(0) {
            // Only for its faults.
            let here = self.program.steps.len();
            self.node(node)?;
            self.program.steps.truncate(here);
            return Ok(());
        }
        if let Node::Set(set) = node {
            let set = self.program.set(*set);
            let (least, most) = (count.least, count.most.unwrap_or(NONE));
            let is_endless = count.most.is_none();
            let id = if is_endless { index(self.program.runs) } else { NONE };
            self.program.runs += usize::from(is_endless);
            let choice = if is_endless || most == least { NONE } else { self.choice() };
            let (greed, inner) = (count.greed, !self.marks.is_empty());
            return self.push(Step::Run(Run { set, least, most, greed, id, inner, choice }));
        }
        if count.greed == Greed::Possessive {
            let count = Count { greed: Greed::Greedy, ..count };
            return self.atomic(|compiler| compiler.repeat(node, count));
        }
        let lazy = count.greed == Greed::Lazy;
        // Of the required parts, the last one is the one that is repeated.
        let required =
            if count.most.is_none() { count.least.saturating_sub(1) } else { count.least };
        for _ in 0..required {
            let before = self.here();
            self.node(node)?;
            if self.here() == before {
                break;
            }
        }
        match count.most {
            Some(most) => self.options(node, most - count.least, lazy),
            None if count.least > 0 => self.repeat_again(node, lazy),
            None => {
                let split = self.split()?;
                self.repeat_again(node, lazy)?;
                let here = self.here();
                self.set_choice(split, split + 1, here, lazy);
                Ok(())
            }
        }
    }

    /// Some optional parts, each in the one before it.
    fn options(&mut self, node: &Node, most: u32, lazy: bool) -> Result<(), Fault> {
        let mut splits = Vec::new();
        for _ in 0..most {
            splits.push(self.split()?);
            self.node(node)?;
        }
        let here = self.here();
        for split in splits {
            self.set_choice(split, split + 1, here, lazy);
        }
        Ok(())
    }

    /// A part, once or more.
    fn repeat_again(&mut self, node: &Node, lazy: bool) -> Result<(), Fault> {
        let begin = self.here();
        let mark = node.can_be_empty().then(|| self.register());
        if let Some(register) = mark {
            let outer = self.marks.last().copied().unwrap_or(NONE);
            self.program.outer_marks.resize(register as usize, NONE);
            self.program.outer_marks.push(outer);
            self.marks.push(register);
            self.push(Step::Mark(register))?;
        }
        self.node(node)?;
        let check = self.here();
        if let Some(register) = mark {
            self.push(Step::LeaveIfEmpty { register, exit: 0 })?;
            self.marks.pop();
        }
        let split = self.split()?;
        let exit = self.here();
        self.set_choice(split, begin, exit, lazy);
        if let Some(Step::LeaveIfEmpty { exit: target, .. }) =
            self.program.steps.get_mut(check as usize)
        {
            *target = exit;
        }
        Ok(())
    }

    fn atomic(&mut self, inner: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let register = self.register();
        self.push(Step::Begin(register))?;
        inner(self)?;
        self.push(Step::Commit(register))
    }

    fn look(&mut self, look: Look, node: &Node) -> Result<(), Fault> {
        if look.negative {
            let register = self.register();
            let begin = self.here();
            self.push(Step::BeginNot { register, exit: 0 })?;
            self.looked(look, node)?;
            self.push(Step::FailNot(register))?;
            let here = self.here();
            if let Some(Step::BeginNot { exit, .. }) = self.program.steps.get_mut(begin as usize) {
                *exit = here;
            }
            return Ok(());
        }
        let (choices, position) = (self.register(), self.register());
        self.push(Step::Begin(choices))?;
        self.push(Step::Mark(position))?;
        self.looked(look, node)?;
        self.push(Step::CommitBack { choices, position })
    }

    fn looked(&mut self, look: Look, node: &Node) -> Result<(), Fault> {
        // Nothing in it leads to the end of a repetition around it.
        let marks = std::mem::take(&mut self.marks);
        let done = match node {
            Node::Either(branches) if look.behind => {
                self.either(branches, |compiler, branch| compiler.behind(look, branch))
            }
            _ => self.node(node),
        };
        self.marks = marks;
        done
    }

    fn behind(&mut self, look: Look, branch: &Node) -> Result<(), Fault> {
        let problem = "look-behind of a length that is not fixed";
        let width = branch.width().filter(|width| *width <= WIDEST);
        let width = width.ok_or(Fault { at: look.at, problem })?;
        self.push(Step::Back(width))?;
        self.node(branch)
    }

    fn conditional(&mut self, condition: &Condition, yes: &Node, no: &Node) -> Result<(), Fault> {
        let begin = self.here();
        match condition {
            Condition::Matched(target) => {
                let target = self.target(target)?;
                self.push(Step::Unless { target, exit: 0 })?;
                self.node(yes)?;
                let end = self.here();
                self.push(Step::Jump(0))?;
                let exit = self.here();
                if let Some(Step::Unless { exit: to, .. }) =
                    self.program.steps.get_mut(begin as usize)
                {
                    *to = exit;
                }
                self.node(no)?;
                self.set_jump(end);
            }
            Condition::Look(look, node) => {
                // Once the look holds, the other branch is no choice any more.
                return self.look_conditional(*look, node, yes, no);
            }
        }
        Ok(())
    }

    /// A look-ahead or look-behind decides, and stays decided.
    fn look_conditional(
        &mut self,
        look: Look,
        node: &Node,
        yes: &Node,
        no: &Node,
    ) -> Result<(), Fault> {
        let (choices, position) = (self.register(), self.register());
        let (holds, fails) = if look.negative { (no, yes) } else { (yes, no) };
        self.push(Step::Begin(choices))?;
        self.push(Step::Mark(position))?;
        // What fails behind it was decided by the look-around: nothing is remembered.
        let split = self.here();
        self.push(Step::Split { first: 0, second: 0, choice: NONE })?;
        self.looked(look, node)?;
        self.push(Step::CommitBack { choices, position })?;
        self.node(holds)?;
        let end = self.here();
        self.push(Step::Jump(0))?;
        let here = self.here();
        self.set_targets(split, split + 1, here);
        self.node(fails)?;
        self.set_jump(end);
        Ok(())
    }

    /// The number of the groups that a reference or a condition names.
    fn target(&mut self, target: &Target) -> Result<u32, Fault> {
        self.program.is_pure = false;
        let missing = Fault { at: target.at, problem: NO_GROUP };
        match &target.group {
            Named::Number(number) if *number > self.expression.groups => Err(missing),
            Named::Number(number) => Ok(self.new_target(vec![index(*number)])),
            Named::Name(name) => {
                if let Some(number) = self.named_targets.get(name) {
                    return Ok(*number);
                }
                let groups = self.expression.names.get(name).ok_or(missing)?;
                let number = self.new_target(groups.clone());
                self.named_targets.insert(name.clone(), number);
                Ok(number)
            }
        }
    }

    fn new_target(&mut self, groups: Vec<u32>) -> u32 {
        self.program.target_groups += groups.len();
        self.program.targets.push(groups);
        index(self.program.targets.len() - 1)
    }

    fn register(&mut self) -> u32 {
        self.program.registers += 1;
        index(self.program.registers - 1)
    }

    /// A choice whose targets are set later.
    fn split(&mut self) -> Result<u32, Fault> {
        let at = self.here();
        let choice = self.choice();
        self.push(Step::Split { first: 0, second: 0, choice })?;
        Ok(at)
    }

    /// The number of a new choice.
    fn choice(&mut self) -> u32 {
        let (failure, mark) = (self.program.failures, self.marks.last().copied().unwrap_or(NONE));
        self.program.failures += self.marks.len() + 1;
        self.program.choices.push(Choice { failure, mark });
        index(self.program.choices.len() - 1)
    }

    /// Sets the targets of a choice between one more part and none.
    fn set_choice(&mut self, split: u32, again: u32, exit: u32, lazy: bool) {
        let (first, second) = if lazy { (exit, again) } else { (again, exit) };
        self.set_targets(split, first, second);
    }

    fn set_targets(&mut self, split: u32, to_first: u32, to_second: u32) {
        if let Some(Step::Split { first, second, .. }) = self.program.steps.get_mut(split as usize)
        {
            (*first, *second) = (to_first, to_second);
        }
    }

    /// Lets a jump lead here.
    fn set_jump(&mut self, jump: u32) {
        let here = self.here();
        if let Some(Step::Jump(to)) = self.program.steps.get_mut(jump as usize) {
            *to = here;
        }
    }

    fn here(&self) -> u32 {
        index(self.program.steps.len())
    }

    fn push(&mut self, step: Step) -> Result<(), Fault> {
        self.program.steps.push(step);
        if self.program.size() > self.limit {
            return Err(TOO_LARGE);
        }
        Ok(())
    }
}

/// The least octets of a part of an expression.
pub(super) const LEAST_OF_PART: usize = 8;

/// As in PCRE2.
const WIDEST: u32 = 65_535;
