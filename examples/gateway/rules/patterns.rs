//! Lists of patterns, whose items may name other lists.

use std::sync::Arc;

use event_expand::ListKind;
use mail_types::{Domain, List};

use super::Problem;
use super::condition::Holds;
use super::language::Language;
use super::pattern::{Fit, Pattern};
use super::place::Place;
use super::scene::Scene;
use super::words::Words;

/// A list of patterns. The first that fits decides, by whether it has a `!`; if none does, it is in
/// the list only if the last has one.
#[derive(Debug)]
pub(super) struct Patterns<P> {
    items: Vec<(bool, Item<P>)>,
}

#[derive(Debug)]
enum Item<P> {
    Own(P),
    /// `+name`
    Named(Arc<Words<Patterns<P>>>),
}

/// Reads lists of a kind.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) language: Arc<Language>,
    pub(super) host: Domain,
    pub(super) place: Place,
    /// Whose named lists it can have.
    pub(super) kind: Option<ListKind>,
    /// How many named lists it stands in.
    pub(super) depth: usize,
}

impl Reader {
    /// Takes a list of a rule, or a named one.
    pub(super) fn words<P: Pattern>(&self, text: &str) -> Result<Words<Patterns<P>>, Problem> {
        let known = !text.contains('$');
        let reader = self.clone();
        let read = move |list: List<'_>| reader.patterns(list, known);
        Words::read(text, self.place, &self.language, read)
    }

    fn patterns<P: Pattern>(&self, list: List<'_>, known: bool) -> Result<Patterns<P>, Problem> {
        let mut items = Vec::new();
        for (at, item) in list.enumerate() {
            if at == MAX_ITEMS {
                return Err(Problem::TooMany);
            }
            let (negated, pattern) = match item.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim_start()),
                None => (false, &*item),
            };
            let item = match (pattern.strip_prefix('+'), self.kind) {
                (Some(name), Some(kind)) => self.named(kind, name, at + 1, known)?,
                _ => Item::Own(P::read(pattern, at + 1, &self.host)?),
            };
            items.push((negated, item));
        }
        Ok(Patterns { items })
    }

    /// What was expanded can name a list only if that needs no expansion: found text never leads to
    /// one.
    fn named<P: Pattern>(
        &self,
        kind: ListKind,
        name: &str,
        at: usize,
        known: bool,
    ) -> Result<Item<P>, Problem> {
        let unknown = Problem::NoList { item: at };
        let text = self.language.lists.get(kind, name).ok_or_else(|| unknown.clone())?;
        if !known && text.contains('$') {
            return Err(unknown);
        }
        if self.depth == MAX_DEPTH {
            return Err(Problem::ListsTooDeep);
        }
        let reader = Self { depth: self.depth + 1, ..self.clone() };
        Ok(Item::Named(Arc::new(reader.words(text)?)))
    }
}

impl<P: Pattern> Patterns<P> {
    /// Decides at once, unless a named list must be expanded first.
    pub(super) fn decide_known(&self, subject: &P::Subject) -> Option<Fit> {
        for (negated, item) in &self.items {
            let fit = match item {
                Item::Own(pattern) => pattern.fits(subject),
                Item::Named(list) => list.known()?.decide_known(subject)?,
            };
            match fit {
                Fit::Yes => return Some((!negated).into()),
                Fit::Untellable => return Some(fit),
                Fit::No => {}
            }
        }
        Some(self.at_the_end())
    }

    /// Decides, and expands the named lists that it comes by.
    pub(super) async fn decide(
        &self,
        scene: &mut Scene<'_>,
        subject: &P::Subject,
    ) -> Result<Fit, Holds> {
        for (negated, item) in &self.items {
            let fit = match item {
                Item::Own(pattern) => pattern.fits(subject),
                Item::Named(list) => {
                    let list = list.now(scene).await?;
                    Box::pin(list.decide(scene, subject)).await?
                }
            };
            match fit {
                Fit::Yes => return Ok((!negated).into()),
                Fit::Untellable => return Ok(fit),
                Fit::No => {}
            }
        }
        Ok(self.at_the_end())
    }

    fn at_the_end(&self) -> Fit {
        self.items.last().is_some_and(|(negated, _)| *negated).into()
    }
}

/// The most items that a list has.
const MAX_ITEMS: usize = 10_000;
/// How many named lists may name each other.
const MAX_DEPTH: usize = 8;
