//! The conditions `match_address`, `match_domain`, `match_ip` and `match_local_part`.

use std::rc::Rc;
use std::sync::Arc;

use mail_types::exim::{ByteList, LookupResult, Trust, Value, Variable};

use crate::capability::Capability;
use crate::evaluate::{Evaluation, Halt, Kept};
use crate::expansion::Ask;
use crate::match_list::pattern::ItemProblem;
use crate::match_list::search::{ListSearch, ListSubject, Membership, SearchStep};
use crate::match_list::{MatchList, MatchListError};
use crate::operators::ip;
use crate::stop::ExpandError;
use crate::variables::ListKind;

impl Evaluation<'_> {
    /// Searches a list for a text, and sets `$value` and captures as Exim does.
    pub(crate) fn match_list(
        &mut self,
        at: usize,
        subject: &Kept,
        list: &Arc<MatchList>,
    ) -> Result<bool, Halt> {
        self.enter(u32::try_from(at).unwrap_or(u32::MAX))?;
        let text = &subject.bytes[..];
        if list.kind() == ListKind::Host && !text.is_empty() && ip::family(text, false).is_none() {
            return Err(ExpandError::Operand { at, expected: "an IP address" }.into());
        }
        if matches!(list.kind(), ListKind::Domain | ListKind::LocalPart) {
            self.value = None;
        }
        let this_host = match self.variables.variable("primary_hostname") {
            Variable::Value(name) => name.as_bytes().to_vec(),
            _ => Vec::new(),
        };
        let limits = self.options.limits;
        let subject_text = ListSubject::Text(text);
        let mut search = ListSearch::new(Arc::clone(list), subject_text, &this_host, &limits);
        let mut charged = 0;
        let decided = loop {
            let step = search.poll();
            self.charge(search.steps() - charged, at)?;
            charged = search.steps();
            if search.items() > limits.items {
                return Err(ExpandError::TooManyItems { at, limit: limits.items }.into());
            }
            match step {
                SearchStep::Decided(membership) => break membership,
                SearchStep::Failed(error) => return Err(self.list_error(error, at)),
                SearchStep::Named { kind, name, .. } => {
                    let named = self.named_list(at, kind, name.as_bytes())?.into_owned();
                    let named = self.read_list(&named, kind, at)?;
                    search.handle_list(named).map_err(|error| self.list_error(error, at))?;
                }
                SearchStep::Ask(ask) => {
                    let found = self.ask_for_list(at, ask)?;
                    search.handle_found(&found).map_err(|error| self.list_error(error, at))?;
                }
            }
        };
        self.keep_found(subject, &search);
        self.leave();
        Ok(decided == Membership::Yes)
    }

    fn keep_found(&mut self, subject: &Kept, search: &ListSearch<'_>) {
        if let Some((item, trust)) = search.matched() {
            self.value = Some(Rc::new(Kept { bytes: item.to_vec(), trust }));
        }
        if let Some((text, groups)) = search.captures() {
            let kept = Kept { bytes: text.to_vec(), trust: subject.trust };
            self.capture(Rc::new(kept), groups.clone());
        }
    }

    fn read_list(
        &self,
        list: &Value<'_>,
        kind: ListKind,
        at: usize,
    ) -> Result<Arc<MatchList>, Halt> {
        let (text, trust) = (list.as_bytes(), list.trust());
        let items = match trust {
            Trust::Trusted => ByteList::new(text),
            Trust::Untrusted => ByteList::separated(text, b':'),
        };
        let read = MatchList::read(items, trust, kind, &self.options.limits);
        read.map(Arc::new).map_err(|error| self.list_error(error, at))
    }

    /// Makes a lookup, or reads a file.
    fn ask_for_list(&mut self, at: usize, ask: Ask) -> Result<LookupResult, Halt> {
        let capability = Capability::Files;
        if !self.options.capabilities.has(capability) {
            return Err(ExpandError::Denied { at, capability }.into());
        }
        self.ask(at, || ask).cloned()
    }

    pub(crate) fn list_error(&self, error: MatchListError, at: usize) -> Halt {
        match error {
            MatchListError::TooManyItems { limit } => {
                ExpandError::TooManyItems { at, limit }.into()
            }
            MatchListError::TooManySteps { limit } => {
                ExpandError::TooManySteps { at, limit }.into()
            }
            MatchListError::TooDeep { limit } => ExpandError::TooDeep { at, limit }.into(),
            MatchListError::Item {
                problem: ItemProblem::Regex { at: offset, problem }, ..
            } => ExpandError::Regex { at, offset, problem }.into(),
            MatchListError::Item { problem: ItemProblem::RegexWork, .. } => {
                let limit = self.options.limits.regex_backtracks;
                ExpandError::RegexWork { at, limit }.into()
            }
            error @ MatchListError::Item { .. } => ExpandError::List { at, error }.into(),
        }
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
}
