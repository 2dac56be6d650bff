//! The DNS tree walk: section 4.10 of RFC 9989.

use std::sync::Arc;

use mail_types::dns::{Answer, Known, Name, NameError, RecordType, Texts, Unanswered};

use crate::{Psd, Record};

/// The record among the texts of a name, if there is exactly one.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(crate) struct Published(pub(crate) Option<Record>);

impl Published {
    fn of(texts: &Texts) -> Self {
        let mut records = texts.iter().filter_map(|text| Record::parse(text).ok());
        match (records.next(), records.next()) {
            (Some(only), None) => Self(Some(only)),
            // Of several records none counts (section 4.10, steps 2 and 6).
            _ => Self(None),
        }
    }
}

/// A record that a [`Memo`] holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundRecord {
    /// Its place among the names of the memo.
    place: usize,
    psd: Psd,
}

impl FoundRecord {
    /// Tells whether the record declares or denies a public suffix, and so ends a walk.
    fn is_marked(self) -> bool {
        self.psd != Psd::Unknown
    }
}

/// A domain, with the results of its tree walk.
#[derive(Debug)]
pub(crate) struct Walk<'d> {
    /// The domain in lower case.
    domain: &'d [u8],
    /// The domain's own record.
    own: Option<FoundRecord>,
    /// The last name with a record, and the one before.
    last: Option<WalkStep>,
    before: Option<WalkStep>,
    /// Whether every walk that reaches the organizational domain from below continues in the same
    /// way from there.
    pub(crate) is_shared: bool,
    /// Whether the DNS did not answer for a name on the way: it counts as a name without a record.
    pub(crate) is_broken: bool,
}

/// A name with a record.
#[derive(Clone, Copy, Debug)]
struct WalkStep {
    /// The start of the name in the domain's text.
    at: usize,
    found: FoundRecord,
}

/// A query had no answer, temporarily or permanently.
#[derive(Debug)]
pub(crate) struct DnsTrouble;

/// The state of the walks for one message, with the answers of earlier walks.
#[derive(Debug, Default)]
pub(crate) struct Memo<'d> {
    /// Names and their records: enough for most messages, without an allocation.
    near: [Option<Asked<'d>>; NEAR],
    count: usize,
    far: Vec<Asked<'d>>,
    /// Whether no further question is asked: an unknown name counts as unanswered.
    pub(crate) is_closed: bool,
}

/// A name, and the record at `_dmarc.` and the name, if any.
type Asked<'d> = (&'d [u8], Option<Arc<Published>>);

impl<'d> Memo<'d> {
    /// The place and the record of a name that was asked for before.
    fn find(&self, name: &[u8]) -> Option<(usize, Option<&Arc<Published>>)> {
        let asked = self.near.iter().take(self.count).flatten().chain(&self.far);
        let (place, (_, published)) = asked.enumerate().find(|(_, (asked, _))| *asked == name)?;
        Some((place, published.as_ref()))
    }

    fn keep(&mut self, name: &'d [u8], published: Option<Arc<Published>>) -> Option<FoundRecord> {
        let place = self.count + self.far.len();
        let found = found(place, published.as_ref());
        match self.near.get_mut(self.count) {
            Some(slot) => {
                *slot = Some((name, published));
                self.count += 1;
            }
            None => self.far.push((name, published)),
        }
        found
    }

    /// Returns a record that was found.
    pub(crate) fn published(&self, found: FoundRecord) -> Option<&Arc<Published>> {
        let asked = match found.place.checked_sub(NEAR) {
            None => self.near.get(found.place)?.as_ref()?,
            Some(place) => self.far.get(place)?,
        };
        asked.1.as_ref()
    }

    /// Asks for the record of a name, once.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; inside it [`DnsTrouble`] if the DNS has failed.
    pub(crate) fn record(
        &mut self,
        known: &mut Known<'_>,
        name: &'d [u8],
    ) -> Result<Result<Option<FoundRecord>, DnsTrouble>, Unanswered> {
        if let Some((place, published)) = self.find(name) {
            return Ok(Ok(found(place, published)));
        }
        if self.is_closed {
            return Ok(Err(DnsTrouble));
        }
        Ok(ask(known, name)?.map(|published| self.keep(name, published)))
    }

    /// Walks up from a domain, in lower case, as far as the DNS answers.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] while an answer is missing.
    pub(crate) fn walk(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d [u8],
    ) -> Result<Walk<'d>, Unanswered> {
        self.walk_past(known, domain, false)
    }

    /// Walks up from a domain; with `gaps`, it continues past names for which the DNS does not
    /// answer.
    ///
    /// # Errors
    ///
    /// The same as of [`Memo::walk`].
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
        for at in walked_names(domain) {
            let found = match self.record(known, domain.get(at..).unwrap_or_default())? {
                Err(DnsTrouble) if !gaps => {
                    walk.is_broken = true;
                    break;
                }
                Err(DnsTrouble) => {
                    // A silent name takes long, and several would use up the session's time.
                    if !std::mem::replace(&mut walk.is_broken, true) {
                        self.ask_all(known, domain)?;
                    }
                    continue;
                }
                Ok(None) => continue,
                Ok(Some(found)) => found,
            };
            let stop = found.is_marked();
            if at == 0 {
                walk.own = Some(found);
            }
            walk.before = walk.last.replace(WalkStep { at, found });
            if stop {
                break;
            }
        }
        walk.is_shared = walk.is_shared();
        Ok(walk)
    }

    /// Asks for the records of a domain and of all names above it concurrently.
    fn ask_all(&mut self, known: &mut Known<'_>, domain: &'d [u8]) -> Result<(), Unanswered> {
        let mut all = Ok(());
        for at in walked_names(domain) {
            let name = domain.get(at..).unwrap_or_default();
            all = self.record(known, name).map(|_| ()).and(all);
        }
        all
    }
}

impl<'d> Memo<'d> {
    /// Tells whether the walk up from a domain reaches `org`, which is the domain or above it, and
    /// does not end at a record before.
    ///
    /// # Errors
    ///
    /// The same as of [`Memo::record`].
    pub(crate) fn reaches(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d [u8],
        org: &[u8],
    ) -> Result<Result<bool, DnsTrouble>, Unanswered> {
        let end = domain.len().saturating_sub(org.len());
        for at in walked_names(domain).take_while(|at| *at < end) {
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

    /// The start of the organizational domain in the domain's text.
    pub(crate) fn org_at(&self) -> usize {
        let Some(WalkStep { at, found }) = self.last else { return 0 };
        match found.psd {
            // One label below, even if no question was asked for that name.
            Psd::Yes if at > 0 => {
                let above = self.domain.get(..at - 1).unwrap_or_default();
                above.iter().rposition(|&octet| octet == b'.').map_or(0, |dot| dot + 1)
            }
            // The end of the walk, or the shortest name with a record.
            _ => at,
        }
    }

    /// Returns the record that counts for the domain, and where in its text the name of that record
    /// begins: its own, else its organizational domain's, else its public suffix's (section 4.10.1).
    pub(crate) fn policy(&self) -> Option<(usize, FoundRecord)> {
        if let Some(own) = self.own {
            return Some((0, own));
        }
        let (org, last) = (self.org_at(), self.last?);
        let of_org = [Some(last), self.before].into_iter().flatten().find(|step| step.at == org);
        let is_suffix = last.found.psd == Psd::Yes;
        let WalkStep { at, found } = of_org.or(is_suffix.then_some(last))?;
        Some((at, found))
    }

    /// Tells whether a record on the way declares or denies a public suffix.
    pub(crate) fn is_marked(&self) -> bool {
        self.last.is_some_and(|last| last.found.is_marked())
    }

    /// Some walks skip a longer name, and a public suffix is different for itself and for names
    /// below it.
    fn is_shared(&self) -> bool {
        let labels = self.org_domain().split(|&octet| octet == b'.').count();
        let is_suffix =
            self.last.is_some_and(|last| last.at == self.org_at() && last.found.psd == Psd::Yes);
        labels < MOST_LABELS && !is_suffix
    }
}

/// The record at this place, if there is one.
fn found(place: usize, published: Option<&Arc<Published>>) -> Option<FoundRecord> {
    let psd = published?.0.as_ref()?.psd;
    Some(FoundRecord { place, psd })
}

/// Asks for the record of a name.
fn ask(
    known: &mut Known<'_>,
    name: &[u8],
) -> Result<Result<Option<Arc<Published>>, DnsTrouble>, Unanswered> {
    let found = match query_name(name).ok() {
        // A name too long for the DNS has no record.
        None => None,
        Some(name) => match &*known.ask(&name, RecordType::Txt)? {
            Answer::Failed(_) => return Ok(Err(DnsTrouble)),
            answer => answer.texts().map(|texts| texts.derive(Published::of)),
        },
    };
    Ok(Ok(found.filter(|published| published.0.is_some())))
}

/// Returns the name whose record is that of a domain.
pub(crate) fn query_name(domain: &[u8]) -> Result<Name, NameError> {
    Name::from_label_and_dotted(LABEL, domain)
}

/// Returns the starts of the names of the walk up from a domain, in their order: after the whole name, the next
/// one is the longest that is short enough.
pub(crate) fn walked_names(domain: &[u8]) -> impl Iterator<Item = usize> {
    let (begins, count) = begins(domain);
    std::iter::once(0).chain(begins.into_iter().take(count).rev())
}

/// The starts of the names above a domain that have fewer than [`MOST_LABELS`] labels, the shortest
/// first, and their number.
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

/// The number of names that are remembered inline.
const NEAR: usize = 10;

/// From a name with at least this many labels, the next step has one label less than this.
const MOST_LABELS: usize = 8;
