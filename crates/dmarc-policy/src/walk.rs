//! The walk up the tree of the DNS: section 4.10 of RFC 9989.

use std::sync::Arc;

use mail_types::{Answer, Domain, Kind, Known, Name, Texts, Unanswered};

use crate::{Psd, Record};

/// What is published at `_dmarc.` and a name: nothing, or a record.
pub(crate) type Found = Option<Arc<Published>>;

/// The one record among the texts of a name, if there is just one.
#[derive(Debug)]
pub(crate) struct Published(pub(crate) Option<Record>);

impl Published {
    fn of(texts: &Texts) -> Self {
        let mut records = texts.iter().filter_map(|text| Record::parse(text).ok());
        match (records.next(), records.next()) {
            (Some(only), None) => Self(Some(only)),
            // Of several none counts (section 4.10, steps 2 and 6).
            _ => Self(None),
        }
    }
}

/// A domain, and the names above it at which a record was found.
#[derive(Debug)]
pub(crate) struct Walk<'d> {
    pub(crate) domain: &'d Domain,
    /// The longest first; with how many octets of the domain's text are left out.
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// Where in the domain's text the name begins.
    at: usize,
    published: Arc<Published>,
}

/// A query had no answer, whether for now or for good.
#[derive(Debug)]
pub(crate) struct DnsTrouble;

/// What a walk needs to know of, and remembers of earlier walks for the same message.
#[derive(Debug, Default)]
pub(crate) struct Memo<'d> {
    /// A name, and what is there.
    seen: Vec<(&'d str, Found)>,
}

impl<'d> Memo<'d> {
    /// Asks for the record of a name, once.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; in it [`DnsTrouble`] if there is no telling.
    pub(crate) fn record(
        &mut self,
        known: &mut Known<'_>,
        name: &'d str,
    ) -> Result<Result<Found, DnsTrouble>, Unanswered> {
        if let Some((_, found)) = self.seen.iter().find(|(seen, _)| *seen == name) {
            return Ok(Ok(found.clone()));
        }
        let labels = [&b"_dmarc"[..]].into_iter().chain(name.split('.').map(str::as_bytes));
        let found = match Name::from_labels(labels) {
            // A name too long for the DNS has no record.
            Err(_) => None,
            Ok(name) => match &*known.ask(&name, Kind::Txt)? {
                Answer::Failed(_) => return Ok(Err(DnsTrouble)),
                answer => answer.texts().map(|texts| texts.derive(Published::of)),
            },
        };
        let found = found.filter(|published| published.0.is_some());
        self.seen.push((name, found.clone()));
        Ok(Ok(found))
    }

    /// Walks up from a domain.
    ///
    /// # Errors
    ///
    /// As for [`Memo::record`].
    pub(crate) fn walk(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d Domain,
    ) -> Result<Result<Walk<'d>, DnsTrouble>, Unanswered> {
        let mut walk = Walk { domain, steps: Vec::new() };
        let text = domain.as_str();
        let mut next = Some(0);
        while let Some(at) = next {
            let name = text.get(at..).unwrap_or_default();
            match self.record(known, name)? {
                Err(trouble) => return Ok(Err(trouble)),
                Ok(None) => {}
                Ok(Some(published)) => {
                    let stop = published.0.as_ref().is_some_and(|r| r.psd != Psd::Unknown);
                    walk.steps.push(Step { at, published });
                    if stop {
                        break;
                    }
                }
            }
            next = above(name).map(|cut| at + cut);
        }
        Ok(Ok(walk))
    }
}

impl<'d> Walk<'d> {
    /// Returns the organizational domain: section 4.10.2.
    pub(crate) fn org_domain(&self) -> &'d str {
        let text = self.domain.as_str();
        let mut shortest = 0;
        for Step { at, published } in &self.steps {
            match published.0.as_ref().map(|record| record.psd) {
                Some(Psd::No) => return text.get(*at..).unwrap_or(text),
                // One label below, even if nobody asked for that name.
                Some(Psd::Yes) if *at > 0 => {
                    let above = text.get(..at - 1).unwrap_or_default();
                    let begin = above.rfind('.').map_or(0, |dot| dot + 1);
                    return text.get(begin..).unwrap_or(text);
                }
                _ => shortest = *at,
            }
        }
        text.get(shortest..).unwrap_or(text)
    }

    /// Returns the record that counts for the domain, and the name it is at: its own, else its
    /// organizational domain's, else its public suffix's (section 4.10.1).
    pub(crate) fn policy(&self) -> Option<(&'d str, Arc<Published>)> {
        let text = self.domain.as_str();
        let at = |wanted: usize| {
            let step = self.steps.iter().find(|step| step.at == wanted)?;
            Some((text.get(wanted..)?, Arc::clone(&step.published)))
        };
        let org = text.len() - self.org_domain().len();
        let suffix = || {
            let last = self.steps.last()?;
            let is_suffix = last.published.0.as_ref()?.psd == Psd::Yes;
            is_suffix.then_some(last.at).and_then(at)
        };
        at(0).or_else(|| at(org)).or_else(suffix)
    }

    /// Tells whether a record on the way says whether it is a public suffix's.
    pub(crate) fn is_marked(&self) -> bool {
        let marked = |step: &Step| step.published.0.as_ref().is_some_and(|r| r.psd != Psd::Unknown);
        self.steps.iter().any(marked)
    }
}

/// How many octets to take off a name for the next step: its first label, or all that are more
/// than seven.
fn above(name: &str) -> Option<usize> {
    let labels = name.split('.').count();
    let dots = if labels >= MOST_LABELS { labels - (MOST_LABELS - 1) } else { 1 };
    name.match_indices('.').nth(dots - 1).map(|(dot, _)| dot + 1)
}

/// Of names with so many labels, or more, the next step has one less than this.
const MOST_LABELS: usize = 8;
