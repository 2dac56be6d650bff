//! The authenticated identifiers of a message: section 4.10.2 of RFC 9989.

use mail_types::dns::{Known, Name, Unanswered};
use mail_types::results::AuthResult;

use crate::ground::Ground;
use crate::owner::Owner;
use crate::verdict::Alignments;
use crate::walk::Memo;
use crate::{Alignment, AlignmentMode, Discovery, Dmarc, SuffixList};

/// A domain that SPF or a signature authenticates.
#[derive(Clone, Debug)]
pub(crate) struct Identifier {
    method: Method,
    result: AuthResult,
    domain: Owner,
}

impl Identifier {
    pub(crate) fn new(method: Method, result: AuthResult, domain: &Name) -> Self {
        Self { method, result, domain: Owner::new(domain) }
    }
}

impl Dmarc {
    /// Compares the identifiers with the author domain. After the first aligned identifier of a
    /// method its others are skipped. After the first of either method, the other method asks only
    /// for identifiers with the same last two labels, and a missing answer changes nothing: the
    /// verdict is a pass.
    pub(crate) fn align<'d>(
        &'d self,
        author: &'d Owner,
        modes: Modes,
        ground: &mut Ground<'d>,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Alignments, Unanswered> {
        let mut all = Alignments::default();
        let of = |wanted| {
            let found = self.identifiers().filter(move |found| found.result == wanted);
            found.map(|Identifier { method, domain, .. }| (*method, domain))
        };
        for Identifier { method, result, domain } in self.identifiers() {
            let alignment = all.of_mut(*method);
            if *result == AuthResult::Pass && domain.text == author.text {
                *alignment = Alignment::Same;
                known.note(|| format!("{} {domain}: {}", method.as_str(), Alignment::Same));
            } else if *alignment == Alignment::Absent && *result != AuthResult::None {
                *alignment = Alignment::NotPassed(*result);
            }
        }
        for (method, domain) in of(AuthResult::Pass) {
            if all.of_mut(method).is_aligned() {
                continue;
            }
            // The message passes: only the reported alignment of the other method is open, and it
            // is worth questions only for a similar domain.
            memo.is_closed = all.is_aligned() && !is_kin(&domain.text, &author.text);
            let found = self.compare(author, domain, method.mode(modes), ground, memo, known)?;
            known.note(|| format!("{} {domain}: {found}", method.as_str()));
            let slot = all.of_mut(method);
            *slot = slot.closer(found);
        }
        // A method with a temporary error might have given the aligned pass.
        for (method, domain) in of(AuthResult::TempError) {
            if all.is_aligned() || all.is_open() {
                break;
            }
            let found = self.compare(author, domain, method.mode(modes), ground, memo, known)?;
            // The sender chooses a domain that cannot be tested: if its organization is unknown, it
            // must at least be similar to the author's.
            let text = &*domain.text;
            let near = || is_within(text, &author.text) || is_within(&author.text, text);
            let untold = ground.walk.as_ref().is_some_and(|walk| walk.is_broken);
            if found.is_aligned() || found == Alignment::Unknown && (!untold || near()) {
                known.note(|| {
                    format!("{} {domain}: would align, but was not tested", method.as_str())
                });
                *all.of_mut(method) = Alignment::Unknown;
            }
        }
        Ok(all)
    }

    fn compare<'d>(
        &'d self,
        author: &'d Owner,
        domain: &'d Owner,
        mode: AlignmentMode,
        ground: &mut Ground<'d>,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Alignment, Unanswered> {
        let text = &*domain.text;
        if text == &*author.text {
            return Ok(Alignment::Same);
        }
        // Both have the same name above them, or none.
        if mode == AlignmentMode::Strict || last_label(text) != last_label(&author.text) {
            return Ok(Alignment::Different);
        }
        let list = match &self.discovery {
            Discovery::Psl(list) => return Ok(by_list(author, domain, &**list)),
            discovery => discovery.list(),
        };
        let gaps = ground.is_broken;
        let authors = ground.walk(author, memo, known)?;
        if authors.is_broken && !gaps {
            return Ok(Alignment::Unknown);
        }
        // Its organizational domain is the domain itself, or a name above it.
        if list.is_none() && !is_within(text, authors.org_domain()) {
            return Ok(Alignment::Different);
        }
        if list.is_none() && authors.is_shared {
            return Ok(match memo.reaches(known, text, authors.org_domain())? {
                Ok(true) => Alignment::SameOrganization,
                Ok(false) => Alignment::Different,
                Err(_) => Alignment::Unknown,
            });
        }
        let walk = memo.walk(known, text)?;
        Ok(match list {
            _ if walk.is_broken => Alignment::Unknown,
            _ if authors.org_domain() == walk.org_domain() => Alignment::SameOrganization,
            Some(list) if !authors.is_marked() && !walk.is_marked() => {
                by_list(author, domain, list)
            }
            _ => Alignment::Different,
        })
    }
}

fn by_list(author: &Owner, domain: &Owner, list: &dyn SuffixList) -> Alignment {
    let org = |owner: &'_ Owner| {
        let length = list.org_domain(&owner.stand_in()?).len();
        owner.text.get(owner.text.len().checked_sub(length)?..).map(<[u8]>::to_vec)
    };
    let same = org(author).is_some_and(|ours| org(domain).is_some_and(|theirs| ours == theirs));
    if same { Alignment::SameOrganization } else { Alignment::Different }
}

fn is_within(domain: &[u8], other: &[u8]) -> bool {
    let above = domain.strip_suffix(other);
    above.is_some_and(|above| above.is_empty() || above.ends_with(b"."))
}

/// Tells whether the last two labels are the same.
fn is_kin(domain: &[u8], other: &[u8]) -> bool {
    let mut pairs = domain.rsplit(|c| *c == b'.').zip(other.rsplit(|c| *c == b'.')).take(2);
    pairs.clone().count() == 2 && pairs.all(|(one, other)| one == other)
}

fn last_label(domain: &[u8]) -> &[u8] {
    domain.rsplit(|&octet| octet == b'.').next().unwrap_or_default()
}

/// The alignment modes for the domain of SPF and for that of a signature.
pub(crate) type Modes = (AlignmentMode, AlignmentMode);

/// A method that authenticates a domain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method {
    Spf,
    Dkim,
}

impl Method {
    fn mode(self, (aspf, adkim): Modes) -> AlignmentMode {
        match self {
            Self::Spf => aspf,
            Self::Dkim => adkim,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
        }
    }
}
