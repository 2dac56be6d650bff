//! Items with alternative strings: conditions, lookups, extractions, requests to the program.

use std::rc::Rc;

use mail_types::exim::{ByteList, LookupResult, Query, Trust, Value};

use crate::Capability;
use crate::answered::{AclVerdict, Answered};
use crate::call::HostCall;
use crate::evaluate::{Evaluation, Halt, Kept};
use crate::expansion::Ask;
use crate::operators::field;
use crate::operators::json::{self, JsonList};
use crate::operators::list::{self, trim};
use crate::stop::{ExpandError, ExpandFailure};
use crate::tree::{Arguments, Choice, ConditionId, Extract, LookupItem, Otherwise, Sequence, Tree};

/// `$value` as it was before an item.
type Outer = Option<Rc<Kept>>;

impl<'e> Evaluation<'e> {
    pub(crate) fn branch(
        &mut self,
        tree: &Tree,
        at: usize,
        condition: ConditionId,
        choice: Choice,
    ) -> Result<Trust, Halt> {
        let (captures, value) = (self.captures.clone(), self.value.clone());
        let holds = self.condition(tree, condition)?;
        let trust = match choice {
            Choice::Implied if holds => {
                self.push(b"true", at)?;
                Trust::Trusted
            }
            choice => self.choose(tree, at, choice, holds, self.value.clone())?,
        };
        (self.captures, self.value) = (captures, value);
        Ok(trust)
    }

    /// Writes the string for yes, `$value` without one, or the string for no.
    fn choose(
        &mut self,
        tree: &Tree,
        at: usize,
        choice: Choice,
        holds: bool,
        outer: Outer,
    ) -> Result<Trust, Halt> {
        match choice {
            Choice::Implied if holds => self.push_kept(self.value.clone(), at),
            Choice::Implied => Ok(Trust::Trusted),
            Choice::Given(yes, otherwise) if holds => {
                if let Otherwise::String(no) = otherwise {
                    Self::skip_sequence(tree, no)?;
                }
                self.sequence(tree, yes)
            }
            Choice::Given(yes, otherwise) => {
                Self::skip_sequence(tree, yes)?;
                self.value = outer;
                match otherwise {
                    Otherwise::Nothing => Ok(Trust::Trusted),
                    Otherwise::String(no) => self.sequence(tree, no),
                    Otherwise::Fail => Err(ExpandFailure::Forced { at }.into()),
                }
            }
        }
    }

    /// Chooses by the presence of a result, which is `$value` in the string for yes only.
    fn choose_found(
        &mut self,
        tree: &Tree,
        at: usize,
        choice: Choice,
        found: Option<Kept>,
    ) -> Result<Trust, Halt> {
        let (captures, outer) = (self.captures.clone(), self.value.clone());
        let holds = found.is_some();
        self.value = found.map(Rc::new);
        let trust = self.choose(tree, at, choice, holds, outer.clone())?;
        (self.captures, self.value) = (captures, outer);
        Ok(trust)
    }

    pub(crate) fn extract(
        &mut self,
        tree: &Tree,
        at: usize,
        item: &Extract,
    ) -> Result<Trust, Halt> {
        let operand = |expected| Halt::from(ExpandError::Operand { at, expected });
        let strings = tree.arguments(item.strings);
        let first = strings.first().copied().unwrap_or_default();
        let key = self.kept_argument(tree, first)?;
        let name = trim(&key.bytes);
        if name.is_empty() {
            return Err(operand("a non-empty field"));
        }
        let number = field::number(name);
        let (found, rest) = match (item.json, number, strings) {
            (None, Some(number), [_, separators, data, rest @ ..]) => {
                let separators = self.kept_argument(tree, *separators)?;
                let data = self.kept_argument(tree, *data)?;
                let found = field::by_number(&data.bytes, &separators.bytes, number);
                let trust = data.trust.max(separators.trust);
                (found.map(|found| Kept { bytes: found.to_vec(), trust }), rest)
            }
            (None, None, [_, data, rest @ ..]) => {
                let data = self.kept_argument(tree, *data)?;
                let found = field::by_key(&data.bytes, name);
                (found.map(|bytes| Kept { bytes, trust: data.trust }), rest)
            }
            (Some(json), _, [_, data, rest @ ..]) => {
                let data = self.kept_argument(tree, *data)?;
                let found = from_json(&data.bytes, json, name, number).map_err(operand)?;
                (found.map(|found| Kept { bytes: found.to_vec(), trust: data.trust }), rest)
            }
            _ => return Err(operand("one more string")),
        };
        let choice = match (rest, item.fail) {
            ([], false) => Choice::Implied,
            ([yes], false) => Choice::Given(*yes, Otherwise::Nothing),
            ([yes], true) => Choice::Given(*yes, Otherwise::Fail),
            ([yes, no], false) => Choice::Given(*yes, Otherwise::String(*no)),
            _ => return Err(operand("other strings before the last")),
        };
        self.choose_found(tree, at, choice, found)
    }

    pub(crate) fn list_extract(
        &mut self,
        tree: &Tree,
        at: usize,
        number: Sequence,
        list: Sequence,
        choice: Choice,
    ) -> Result<Trust, Halt> {
        let (start, _) = self.argument(tree, number)?;
        let number = field::number(trim(self.out.get(start..).unwrap_or_default()));
        self.out.truncate(start);
        let expected = "the number of an item";
        let number = number.ok_or(ExpandError::Operand { at, expected })?;
        let (text, named) = self.list_argument(tree, list)?;
        let mut items = list::items(&text.bytes, named);
        self.charge(text.bytes.len() / 64, at)?;
        let found = match number {
            0 => None,
            1.. => usize::try_from(number - 1).ok().and_then(|skipped| items.nth(skipped)),
            _ => {
                let count = i64::try_from(items.count()).unwrap_or(i64::MAX);
                // Beyond the first item, Exim yields no item once, and then always the first.
                let skipped = match count + number {
                    -1 => None,
                    skipped => Some(usize::try_from(skipped).unwrap_or(0)),
                };
                let mut items = list::items(&text.bytes, named);
                skipped.and_then(|skipped| items.nth(skipped))
            }
        };
        let found = found.map(|item| Kept { bytes: item.into_owned(), trust: text.trust });
        self.choose_found(tree, at, choice, found)
    }

    /// Sets a list aside, and returns whether it may name its separator: not if its text came from
    /// outside.
    pub(crate) fn list_argument(
        &mut self,
        tree: &Tree,
        list: Sequence,
    ) -> Result<(Kept, bool), Halt> {
        let text = self.kept_argument(tree, list)?;
        let written = match tree.nodes(list).first().map(|node| &node.kind) {
            Some(crate::tree::NodeKind::Text(text)) => ByteList::names_separator(text),
            _ => false,
        };
        let named = written || text.trust == Trust::Trusted;
        Ok((text, named))
    }

    pub(crate) fn lookup(
        &mut self,
        tree: &Tree,
        at: usize,
        item: &LookupItem,
    ) -> Result<Trust, Halt> {
        // An answered query is not written again: that would be most of the work.
        let found = if self.skip_query(at)? {
            self.ask(at, || Ask::Lookup {
                lookup: item.lookup.clone(),
                key: None,
                query: Query::default(),
            })?
        } else {
            self.look_up(tree, at, item)?
        };
        let found = match found {
            LookupResult::Value(bytes) => {
                let trusted = self.options.trusted_lookups.contains(&item.lookup.name);
                let trust = if trusted { Trust::Trusted } else { Trust::Untrusted };
                Some(Kept { bytes: bytes.clone(), trust })
            }
            _ => None,
        };
        self.choose_found(tree, at, item.choice, found)
    }

    /// Writes the query, and asks it.
    fn look_up(
        &mut self,
        tree: &Tree,
        at: usize,
        item: &LookupItem,
    ) -> Result<&'e LookupResult, Halt> {
        let LookupItem { lookup, key, query, .. } = item;
        let before = self.before_query();
        let key = match key {
            Some(key) => Some(self.kept_argument(tree, *key)?),
            None => None,
        };
        let query = self.query(tree, *query)?;
        if lookup.is_file() && !self.options.capabilities.has(Capability::Files) {
            return Err(ExpandError::Denied { at, capability: Capability::Files }.into());
        }
        // A value never leaves its word of a Redis command, so it needs no quoting.
        let in_words = lookup.name == "redis";
        let checked = if in_words { query.check_first_word() } else { query.check(lookup.name) };
        if checked.is_err() {
            return Err(match key {
                Some(_) => ExpandError::Untrusted { at },
                None if in_words => ExpandError::CommandWord { at, lookup: lookup.name },
                None => ExpandError::Unquoted { at, lookup: lookup.name },
            }
            .into());
        }
        self.note_query(&before);
        let key = key.map(|key| Value::new(key.bytes, key.trust));
        self.ask(at, || Ask::Lookup { lookup: lookup.clone(), key, query })
    }

    pub(crate) fn call_item(
        &mut self,
        tree: &Tree,
        at: usize,
        call: HostCall,
        strings: Arguments,
        choice: Option<Choice>,
    ) -> Result<Trust, Halt> {
        let strings = tree.arguments(strings);
        if call == HostCall::Acl {
            let (_, message) = self.acl(tree, at, strings)?;
            return self.push_kept(Some(Rc::new(message)), at);
        }
        // The last strings are alternatives for the result.
        let (arguments, rest) = match call {
            HostCall::ReadSocket => strings.split_at(strings.len().min(4)),
            HostCall::PrvsCheck => strings.split_at(strings.len().min(2)),
            _ => (strings, &[][..]),
        };
        let found = self.call(tree, at, call, arguments)?;
        let found = match found {
            LookupResult::Value(bytes) => {
                Some(Kept { bytes: bytes.clone(), trust: Trust::Untrusted })
            }
            _ => None,
        };
        match (choice, call, rest, found) {
            (Some(choice), _, _, found) => self.choose_found(tree, at, choice, found),
            (None, HostCall::PrvsCheck, [shown, ..], Some(found)) => {
                let start = self.out.len();
                let outer = self.value.replace(Rc::new(found));
                let trust = self.sequence(tree, *shown)?;
                let address = std::mem::replace(&mut self.value, outer);
                if self.out.len() > start { Ok(trust) } else { self.push_kept(address, at) }
            }
            (None, _, _, Some(found)) => self.push_kept(Some(Rc::new(found)), at),
            (None, HostCall::ReadSocket, [failure, ..], None) => self.sequence(tree, *failure),
            (None, HostCall::AuthResults | HostCall::PrvsCheck, _, None) => Ok(Trust::Trusted),
            (None, _, _, None) => Err(ExpandError::Failed { at, call }.into()),
        }
    }

    /// Asks the program, if permitted.
    pub(crate) fn call(
        &mut self,
        tree: &Tree,
        at: usize,
        call: HostCall,
        strings: &[Sequence],
    ) -> Result<&LookupResult, Halt> {
        self.permit(at, call)?;
        let arguments = self.call_arguments(tree, at, call, strings)?;
        self.ask(at, || Ask::Call { call, arguments })
    }

    /// Checks that a request is permitted.
    pub(crate) fn permit(&self, at: usize, call: HostCall) -> Result<(), Halt> {
        match call.capability() {
            Some(capability) if !self.options.capabilities.has(capability) => {
                Err(ExpandError::Denied { at, capability }.into())
            }
            _ => Ok(()),
        }
    }

    /// Runs a list of rules; returns whether it accepts, and its message.
    pub(crate) fn acl(
        &mut self,
        tree: &Tree,
        at: usize,
        strings: &[Sequence],
    ) -> Result<(bool, Kept), Halt> {
        let call = HostCall::Acl;
        let arguments = self.call_arguments(tree, at, call, strings)?;
        let (accepts, message) = match self.answer(at, || Ask::Call { call, arguments })? {
            Answered::Verdict(AclVerdict::Accept(message))
            | Answered::Found(LookupResult::Value(message)) => (true, message.clone()),
            Answered::Verdict(AclVerdict::Deny(message)) => (false, message.clone()),
            Answered::Found(LookupResult::Nothing) => (false, Vec::new()),
            Answered::Verdict(AclVerdict::Defer) => {
                return Err(ExpandFailure::Forced { at }.into());
            }
            Answered::Verdict(AclVerdict::Failed) | Answered::Found(LookupResult::Deferred) => {
                return Err(ExpandError::Failed { at, call }.into());
            }
        };
        Ok((accepts, Kept { bytes: message, trust: Trust::Untrusted }))
    }

    fn call_arguments(
        &mut self,
        tree: &Tree,
        at: usize,
        call: HostCall,
        strings: &[Sequence],
    ) -> Result<Vec<Value<'static>>, Halt> {
        let mut arguments = Vec::new();
        for (place, string) in strings.iter().enumerate() {
            let argument = self.kept_argument(tree, *string)?;
            // A value from outside must not choose the subroutine, command or file.
            let names = place == 0
                && matches!(call, HostCall::Acl | HostCall::Perl | HostCall::Run)
                || place <= 1 && call == HostCall::DlFunc
                || place == 0 && matches!(call, HostCall::ReadFile | HostCall::ReadSocket);
            if names && argument.trust == Trust::Untrusted {
                return Err(ExpandError::Untrusted { at }.into());
            }
            arguments.push(Value::new(argument.bytes, argument.trust));
        }
        Ok(arguments)
    }
}

/// The member of an object, or the item of an array by its number.
fn from_json<'t>(
    text: &'t [u8],
    json: JsonList,
    name: &[u8],
    number: Option<i64>,
) -> Result<Option<&'t [u8]>, &'static str> {
    let found = match number {
        Some(number) => item_of_array(text, number)?,
        None => member_of_object(text, name)?,
    };
    match (json, found) {
        (JsonList::Strings, Some(found)) => match json::unwrap(found, b'"', b'"') {
            Some((string, _)) => Ok(Some(string)),
            None => Err("a JSON string"),
        },
        (_, found) => Ok(found),
    }
}

fn item_of_array(text: &[u8], number: i64) -> Result<Option<&[u8]>, &'static str> {
    let (mut list, _) = json::unwrap(text, b'[', b']').ok_or("a JSON array")?;
    let number = usize::try_from(number).ok().filter(|number| *number > 0);
    let number = number.ok_or("a positive number")?;
    let items = std::iter::from_fn(|| json::next_item(&mut list));
    Ok(items.fuse().nth(number - 1).map(trim))
}

fn member_of_object<'t>(text: &'t [u8], name: &[u8]) -> Result<Option<&'t [u8]>, &'static str> {
    let (mut list, _) = json::unwrap(text, b'{', b'}').ok_or("a JSON object")?;
    while let Some(member) = json::next_item(&mut list) {
        let (key, value) = json::unwrap(member, b'"', b'"').ok_or("a key in quotes")?;
        if key == name {
            let value = json::skip_blanks(value).strip_prefix(b":");
            return Ok(Some(json::skip_blanks(value.ok_or("a colon after the key")?)));
        }
    }
    Ok(None)
}
