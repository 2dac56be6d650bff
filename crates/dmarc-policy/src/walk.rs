//! The walk up the tree of the DNS: section 4.10 of RFC 9989.

use std::sync::Arc;

use mail_types::dns::{Answer, Known, Name, RecordType, Texts, Unanswered};

use crate::{Psd, Record};

/// What is published at `_dmarc.` and a name: nothing, or a record.
pub(crate) type Found = Option<Arc<Published>>;

/// The one record among the texts of a name, if there is just one.
#[derive(Debug, Eq, PartialEq)]
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

impl Published {
    /// Tells whether it says of its name whether that is a public suffix, and so ends a walk.
    fn is_marked(&self) -> bool {
        self.0.as_ref().is_some_and(|record| record.psd != Psd::Unknown)
    }
}

/// A domain, and what the walk up from it has found.
#[derive(Debug)]
pub(crate) struct Walk<'d> {
    /// In lower case.
    domain: &'d [u8],
    /// The domain's own record.
    own: Option<Arc<Published>>,
    /// The last name with a record, and the one before.
    last: Option<Step>,
    before: Option<Step>,
    /// Whether every walk that comes to the organizational domain from below finds the same one from
    /// there on.
    pub(crate) is_shared: bool,
    /// Whether for a name on the way the DNS did not answer: it counts as one without a record.
    pub(crate) is_broken: bool,
}

/// A name with a record.
#[derive(Clone, Debug)]
struct Step {
    /// Where in the domain's text it begins.
    at: usize,
    published: Arc<Published>,
}

/// A query had no answer, whether for now or for good.
#[derive(Debug)]
pub(crate) struct DnsTrouble;

/// What a walk needs to know of, and remembers of earlier walks for the same message.
#[derive(Debug, Default)]
pub(crate) struct Memo<'d> {
    /// Names, and what is there: as many as most messages need, without an allocation.
    near: [Option<(&'d [u8], Found)>; NEAR],
    count: usize,
    far: Vec<(&'d [u8], Found)>,
    /// Whether nothing more is asked: what is not known yet has had no answer.
    pub(crate) is_closed: bool,
}

impl<'d> Memo<'d> {
    fn find(&self, name: &[u8]) -> Option<&Found> {
        let seen = self.near.iter().take(self.count).flatten().chain(&self.far);
        seen.into_iter().find(|(seen, _)| *seen == name).map(|(_, found)| found)
    }

    pub(crate) fn keep(&mut self, name: &'d [u8], found: Found) {
        match self.near.get_mut(self.count) {
            Some(slot) => {
                *slot = Some((name, found));
                self.count += 1;
            }
            None => self.far.push((name, found)),
        }
    }

    /// Asks for the record of a name, once.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; in it [`DnsTrouble`] if there is no telling.
    pub(crate) fn record(
        &mut self,
        known: &mut Known<'_>,
        name: &'d [u8],
    ) -> Result<Result<Found, DnsTrouble>, Unanswered> {
        if let Some(found) = self.find(name) {
            return Ok(Ok(found.clone()));
        }
        if self.is_closed {
            return Ok(Err(DnsTrouble));
        }
        let found = ask(known, name)?;
        if let Ok(found) = &found {
            self.keep(name, found.clone());
        }
        Ok(found)
    }

    /// Walks up from a domain, in lower case, as far as the DNS answers.
    ///
    /// # Errors
    ///
    /// [`Unanswered`].
    pub(crate) fn walk(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d [u8],
    ) -> Result<Walk<'d>, Unanswered> {
        self.walk_past(known, domain, false)
    }

    /// Walks up from a domain, on past names for which the DNS does not answer if `gaps` says so.
    ///
    /// # Errors
    ///
    /// As for [`Memo::walk`].
    pub(crate) fn walk_past(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d [u8],
        gaps: bool,
    ) -> Result<Walk<'d>, Unanswered> {
        let mut walk = Walk {
            domain,
            own: None,
            last: None,
            before: None,
            is_shared: false,
            is_broken: false,
        };
        let (begins, count) = begins(domain);
        // From the whole name, the next is the longest of those that are short enough.
        let shorter = begins.iter().take(count).rev();
        for &at in [0].iter().chain(shorter) {
            let found = match self.record(known, domain.get(at..).unwrap_or_default())? {
                Err(DnsTrouble) => {
                    walk.is_broken = true;
                    if gaps {
                        continue;
                    }
                    break;
                }
                Ok(None) => continue,
                Ok(Some(found)) => found,
            };
            let stop = found.is_marked();
            if at == 0 {
                walk.own = Some(Arc::clone(&found));
            }
            walk.before = walk.last.replace(Step { at, published: found });
            if stop {
                break;
            }
        }
        walk.is_shared = walk.is_shared();
        Ok(walk)
    }
}

impl<'d> Memo<'d> {
    /// Tells whether the walk up from a domain comes to `org`, which is it or above it, and ends in no
    /// record before.
    ///
    /// # Errors
    ///
    /// As for [`Memo::record`].
    pub(crate) fn reaches(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d [u8],
        org: &[u8],
    ) -> Result<Result<bool, DnsTrouble>, Unanswered> {
        let (end, (begins, count)) = (domain.len().saturating_sub(org.len()), begins(domain));
        let shorter = begins.iter().take(count).rev();
        for &at in [0].iter().chain(shorter).take_while(|at| **at < end) {
            match self.record(known, domain.get(at..).unwrap_or_default())? {
                Err(trouble) => return Ok(Err(trouble)),
                Ok(Some(found)) if found.is_marked() => return Ok(Ok(false)),
                Ok(_) => {}
            }
        }
        Ok(Ok(true))
    }
}

impl<'d> Walk<'d> {
    /// Returns the organizational domain: section 4.10.2.
    pub(crate) fn org_domain(&self) -> &'d [u8] {
        self.domain.get(self.org_at()..).unwrap_or(self.domain)
    }

    /// Where in the domain's text the organizational domain begins.
    pub(crate) fn org_at(&self) -> usize {
        let Some(Step { at, published }) = &self.last else { return 0 };
        match published.0.as_ref().map(|record| record.psd) {
            // One label below, even if nobody asked for that name.
            Some(Psd::Yes) if *at > 0 => {
                let above = self.domain.get(..at - 1).unwrap_or_default();
                above.iter().rposition(|&octet| octet == b'.').map_or(0, |dot| dot + 1)
            }
            // The end of the walk, or the shortest name with a record.
            _ => *at,
        }
    }

    /// Returns the record that counts for the domain, and where in its text the name of that record
    /// begins: its own, else its organizational domain's, else its public suffix's (section 4.10.1).
    pub(crate) fn policy(&self) -> Option<(usize, Arc<Published>)> {
        if let Some(own) = &self.own {
            return Some((0, Arc::clone(own)));
        }
        let (org, last) = (self.org_at(), self.last.as_ref()?);
        let of_org = [Some(last), self.before.as_ref()].into_iter().flatten();
        let is_suffix = last.published.0.as_ref().is_some_and(|record| record.psd == Psd::Yes);
        let found = of_org.clone().find(|step| step.at == org);
        let Step { at, published } = found.or(is_suffix.then_some(last))?;
        Some((*at, Arc::clone(published)))
    }

    /// Tells whether a record on the way says whether it is a public suffix's.
    pub(crate) fn is_marked(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.published.is_marked())
    }

    /// A longer name is passed over by some walks, and a public suffix is not what it is to itself to
    /// those below.
    fn is_shared(&self) -> bool {
        let labels = self.org_domain().split(|&octet| octet == b'.').count();
        let is_suffix = self.last.as_ref().is_some_and(|last| {
            let record = last.published.0.as_ref();
            last.at == self.org_at() && record.is_some_and(|record| record.psd == Psd::Yes)
        });
        labels < MOST_LABELS && !is_suffix
    }
}

/// Asks for the record of a name.
fn ask(known: &mut Known<'_>, name: &[u8]) -> Result<Result<Found, DnsTrouble>, Unanswered> {
    let found = match Name::from_label_and_dotted(LABEL, name).ok() {
        // A name too long for the DNS has no record.
        None => None,
        Some(name) => match &*known.ask(&name, RecordType::Txt)? {
            Answer::Failed(_) => return Ok(Err(DnsTrouble)),
            answer => answer.texts().map(|texts| texts.derive(Published::of)),
        },
    };
    Ok(Ok(found.filter(|published| published.0.is_some())))
}

/// Where the names above a domain begin that have less than [`MOST_LABELS`] labels, the shortest
/// first, and how many they are.
fn begins(domain: &[u8]) -> ([usize; MOST_LABELS - 1], usize) {
    let (mut begins, mut count) = ([0; MOST_LABELS - 1], 0);
    let dots = domain.iter().enumerate().rev().filter(|(_, octet)| **octet == b'.');
    for (slot, (dot, _)) in begins.iter_mut().zip(dots) {
        *slot = dot + 1;
        count += 1;
    }
    (begins, count)
}

const LABEL: &[u8] = b"_dmarc";

/// The names that are remembered in place.
const NEAR: usize = 10;

/// Of names with so many labels, or more, the next step has one less than this.
const MOST_LABELS: usize = 8;
