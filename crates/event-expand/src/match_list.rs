//! Matching an address, a domain, a local part or a host against a list of patterns.

use std::rc::Rc;

use mail_types::{Trust, Value, Variable};

use crate::condition::Matching;
use crate::condition_evaluation::COMPILING;
use crate::evaluation::{Evaluation, Halt, Kept};
use crate::ip;
use crate::list::ByteList;
use crate::pattern::{Pattern, Subject};
use crate::stop::ExpandError;
use crate::variables::ListKind;

impl Evaluation<'_> {
    /// Goes through a list: the first item that matches says yes, or no if it begins with `!`; if
    /// none does, the last says the contrary of what it would say. The name of a host says no.
    pub(crate) fn match_list(
        &mut self,
        at: usize,
        matching: Matching,
        subject: &Kept,
        list: &Value<'_>,
    ) -> Result<bool, Halt> {
        self.enter(u32::try_from(at).unwrap_or(u32::MAX))?;
        let text = &subject.bytes[..];
        if matching == Matching::Ip && !text.is_empty() && ip::family(text, false).is_none() {
            return Err(ExpandError::Operand { at, expected: "an IP address" }.into());
        }
        let (mut count, mut says) = (0, true);
        for item in ByteList::new(list.as_bytes(), list.trust() == Trust::Trusted) {
            self.count_item(&mut count, at)?;
            let pattern = item.strip_prefix(b"!").map_or(&*item, |rest| {
                let blanks = rest.iter().take_while(|b| crate::list::is_blank(**b)).count();
                rest.get(blanks..).unwrap_or_default()
            });
            says = !item.starts_with(b"!");
            if matching == Matching::Ip && !text.is_empty() && ip::is_name(pattern) {
                self.leave();
                return Ok(false); // Of an address alone it cannot be told.
            }
            if self.matches_item(at, matching, subject, pattern)? {
                self.keep_item(matching, pattern, list.trust());
                self.leave();
                return Ok(says);
            }
        }
        self.leave();
        Ok(count > 0 && !says)
    }

    /// Leaves the item that matched in `$value`; that of a named list is there already.
    fn keep_item(&mut self, matching: Matching, pattern: &[u8], trust: Trust) {
        let item = match (matching, pattern) {
            (Matching::Address | Matching::Ip, _) | (_, [b'+', ..]) => return,
            (Matching::Domain, b"@") => match self.variables.variable("primary_hostname") {
                Variable::Value(name) => name.into_owned(),
                _ => return,
            },
            _ => Value::new(pattern.to_vec(), trust),
        };
        let (bytes, trust) = (item.as_bytes().to_vec(), item.trust());
        self.value = Some(Rc::new(Kept { bytes, trust }));
    }

    fn matches_item(
        &mut self,
        at: usize,
        matching: Matching,
        subject: &Kept,
        pattern: &[u8],
    ) -> Result<bool, Halt> {
        match (matching, pattern) {
            (_, [b'+', name @ ..]) => self.matches_named(at, matching, subject, name),
            (Matching::Ip, [b'@', ..]) => {
                let expected = "addresses, networks and named lists";
                Err(ExpandError::Operand { at, expected }.into())
            }
            (Matching::Ip, _) if !pattern.contains(&b';') => Ok(ip::holds(pattern, &subject.bytes)),
            (Matching::Address, [b'^', ..]) if !is_address(&subject.bytes) => Ok(false),
            (_, [b'^', ..]) => self.matches_regex(at, subject, pattern),
            (Matching::Address, _) => self.matches_address(at, subject, pattern),
            (Matching::Domain, b"@") => {
                let name = self.variables.variable("primary_hostname");
                Ok(matches!(name, Variable::Value(name) if same(name.as_bytes(), &subject.bytes)))
            }
            (Matching::Domain, b"@[]" | [b'@', b'm', b'x', b'_', ..]) => {
                let expected = "names, patterns and named lists";
                Err(ExpandError::Operand { at, expected }.into())
            }
            (_, [b'*', end @ ..]) => Ok(ends_with(&subject.bytes, end)),
            _ if pattern.contains(&b';') => {
                let expected = "names, patterns and named lists, not lookups,";
                Err(ExpandError::Operand { at, expected }.into())
            }
            _ => Ok(same(pattern, &subject.bytes)),
        }
    }

    fn matches_named(
        &mut self,
        at: usize,
        matching: Matching,
        subject: &Kept,
        name: &[u8],
    ) -> Result<bool, Halt> {
        let kind = match matching {
            Matching::Address => ListKind::Address,
            Matching::Domain => ListKind::Domain,
            Matching::Ip => ListKind::Host,
            Matching::LocalPart => ListKind::LocalPart,
        };
        let list = self.named_list(at, kind, name)?.into_owned();
        self.match_list(at, matching, subject, &list)
    }

    /// A list by its name, or an error.
    pub(crate) fn named_list(
        &self,
        at: usize,
        kind: ListKind,
        name: &[u8],
    ) -> Result<Value<'_>, Halt> {
        let expected = "the name of a list";
        let name = std::str::from_utf8(name);
        match name.map(|name| self.variables.list(kind, name)) {
            Ok(Variable::Value(list)) => Ok(list),
            Ok(Variable::Unset) => Ok(Value::trusted("")),
            _ => Err(ExpandError::Operand { at, expected }.into()),
        }
    }

    fn matches_regex(&mut self, at: usize, subject: &Kept, pattern: &[u8]) -> Result<bool, Halt> {
        let folded = [b"(?i)", pattern].concat();
        self.charge(COMPILING, at)?;
        let pattern = Pattern::new(&folded, &self.options.limits);
        let found = pattern.matches(&Subject::new(&subject.bytes));
        let found = found.map_err(|error| self.regex_error(error, at))?;
        let holds = found.is_some();
        if let Some(groups) = found {
            let subject = Kept { bytes: subject.bytes.clone(), trust: subject.trust };
            self.capture(Rc::new(subject), groups);
        }
        Ok(holds)
    }

    /// `local@domain`, `*@domain`, `*end@domain`, or a domain alone; the domain as in its own lists.
    fn matches_address(&mut self, at: usize, subject: &Kept, pattern: &[u8]) -> Result<bool, Halt> {
        let (local, domain) = split(&subject.bytes);
        let (local_pattern, domain_pattern) = match split(pattern) {
            (local_pattern, Some(domain)) => (Some(local_pattern), domain),
            (domain, None) => (None, domain),
        };
        let local_matches = match local_pattern {
            None | Some(b"*") => true,
            Some([b'*', end @ ..]) => ends_with(local, end),
            Some(pattern) => same(pattern, local),
        };
        let Some(domain) = domain.filter(|_| local_matches) else {
            return Ok(pattern.is_empty() && subject.bytes.is_empty());
        };
        let domain = Kept { bytes: domain.to_vec(), trust: Trust::Untrusted };
        let value = self.value.clone();
        let matches = self.matches_item(at, Matching::Domain, &domain, domain_pattern);
        self.value = value;
        matches
    }
}

/// Whether it has an `@`, or is the empty sender.
fn is_address(text: &[u8]) -> bool {
    text.is_empty() || text.contains(&b'@')
}

fn split(address: &[u8]) -> (&[u8], Option<&[u8]>) {
    match address.iter().rposition(|&b| b == b'@') {
        Some(at) => (address.get(..at).unwrap_or_default(), address.get(at + 1..)),
        None => (address, None),
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let from = text.len().checked_sub(end.len());
    from.and_then(|from| text.get(from..)).is_some_and(|text| same(text, end))
}
