//! Matches one item of a list with the subject of a search.

use mail_types::exim::{Query, Trust, Value};

use crate::call::HostCall;
use crate::expansion::Ask;
use crate::match_list::pattern::{ItemProblem, ListPattern, Regex, ends_with};
use crate::match_list::search::{ListSearch, ListSubject, SearchStep, View, Waiting};
use crate::match_list::{Item, MatchList, MatchListError};
use crate::operators::ip;
use crate::operators::pattern::{COMPILING, MatchError};
use crate::variables::ListKind;

/// The result of an item for the subject.
pub(crate) enum Look {
    Match,
    NoMatch,
    NameNeeded,
    Step(Waiting, SearchStep),
    Problem(ItemProblem),
}

impl<'s> ListSearch<'s> {
    pub(crate) fn look_at(
        &mut self,
        list: &MatchList,
        item: &Item,
        pattern: &ListPattern,
        view: View,
    ) -> Look {
        let kind = if view == View::Domain { ListKind::Domain } else { list.kind };
        if let (ListKind::Host, ListSubject::Text(text)) = (kind, self.subject)
            && let Some(look) = look_at_address(&item.text, text, pattern)
        {
            return look;
        }
        match pattern {
            // An address without a domain is in no domain list.
            ListPattern::Refused(ItemProblem::DomainLookup)
                if self.text(View::Domain).is_none() =>
            {
                Look::NoMatch
            }
            ListPattern::Refused(problem) => Look::Problem(*problem),
            ListPattern::Named(name) => {
                let step = SearchStep::Named { kind, name: name.clone(), trust: list.trust };
                Look::Step(Waiting::List(view), step)
            }
            ListPattern::File(path) => {
                let arguments = vec![Value::new(path.to_vec(), Trust::Trusted)];
                let ask = Ask::Call { call: HostCall::ReadFile, arguments };
                Look::Step(Waiting::File(view), SearchStep::Ask(ask))
            }
            ListPattern::Host(pattern) => match (pattern, self.subject) {
                (Ok(pattern), ListSubject::Host { address, name }) => {
                    pattern.fits(address, name).map_or(Look::NameNeeded, Look::from)
                }
                (Err(error), _) => Look::Problem(ItemProblem::Host(*error)),
                (Ok(_), ListSubject::Text(_)) => Look::NoMatch,
            },
            _ => match self.text(view) {
                Some(text) => self.look_at_text(kind, text, item, pattern, view, list),
                None => Look::NoMatch,
            },
        }
    }

    fn look_at_text(
        &mut self,
        kind: ListKind,
        text: &'s [u8],
        item: &Item,
        pattern: &ListPattern,
        view: View,
        list: &MatchList,
    ) -> Look {
        match pattern {
            ListPattern::Text(own) => own.eq_ignore_ascii_case(text).into(),
            ListPattern::Ends(end) => ends_with(text, end).into(),
            ListPattern::ThisHost => {
                (!text.is_empty() && self.this_host.eq_ignore_ascii_case(text)).into()
            }
            ListPattern::NullSender => text.is_empty().into(),
            ListPattern::Regex(_)
                if kind == ListKind::Address && !text.is_empty() && !text.contains(&b'@') =>
            {
                Look::NoMatch
            }
            ListPattern::Regex(regex) => self.look_with(regex, text, view),
            ListPattern::Lookup(lookup) => {
                let (lookup, file) = &**lookup;
                let key = Some(Value::new(text.to_vec(), Trust::Untrusted));
                let mut query = Query::default();
                query.push_literal(file);
                let ask = Ask::Lookup { lookup: lookup.clone(), key, query };
                Look::Step(Waiting::Key, SearchStep::Ask(ask))
            }
            ListPattern::Address(part, domain) => {
                let at = text.iter().rposition(|&b| b == b'@');
                let local = at.and_then(|at| text.get(..at));
                match (local, part) {
                    (None, _) => Look::NoMatch,
                    (Some(local), Some(part)) if !part.matches(local) => Look::NoMatch,
                    (Some(_), _) => self.look_at(list, item, domain, View::Domain),
                }
            }
            _ => Look::NoMatch,
        }
    }

    fn look_with(&mut self, regex: &Regex, text: &[u8], view: View) -> Look {
        if !regex.is_compiled() {
            self.steps = self.steps.saturating_add(COMPILING);
        }
        // At least one step: the item itself was within the limit.
        let left = self.limits.steps.saturating_sub(self.steps).max(1);
        let (groups, steps) = match regex.matches(text, self.limits, left) {
            Ok(done) => done,
            Err(MatchError::Pattern(fault)) => return Look::Problem(fault.into()),
            Err(MatchError::Work) => return Look::Problem(ItemProblem::RegexWork),
            Err(MatchError::Steps) => {
                let error = MatchListError::TooManySteps { limit: self.limits.steps };
                return Look::Step(Waiting::Nothing, SearchStep::Failed(error));
            }
        };
        self.steps = self.steps.saturating_add(steps);
        let Some(groups) = groups else { return Look::NoMatch };
        self.captures = Some((view, groups));
        Look::Match
    }
}

/// Matches an address without a name with an item of a host list, as the condition `match_ip` does;
/// `None` if the general match must decide.
fn look_at_address(item: &[u8], address: &[u8], pattern: &ListPattern) -> Option<Look> {
    match pattern {
        ListPattern::Named(_) | ListPattern::File(_) => None,
        _ if !address.is_empty() && ip::is_name(item) => Some(Look::NameNeeded),
        ListPattern::Refused(ItemProblem::HostRegex) => Some(Look::NoMatch),
        ListPattern::Refused(_) => None,
        _ => Some(match ip::holds(item, address) {
            Ok(holds) => holds.into(),
            Err(error) => Look::Problem(ItemProblem::Host(error)),
        }),
    }
}

impl From<bool> for Look {
    fn from(matches: bool) -> Self {
        if matches { Self::Match } else { Self::NoMatch }
    }
}
