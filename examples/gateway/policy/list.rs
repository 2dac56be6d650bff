//! Lists of domains, hosts, addresses and local parts, of rules and of options: Exim's lists, as
//! `event-expand` reads and searches them.
//!
//! A list without a `$` is read once. Any other is expanded each time. An item can name a [named
//! list](crate::gateway::lookups::language), a file, or a file that is searched for a key, below `lookup_directories`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{
    Answered, Ask, ListKind, ListSearch, ListSubject, MatchList, MatchListError, Membership,
    SearchStep,
};
use mail_types::dns::Name;
use mail_types::exim::{ByteList, List, LookupResult, Segment, Trust};
use mail_types::smtp::Domain;

use super::place::Place;
use super::rules::Problem;
use super::surroundings::Surroundings;
use super::text::{Text, Unfinished};
use super::words::Words;
use crate::gateway::lookups::language::{Language, Source};

/// A list.
#[derive(Debug)]
pub(crate) struct RuleList {
    words: Words<Arc<MatchList>>,
    /// The named lists that it can lead to, and that must be expanded.
    expanded: ExpandedLists,
    language: Arc<Language>,
    host: Domain,
    /// The option that it is, unless it is of a rule.
    option: Option<&'static str>,
}

/// Named lists that must be expanded, by their kinds and names.
type ExpandedLists = BTreeMap<(ListKind, String), Words<Arc<MatchList>>>;

/// The subject of a list test.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// An address, a domain or a local part. The address of nobody is empty.
    Text(String),
    /// A host, by its address and, if that is known, its name.
    Host(IpAddr, Option<Name>),
}

impl RuleList {
    /// Reads a list that stands at this place, and checks it as far as it can be seen.
    pub(crate) fn read(
        text: &str,
        place: impl Into<Place>,
        (language, host): (&Arc<Language>, &Domain),
        kind: ListKind,
    ) -> Result<Self, Problem> {
        let mut expanded = BTreeMap::new();
        let words = words(text, place.into(), language, kind, &mut expanded, 0)?;
        let (language, host) = (Arc::clone(language), host.clone());
        Ok(Self { words, expanded, language, host, option: None })
    }

    /// Names the option that it is, for the log.
    pub(crate) fn of_option(self, option: &'static str) -> Self {
        Self { option: Some(option), ..self }
    }

    /// Returns the option that it is, unless it is of a rule.
    pub(crate) fn option(&self) -> Option<&'static str> {
        self.option
    }

    /// Tells whether it is known to have no item.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.known().is_some_and(|list| list.is_empty())
    }

    /// Tells whether it has one of these variables to expand, itself or in a named list.
    pub(crate) fn mentions(&self, variables: &[&str]) -> bool {
        self.words.mentions(variables)
            || self.expanded.values().any(|words| words.mentions(variables))
    }

    /// Tells whether an item without an expansion needs the name of a host.
    pub(crate) fn needs_host_names(&self) -> bool {
        let named = |(_, kind, name): (usize, ListKind, &str)| {
            self.language.known_list(kind, name).is_some_and(|list| list.needs_host_names())
        };
        let needs =
            |list: &Arc<MatchList>| list.needs_host_names() || list.named_lists().any(named);
        self.words.known().is_some_and(needs)
    }

    /// Decides at once, unless something must be expanded or looked up first.
    pub(crate) fn decide_known(&self, subject: &Subject) -> Option<Membership> {
        let list = self.words.known()?;
        if list.is_empty() {
            return Some(Membership::No);
        }
        let list = Arc::clone(list);
        let limits = &self.language.options.limits;
        let this_host = self.host.as_str().as_bytes();
        let mut search = ListSearch::new(list, subject.as_list_subject(), this_host, limits);
        loop {
            match search.poll() {
                SearchStep::Decided(membership) => return Some(membership),
                SearchStep::Named { kind, name, .. } => {
                    search.handle_list(self.language.known_list(kind, &name)?).ok()?;
                }
                SearchStep::Ask(_) | SearchStep::Failed(_) => return None,
            }
        }
    }

    /// Decides. A list that fails by its own word has nobody in it, as in Exim: to ignore it would
    /// open an `accept` to everybody.
    ///
    /// # Errors
    ///
    /// [`Undecided`].
    pub(crate) async fn decide(
        &self,
        surroundings: &mut dyn Surroundings,
        subject: &Subject,
    ) -> Result<Membership, Undecided> {
        match self.decide_known(subject) {
            Some(membership) => Ok(membership),
            // Few lists are expanded, and every connection would have room for it.
            None => Box::pin(self.expand_and_decide(surroundings, subject)).await,
        }
    }

    async fn expand_and_decide(
        &self,
        surroundings: &mut dyn Surroundings,
        subject: &Subject,
    ) -> Result<Membership, Undecided> {
        let found = match self.words.now(surroundings).await {
            Ok(list) => self.search(surroundings, subject, Arc::clone(&*list)).await,
            Err(Unfinished::Forced) => return Ok(Membership::No),
            Err(Unfinished::Failed) => Err(Problem::Logged),
        };
        if let Err(problem) = &found
            && *problem != Problem::Logged
        {
            let fault = format!("a list cannot be searched: {problem}");
            surroundings.log().add_fault(fault);
        }
        if let Some(option) = self.option {
            surroundings.log().place(&option);
        }
        found.map_err(|_| Undecided)
    }

    async fn search(
        &self,
        surroundings: &mut dyn Surroundings,
        subject: &Subject,
        list: Arc<MatchList>,
    ) -> Result<Membership, Problem> {
        let (limits, mut spent) = (self.language.options.limits, Duration::ZERO);
        let (subject, this_host) = (subject.as_list_subject(), self.host.as_str().as_bytes());
        let mut search = ListSearch::new(list, subject, this_host, &limits);
        loop {
            match search.poll() {
                SearchStep::Decided(membership) => return Ok(membership),
                SearchStep::Failed(error) => return Err(error.into()),
                SearchStep::Named { kind, name, trust } => {
                    let list = self.named(surroundings, kind, &name, trust).await?;
                    search.handle_list(list)?;
                }
                SearchStep::Ask(request) => {
                    let asked = Instant::now();
                    let found = ask(surroundings, &request, spent).await?;
                    spent += asked.elapsed();
                    search.handle_found(&found)?;
                }
            }
        }
    }

    /// A list expanded from untrusted text cannot name a list that must be expanded.
    async fn named(
        &self,
        surroundings: &mut dyn Surroundings,
        kind: ListKind,
        name: &str,
        trust: Trust,
    ) -> Result<Arc<MatchList>, Problem> {
        if let Some(list) = self.language.known_list(kind, name) {
            return Ok(list);
        }
        let unknown = || Problem::NoList { kind: kind.table(), name: name.to_owned() };
        let key = (kind, name.to_owned());
        let words = self.expanded.get(&key).filter(|_| trust == Trust::Trusted);
        match words.ok_or_else(unknown)?.now(surroundings).await {
            Ok(list) => Ok(Arc::clone(&*list)),
            Err(Unfinished::Forced) => {
                let none = MatchList::read(List::new("").into_bytes(), trust, kind, &self.limits());
                Ok(Arc::new(none?))
            }
            Err(Unfinished::Failed) => Err(Problem::Logged),
        }
    }

    fn limits(&self) -> event_expand::Limits {
        self.language.options.limits
    }
}

async fn ask(
    surroundings: &mut dyn Surroundings,
    request: &Ask,
    spent: Duration,
) -> Result<LookupResult, Problem> {
    match surroundings.answer(request, spent).await {
        (Answered::Found(LookupResult::Deferred) | Answered::Verdict(_), why) => {
            Err(Problem::Lookup { why: why.unwrap_or_default() })
        }
        (Answered::Found(found), _) => Ok(found),
    }
}

/// The list cannot be read now, or a lookup has no answer. The log says why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Undecided;

impl Subject {
    fn as_list_subject(&self) -> ListSubject<'_> {
        match self {
            Self::Text(text) => ListSubject::Text(text.as_bytes()),
            Self::Host(address, name) => {
                ListSubject::Host { address: *address, name: name.as_ref() }
            }
        }
    }
}

/// Reads a list, and the named lists behind it that must be expanded.
fn words(
    text: &str,
    place: Place,
    language: &Arc<Language>,
    kind: ListKind,
    expanded: &mut ExpandedLists,
    depth: usize,
) -> Result<Words<Arc<MatchList>>, Problem> {
    if depth > ListSearch::MAX_DEPTH {
        return Err(MatchListError::TooDeep { limit: ListSearch::MAX_DEPTH }.into());
    }
    let text = Text::parse(text, place, language)?;
    let literal = text.literal().and_then(|literal| str::from_utf8(literal).ok());
    if let Some(mistake) = literal.and_then(|literal| mistake(List::new(literal), kind)) {
        return Err(mistake);
    }
    if let Some(refused) = beside_untrusted(&text, place, language, kind) {
        return Err(refused);
    }
    let reader = Arc::clone(language);
    let words = Words::of(text, move |list, trust| {
        let list = MatchList::read(list.into_bytes(), trust, kind, &reader.options.limits)?;
        reader.check_list(&list).map_err(|error| Problem::Text(error.into()))?;
        Ok(Arc::new(list))
    })?;
    let Some(list) = words.known() else {
        // An item may be a file then.
        language.note([Source::File]);
        return Ok(words);
    };
    for (_, kind, name) in list.named_lists() {
        let key = (kind, name.to_owned());
        let inner = language.lists.get(kind, name).unwrap_or_default();
        if expanded.contains_key(&key) {
            continue;
        }
        let words = self::words(inner, place, language, kind, expanded, depth + 1);
        let words = words.map_err(|problem| problem.within(name))?;
        if words.known().is_none() {
            expanded.insert(key, words);
        }
    }
    Ok(words)
}

/// Finds an item of a list with an untrusted value that such a list cannot have: all of its text is untrusted.
fn beside_untrusted(
    text: &Text,
    place: Place,
    language: &Language,
    kind: ListKind,
) -> Option<Problem> {
    if !text.is_untrusted(place) {
        return None;
    }
    let mut written = Vec::new();
    for segment in text.known_segments(place).segments() {
        match segment {
            Segment::Literal(bytes) => written.extend_from_slice(bytes),
            Segment::Value { .. } => written.push(UNKNOWN),
        }
    }
    let lead = text.lead().trim_ascii_start();
    let list = if ByteList::names_separator(lead) {
        ByteList::new(&written)
    } else {
        ByteList::separated(&written, b':')
    };
    let known = list.enumerate().filter(|(_, item)| !item.contains(&UNKNOWN));
    known.into_iter().find_map(|(at, item)| {
        let shown = || item.escape_ascii().to_string().chars().take(SHOWN).collect();
        let alone = |trust| {
            MatchList::read(
                ByteList::separated(&item, UNKNOWN),
                trust,
                kind,
                &language.options.limits,
            )
        };
        let list = alone(Trust::Untrusted).ok()?;
        let is_sound = |list: &MatchList| list.check(&language.options.limits).is_ok();
        if !is_sound(&list) && alone(Trust::Trusted).is_ok_and(|list| is_sound(&list)) {
            return Some(Problem::Beside { item: at + 1, text: shown() });
        }
        let is_expanded = |(_, kind, name): (usize, ListKind, &str)| {
            language.lists.get(kind, name).is_some_and(|text| text.contains('$'))
        };
        let mut named = list.named_lists();
        named.any(is_expanded).then(|| Problem::BesideExpanded { item: at + 1, text: shown() })
    })
}

/// Stands for a value in the text of a list.
const UNKNOWN: u8 = 0;

/// Finds what an administrator cannot mean in a list. A `!` and nothing else is for Exim an empty item that
/// is negated, which is everybody; behind `*` no item is asked; and `!*` alone leaves nobody.
fn mistake(list: List<'_>, kind: ListKind) -> Option<Problem> {
    let (mut everybody, mut only_excludes) = (None, true);
    for (at, text) in list.enumerate() {
        let (is_negated, item) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, &*text),
        };
        if let Some(mistake) = mistake_of(at + 1, item, kind) {
            return Some(mistake);
        }
        match everybody {
            _ if is_negated && item.is_empty() => return Some(Problem::Negation { item: at + 1 }),
            Some(everybody) => return Some(Problem::Behind { item: at + 1, everybody }),
            // `*` does not match the empty sender.
            None if item == "*" && kind != ListKind::Address => everybody = Some(at + 1),
            None => {}
        }
        only_excludes &= is_negated;
    }
    (everybody.is_some() && only_excludes).then_some(Problem::Nobody)
}

/// Finds an item that matches no domain, and no address or local part but an odd one in quotes. One of a list of
/// hosts has a hint of its own.
fn mistake_of(item: usize, text: &str, kind: ListKind) -> Option<Problem> {
    if kind == ListKind::Host || text.starts_with(['^', '+', '/']) || text.contains(';') {
        return None;
    }
    let shown = || text.chars().take(SHOWN).collect();
    if text.contains(|c: char| c == ',' || c.is_whitespace()) {
        return Some(Problem::NotSeparated { item, text: shown() });
    }
    let no_local_part = kind == ListKind::Address && text.starts_with('@');
    // `@@` and a file has an error of its own.
    let is_plain = text.len() > 1 && !text.starts_with("@@");
    (no_local_part && is_plain).then(|| Problem::NoLocalPart { item, text: shown() })
}

/// The most characters of an item in an error.
pub(super) const SHOWN: usize = 60;
