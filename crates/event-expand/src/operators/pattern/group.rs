//! Reads what parentheses enclose: groups, look-around, conditions, settings.

use super::escape::{NO_GROUP, SUBROUTINE};
use super::node::{Condition, Count, Greed, Look, Named, Node, Target};
use super::program::index;
use super::syntax::{Atom, Fault, Flags, Reader};

impl Reader<'_> {
    /// Reads a group, or a setting, after its `(`.
    pub(super) fn group(&mut self, at: usize) -> Result<Atom, Fault> {
        match self.rest() {
            [b'?', ..] => self.pos += 1,
            [b'*', b':' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_', ..] => {
                self.pos += 1;
                return self.verb(at);
            }
            _ if self.flags.has(Flags::NO_CAPTURE) => return self.enclosed(at, false),
            _ => return self.capture(at),
        }
        for (begin, behind, negative) in LOOKS {
            if self.take(begin) {
                return self.look(Look { behind: *behind, negative: *negative, at });
            }
        }
        match self.rest() {
            [b':', ..] => self.after(1).enclosed(at, false),
            [b'|', ..] => self.after(1).enclosed(at, true),
            [b'>', ..] => self.after(1).atomic(at),
            [b'(', ..] => self.after(1).conditional(at),
            [b'P', b'<', ..] => self.after(2).named(b'>', at),
            [b'<', b'*', ..] | [b'*', ..] => Err(Fault { at, problem: NOT_ATOMIC }),
            [b'<', ..] => self.after(1).named(b'>', at),
            [b'\'', ..] => self.after(1).named(b'\'', at),
            [b'P', b'=', ..] => {
                let name = self.after(2).name(b')')?;
                Ok(self.reference(Named::Name(name), at))
            }
            [b'P', b'>', ..] | [b'R' | b'&' | b'+' | b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => {
                Err(Fault { at, problem: SUBROUTINE })
            }
            [b'C', ..] => Err(Fault { at, problem: "callout, which is not supported" }),
            _ => self.settings(at),
        }
    }

    fn after(&mut self, bytes: usize) -> &mut Self {
        self.pos += bytes;
        self
    }

    fn close(&mut self, at: usize) -> Result<(), Fault> {
        if self.take(b")") { Ok(()) } else { Err(Fault { at, problem: "( without )" }) }
    }

    /// Reads branches and their `)`; settings in them end with it.
    fn inner(&mut self, at: usize, renumber: bool) -> Result<Vec<Node>, Fault> {
        let flags = self.flags;
        let branches = self.branches(renumber)?;
        self.flags = flags;
        self.close(at)?;
        Ok(branches)
    }

    fn enclosed(&mut self, at: usize, renumber: bool) -> Result<Atom, Fault> {
        Ok(Atom::Repeatable(Node::either(self.inner(at, renumber)?)))
    }

    fn atomic(&mut self, at: usize) -> Result<Atom, Fault> {
        Ok(Atom::Repeatable(Node::Atomic(Box::new(Node::either(self.inner(at, false)?)))))
    }

    fn capture(&mut self, at: usize) -> Result<Atom, Fault> {
        self.groups += 1;
        let group = self.groups;
        let node = Node::either(self.inner(at, false)?);
        Ok(Atom::Repeatable(Node::Group(group, Box::new(node))))
    }

    fn named(&mut self, end: u8, at: usize) -> Result<Atom, Fault> {
        let name = self.name(end)?;
        let group = self.groups + 1;
        let allowed = self.flags.has(Flags::DUPLICATE_NAMES);
        let known = self.name_of.get(&group);
        let numbers = self.names.get(&name).map_or(&[][..], Vec::as_slice);
        if !allowed && numbers.iter().any(|number| *number != index(group)) {
            return Err(Fault { at, problem: "two groups with the same name" });
        }
        match known {
            Some(known) if *known == name => {}
            Some(_) => return Err(Fault { at, problem: "two names for the same group" }),
            None => {
                self.names.entry(name.clone()).or_default().push(index(group));
                self.name_of.insert(group, name);
            }
        }
        self.capture(at)
    }

    /// Reads the name of a group and the byte after it.
    pub(super) fn name(&mut self, end: u8) -> Result<Box<[u8]>, Fault> {
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        let length = self.rest().iter().take_while(is_part).count();
        let name = self.rest().get(..length).unwrap_or_default();
        if name.first().is_none_or(u8::is_ascii_digit) || length > LONGEST_NAME {
            return Err(self.fault("name of a group expected"));
        }
        self.pos += length;
        if !self.take(&[end]) {
            return Err(self.fault("end of the name of a group expected"));
        }
        Ok(name.into())
    }

    fn look(&mut self, look: Look) -> Result<Atom, Fault> {
        self.looking += 1;
        let branches = self.inner(look.at, false)?;
        self.looking -= 1;
        // Behind, each branch has its own width.
        let node = if look.behind { Node::Either(branches) } else { Node::either(branches) };
        Ok(Atom::Repeatable(Node::Look(look, Box::new(node))))
    }

    /// Reads what follows `(*`.
    fn verb(&mut self, at: usize) -> Result<Atom, Fault> {
        if self.take(b"F)") || self.take(b"FAIL)") {
            return Ok(Atom::Once(Node::Fail));
        }
        if self.take(b"atomic:") {
            return self.atomic(at);
        }
        for (begin, behind, negative) in SPELT_LOOKS {
            if self.take(begin) {
                return self.look(Look { behind: *behind, negative: *negative, at });
            }
        }
        Err(Fault { at, problem: VERB })
    }

    /// Reads `i-s)` or `i-s:…)` after `(?`.
    fn settings(&mut self, at: usize) -> Result<Atom, Fault> {
        let before = self.flags;
        let (mut on, mut off, mut removing) = (Flags::default(), Flags::default(), false);
        let reset = self.take(b"^");
        loop {
            let byte = self.peek().ok_or(Fault { at, problem: "( without )" })?;
            self.pos += 1;
            let flag = match byte {
                b')' | b':' => break,
                b'-' if !removing && !reset => {
                    removing = true;
                    continue;
                }
                b'i' => Flags::CASELESS,
                b'm' => Flags::MULTILINE,
                b'n' => Flags::NO_CAPTURE,
                b's' => Flags::DOT_ALL,
                b'x' if self.take(b"x") => Flags::EXTENDED.with(Flags::EXTENDED_MORE),
                b'x' => Flags::EXTENDED,
                b'J' => Flags::DUPLICATE_NAMES,
                b'U' => Flags::UNGREEDY,
                _ => return Err(Fault { at, problem: "unknown letter after (?" }),
            };
            if removing { off = off.with(flag) } else { on = on.with(flag) }
        }
        if off.has(Flags::EXTENDED) || on.has(Flags::EXTENDED) && !on.has(Flags::EXTENDED_MORE) {
            off = off.with(Flags::EXTENDED_MORE);
        }
        let kept = if reset { before.without(RESET) } else { before };
        self.flags = kept.with(on).without(off);
        if self.text.get(self.pos - 1) == Some(&b')') {
            return Ok(Atom::Once(Node::Empty));
        }
        let atom = self.enclosed(at, false);
        self.flags = before;
        atom
    }

    /// Reads `1)yes|no)` and similar after `(?(`.
    fn conditional(&mut self, at: usize) -> Result<Atom, Fault> {
        let condition = if matches!(self.rest(), [b'?' | b'*', ..]) {
            match self.group(self.pos - 1)? {
                Atom::Repeatable(Node::Look(look, node)) => Some(Condition::Look(look, node)),
                _ => return Err(Fault { at, problem: "condition expected" }),
            }
        } else {
            self.condition(at)?.map(Condition::Matched)
        };
        let mut branches = self.inner(at, false)?;
        if branches.len() > 1 + usize::from(condition.is_some()) {
            return Err(Fault { at, problem: "condition with too many branches" });
        }
        let no = if branches.len() > 1 { branches.pop() } else { None };
        let (yes, no) = (branches.pop().unwrap_or(Node::Empty), no.unwrap_or(Node::Empty));
        Ok(Atom::Repeatable(if let Some(condition) = condition {
            Node::Conditional(condition, Box::new(yes), Box::new(no))
        } else {
            let (least, most, greed) = (0, Some(0), Greed::Greedy);
            Node::Repeat(Box::new(yes), Count { least, most, greed })
        }))
    }

    /// Reads the group that a condition asks for, and its `)`; `None` for `(DEFINE)`.
    fn condition(&mut self, at: usize) -> Result<Option<Target>, Fault> {
        let asks_for_call = match self.rest() {
            [b'R', b'&' | b')', ..] => true,
            [b'R', rest @ ..] => rest.iter().find(|b| !b.is_ascii_digit()) == Some(&b')'),
            rest => rest.starts_with(b"VERSION>") || rest.starts_with(b"VERSION="),
        };
        if asks_for_call {
            return Err(Fault { at, problem: CONDITION });
        }
        if self.take(b"DEFINE)") {
            return Ok(None);
        }
        let group = match self.rest() {
            [b'+' | b'-' | b'0'..=b'9', ..] => {
                let number = self.relative_number(at)?;
                self.take_condition_end(at)?;
                Named::Number(number)
            }
            [b'<', ..] => self.after(1).named_condition(b'>', at)?,
            [b'\'', ..] => self.after(1).named_condition(b'\'', at)?,
            _ => Named::Name(self.name(b')')?),
        };
        if matches!(group, Named::Number(0)) {
            return Err(Fault { at, problem: NO_GROUP });
        }
        Ok(Some(Target { group, at }))
    }

    fn named_condition(&mut self, end: u8, at: usize) -> Result<Named, Fault> {
        let name = self.name(end)?;
        self.take_condition_end(at)?;
        Ok(Named::Name(name))
    }

    fn take_condition_end(&mut self, at: usize) -> Result<(), Fault> {
        if self.take(b")") { Ok(()) } else { Err(Fault { at, problem: "condition without )" }) }
    }
}

const NOT_ATOMIC: &str = "look-around that is not atomic, which is not supported";
const VERB: &str = "control verb or setting of the whole expression, which is not supported";
const CONDITION: &str = "condition on recursion or the version, which is not supported";

/// `(?^)`.
const RESET: Flags = Flags::CASELESS
    .with(Flags::MULTILINE)
    .with(Flags::NO_CAPTURE)
    .with(Flags::DOT_ALL)
    .with(Flags::EXTENDED)
    .with(Flags::EXTENDED_MORE);

/// The begin after `(?`, whether it looks behind, whether it is negative.
const LOOKS: &[(&[u8], bool, bool)] =
    &[(b"=", false, false), (b"!", false, true), (b"<=", true, false), (b"<!", true, true)];

/// The begin after `(*`, and the same.
const SPELT_LOOKS: &[(&[u8], bool, bool)] = &[
    (b"pla:", false, false),
    (b"positive_lookahead:", false, false),
    (b"nla:", false, true),
    (b"negative_lookahead:", false, true),
    (b"plb:", true, false),
    (b"positive_lookbehind:", true, false),
    (b"nlb:", true, true),
    (b"negative_lookbehind:", true, true),
];

/// As in PCRE2.
const LONGEST_NAME: usize = 32;
