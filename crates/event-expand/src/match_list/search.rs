//! Searches a match list: a machine that asks for named lists, files and lookups.

use std::net::IpAddr;
use std::sync::Arc;

use mail_types::dns::Name;
use mail_types::exim::{LookupResult, Trust};

use crate::Limits;
use crate::expansion::Ask;
use crate::match_list::look::Look;
use crate::match_list::pattern::ListPattern;
use crate::match_list::{Item, MatchList, MatchListError};
use crate::operators::pattern::Groups;
use crate::variables::ListKind;

/// The subject of a search in a list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ListSubject<'s> {
    /// An address, a domain or a local part, by the kind of the list; in a host list the IP address
    /// of a host without a name. An empty address is the null sender.
    Text(&'s [u8]),
    /// A host, by its address and, if known, its name.
    Host {
        /// Its address.
        address: IpAddr,
        /// Its name, looked up and verified.
        name: Option<&'s Name>,
    },
}

/// The result of a search.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum Membership {
    /// The subject is in the list.
    Yes,
    /// The subject is not in the list.
    No,
    /// An item depends on the host's unknown name. The items after it may apply only to hosts that
    /// it does not match, and are not evaluated.
    NameNeeded,
}

/// A running search.
///
/// ```
/// use std::sync::Arc;
///
/// use event_expand::{Limits, ListKind, ListSearch, ListSubject, MatchList, Membership, SearchStep};
/// use mail_types::exim::{ByteList, Trust};
///
/// let limits = Limits::default();
/// let list = ByteList::new(b"!root : ^adm(in)?$ : *-list");
/// let list = Arc::new(MatchList::read(list, Trust::Trusted, ListKind::LocalPart, &limits)?);
/// list.check(&limits)?;
/// let is_in = |part: &str| {
///     let subject = ListSubject::Text(part.as_bytes());
///     let mut search = ListSearch::new(Arc::clone(&list), subject, b"mx.example", &limits);
///     matches!(search.poll(), SearchStep::Decided(Membership::Yes))
/// };
/// assert!(is_in("Admin") && is_in("dev-list") && !is_in("root") && !is_in("ann"));
/// # Ok::<(), event_expand::MatchListError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ListSearch<'s> {
    pub(crate) subject: ListSubject<'s>,
    pub(crate) this_host: &'s [u8],
    pub(crate) limits: &'s Limits,
    /// The list and the nested lists, the innermost last.
    levels: Vec<Level>,
    waiting: Waiting,
    decided: Option<Membership>,
    items: usize,
    pub(crate) steps: usize,
    matched: Option<(Box<[u8]>, Trust)>,
    pub(crate) captures: Option<(View, Groups)>,
}

#[derive(Clone, Debug)]
struct Level {
    list: Arc<MatchList>,
    next: usize,
    view: View,
    /// Whether a match ends the search: the lines of a file replace the item that names it.
    is_file: bool,
}

/// The part of the subject to match.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum View {
    Whole,
    /// The text after the last `@` of an address.
    Domain,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Waiting {
    Nothing,
    /// A named list, for this part of the subject.
    List(View),
    /// The lines of a file, for this part of the subject.
    File(View),
    /// The existence of a key in a file.
    Key,
}

/// The next step of a search.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle all four")]
pub enum SearchStep {
    /// The search has ended.
    Decided(Membership),
    /// Hand in this named list with [`ListSearch::handle_list`].
    Named {
        /// The kind of its items.
        kind: ListKind,
        /// Its name, without the `+`.
        name: Box<str>,
        /// Whether an administrator wrote the list that names it.
        trust: Trust,
    },
    /// Make this lookup, or read this file ([`HostCall::ReadFile`](crate::HostCall::ReadFile)), and hand in
    /// the result with [`ListSearch::handle_found`].
    Ask(Ask),
    /// An item cannot be matched: the search has no result.
    Failed(MatchListError),
}

impl<'s> ListSearch<'s> {
    /// The depth of nested named lists.
    pub const MAX_DEPTH: usize = 8;

    /// Starts; `this_host` is the name for `@`.
    #[must_use]
    pub fn new(
        list: Arc<MatchList>,
        subject: ListSubject<'s>,
        this_host: &'s [u8],
        limits: &'s Limits,
    ) -> Self {
        let level = Level { list, next: 0, view: View::Whole, is_file: false };
        Self {
            subject,
            this_host,
            limits,
            levels: vec![level],
            waiting: Waiting::Nothing,
            decided: None,
            items: 0,
            steps: 0,
            matched: None,
            captures: None,
        }
    }

    /// Continues as far as possible. Until its request is answered, it returns the same request.
    #[must_use]
    pub fn poll(&mut self) -> SearchStep {
        loop {
            if let Some(decided) = self.decided {
                return SearchStep::Decided(decided);
            }
            let Some(level) = self.levels.last() else {
                return SearchStep::Decided(Membership::No);
            };
            let (list, at, view) = (Arc::clone(&level.list), level.next, level.view);
            let Some(item) = list.items.get(at) else {
                self.conclude(list.items.last().is_some_and(|item| item.negated), false);
                continue;
            };
            self.items = self.items.saturating_add(1);
            self.steps = self.steps.saturating_add(1);
            if self.steps > self.limits.steps {
                return SearchStep::Failed(MatchListError::TooManySteps {
                    limit: self.limits.steps,
                });
            }
            match self.look_at(&list, item, &item.pattern, view) {
                Look::Match => self.take(item, &list, view),
                Look::NoMatch => self.advance(),
                Look::NameNeeded => self.decided = Some(Membership::NameNeeded),
                Look::Problem(problem) => {
                    return SearchStep::Failed(list.error(at, problem));
                }
                Look::Step(waiting, step) => {
                    self.waiting = waiting;
                    return step;
                }
            }
        }
    }

    /// Takes the named list that the last step asked for.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooDeep`] for more than [`MAX_DEPTH`](Self::MAX_DEPTH) nested lists.
    pub fn handle_list(&mut self, list: Arc<MatchList>) -> Result<(), MatchListError> {
        match self.waiting {
            Waiting::List(view) => self.enter(list, view, false),
            Waiting::File(_) | Waiting::Key | Waiting::Nothing => Ok(()),
        }
    }

    /// Takes the result of the last lookup or file. A deferred lookup has no result: the program
    /// must handle it before.
    ///
    /// # Errors
    ///
    /// [`MatchListError::TooManyItems`] for a file with too many lines.
    pub fn handle_found(&mut self, found: &LookupResult) -> Result<(), MatchListError> {
        match (std::mem::replace(&mut self.waiting, Waiting::Nothing), found) {
            (Waiting::Key, LookupResult::Value(_)) => {
                if let Some(level) = self.levels.last() {
                    let (list, at, view) = (Arc::clone(&level.list), level.next, level.view);
                    list.items.get(at).into_iter().for_each(|item| self.take(item, &list, view));
                }
                Ok(())
            }
            (Waiting::Key, _) => {
                self.advance();
                Ok(())
            }
            (Waiting::File(view), found) => {
                let text: &[u8] = if let LookupResult::Value(text) = found { text } else { b"" };
                let lines = MatchList::from_lines(text, self.kind(view), self.limits)?;
                self.enter(Arc::new(lines), view, true)
            }
            (waiting, _) => {
                self.waiting = waiting;
                Ok(())
            }
        }
    }

    /// The number of items evaluated so far.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// The steps so far: see [`MatchListError::TooManySteps`].
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// The last matching item of a domain or local part list: `$value`, in Exim's lists.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use event_expand::{Limits, ListKind, ListSearch, ListSubject, MatchList, Membership, SearchStep};
    /// use mail_types::exim::{ByteList, Trust};
    ///
    /// let limits = Limits::default();
    /// let read = |text| MatchList::read(ByteList::new(text), Trust::Trusted, ListKind::Domain, &limits).map(Arc::new);
    /// let subject = ListSubject::Text(b"mx.example.com");
    /// let mut search = ListSearch::new(read(b"+ours")?, subject, b"mx.example", &limits);
    /// let SearchStep::Named { name, .. } = search.poll() else { unreachable!() };
    /// assert_eq!(&*name, "ours");
    /// search.handle_list(read(b"example.net : *.example.com")?)?;
    /// assert_eq!(search.poll(), SearchStep::Decided(Membership::Yes));
    /// assert_eq!(search.matched().map(|(item, _)| item), Some(&b"*.example.com"[..]));
    /// # Ok::<(), event_expand::MatchListError>(())
    /// ```
    #[must_use]
    pub fn matched(&self) -> Option<(&[u8], Trust)> {
        self.matched.as_ref().map(|(text, trust)| (&**text, *trust))
    }

    /// The captures of the last matching regular expression, and its subject.
    pub(crate) fn captures(&self) -> Option<(&'s [u8], &Groups)> {
        let (view, groups) = self.captures.as_ref()?;
        Some((self.text(*view)?, groups))
    }

    fn enter(
        &mut self,
        list: Arc<MatchList>,
        view: View,
        is_file: bool,
    ) -> Result<(), MatchListError> {
        if self.levels.len() > Self::MAX_DEPTH {
            return Err(MatchListError::TooDeep { limit: Self::MAX_DEPTH });
        }
        self.waiting = Waiting::Nothing;
        self.levels.push(Level { list, next: 0, view, is_file });
        Ok(())
    }

    /// The kind of the items of a list, for this part of the subject.
    fn kind(&self, view: View) -> ListKind {
        match view {
            View::Domain => ListKind::Domain,
            View::Whole => self.levels.first().map_or(ListKind::Domain, |level| level.list.kind),
        }
    }

    fn advance(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.next += 1;
        }
    }

    /// Ends the innermost list with a matching item.
    fn take(&mut self, item: &Item, list: &MatchList, view: View) {
        if view == View::Whole && matches!(list.kind, ListKind::Domain | ListKind::LocalPart) {
            let text = match item.pattern {
                ListPattern::ThisHost => self.this_host.into(),
                _ => item.text.clone(),
            };
            self.matched = Some((text, list.trust));
        }
        self.conclude(!item.negated, true);
    }

    /// Ends the innermost list, and the lists that this decides. After a named list that does not
    /// match, or a file without a match, the outer list continues.
    fn conclude(&mut self, mut says: bool, mut matched: bool) {
        while let Some(level) = self.levels.pop() {
            let Some(outer) = self.levels.last_mut() else {
                self.decided = Some(if says { Membership::Yes } else { Membership::No });
                return;
            };
            if !(if level.is_file { matched } else { says }) {
                outer.next += 1;
                return;
            }
            let negated = outer.list.items.get(outer.next).is_some_and(|item| item.negated);
            says = if level.is_file { says != negated } else { !negated };
            matched = true;
        }
    }

    /// The part of the subject; `None` for the domain of a subject without one, and for a host.
    pub(crate) fn text(&self, view: View) -> Option<&'s [u8]> {
        let ListSubject::Text(text) = self.subject else { return None };
        match view {
            View::Whole => Some(text),
            View::Domain => text.get(text.iter().rposition(|&b| b == b'@')? + 1..),
        }
    }
}
