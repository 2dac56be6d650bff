//! DMARC for one message: sections 4.10 and 5.3 of RFC 9989.

use std::sync::Arc;

use mail_types::{Answer, AuthResult, Domain, Inquiry, Kind, Known, Name, SpfIdentity, Unanswered};

use crate::walk::{DnsTrouble, Memo, Published, Walk};
use crate::{Alignment, AlignmentMode, Author, Discovery, Policy, Record, Verdict};

/// What SPF has found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 4.4.2 wants just these")]
pub struct SpfInput {
    /// The result.
    pub result: AuthResult,
    /// Whose name was tested. A result for the HELO name counts for nothing here (section 4.4.2),
    /// but where the reverse-path is null that name is tested as the sender's.
    pub identity: SpfIdentity,
    /// The domain that was tested, without the local part.
    pub domain: Domain,
}

/// What the verification of one DKIM signature has found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 5.3.3 wants just these")]
pub struct DkimInput {
    /// The result.
    pub result: AuthResult,
    /// The signature's `d=`.
    pub domain: Domain,
    /// The signature's `s=`.
    pub selector: String,
}

/// The question what DMARC says of a message, to be run in a [`Session`](mail_types::Session).
///
/// At most eight questions go to the DNS for each domain among author, SPF and DKIM, and one for
/// whether the author domain exists.
#[derive(Clone, Debug)]
pub struct Dmarc {
    author: Author,
    spf: Option<SpfInput>,
    dkim: Vec<DkimInput>,
    discovery: Discovery,
    authors: usize,
}

impl Dmarc {
    /// The most signatures that are looked at; more are as if they had failed.
    pub const MAX_SIGNATURES: usize = 32;
    /// Enough questions for whatever a message brings: a limit for its session.
    pub const QUESTIONS: usize = 64;

    /// Asks for the message of an author.
    #[must_use]
    pub fn new(author: Author) -> Self {
        let discovery = Discovery::default();
        Self { author, spf: None, dkim: Vec::new(), discovery, authors: 0 }
    }

    /// Says what SPF has found.
    #[must_use]
    pub fn with_spf(self, spf: SpfInput) -> Self {
        Self { spf: Some(spf), ..self }
    }

    /// Says what was found of the signatures.
    #[must_use]
    pub fn with_dkim(self, dkim: Vec<DkimInput>) -> Self {
        Self { dkim, ..self }
    }

    /// Says how organizational domains are found; without it, by the walk up the tree.
    #[must_use]
    pub fn with_discovery(self, discovery: Discovery) -> Self {
        Self { discovery, ..self }
    }

    /// Has a message of several author domains tested for each of the first `domains` of them, the
    /// strictest of those that fail to count (section 11.5). Without it such a message is not
    /// tested. If there are more, the test is incomplete, which is a permanent error unless one of
    /// the first fails.
    #[must_use]
    pub fn with_several_authors(self, domains: usize) -> Self {
        Self { authors: domains, ..self }
    }

    fn evaluate_author<'d>(
        &'d self,
        author: &'d Domain,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Verdict, Unanswered> {
        let found = match &self.discovery {
            Discovery::Psl(list) => Ground::by_list(author, &**list, memo, known)?,
            Discovery::TreeWalk | Discovery::TreeWalkThenPsl(_) => {
                self.ground_by_walk(author, memo, known)?
            }
        };
        let Ok(ground) = found else { return Ok(Verdict::temporary(author)) };
        let mut verdict = Verdict::untested(author);
        verdict.org_domain = author.suffix(ground.org);
        let Some((at, published)) = ground.policy else { return Ok(verdict) };
        let Some(record) = published.0.as_ref() else { return Ok(verdict) };
        let Some(own) = record.policy() else {
            let at = author.suffix(at).unwrap_or_else(|| author.clone());
            known.note(|| format!("{at}: no valid policy, and nobody to report to: no DMARC"));
            return Ok(verdict);
        };
        verdict.policy_domain = match &verdict.org_domain {
            Some(org) if at == ground.org => Some(org.clone()),
            _ => author.suffix(at),
        };
        let policy = if at == 0 { Ok(own) } else { policy_below(author, record, own, known)? };
        let (modes, testing) = ((record.aspf, record.adkim), record.t);
        verdict.published = Some(published);
        let Ok(policy) = policy else {
            verdict.result = AuthResult::TempError;
            return Ok(verdict);
        };
        verdict.policy = Some(policy);
        self.align(author, modes, ground.walk.as_ref(), &mut verdict, memo, known)?;
        verdict.conclude(testing);
        known.note(|| verdict.to_string());
        Ok(verdict)
    }

    /// Finds the record and the organizational domain by the walk; not beyond the author domain
    /// where that needs none (section 4.10.2).
    fn ground_by_walk<'d>(
        &'d self,
        author: &'d Domain,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Result<Ground<'d>, DnsTrouble>, Unanswered> {
        let own = match memo.look(known, author.as_str())? {
            Err(trouble) => return Ok(Err(trouble)),
            Ok(own) => own,
        };
        if own.is_some() && self.is_all_of(author) {
            return Ok(Ok(Ground { org: 0, policy: own.map(|own| (0, own)), walk: None }));
        }
        memo.keep(author.as_str(), own);
        let walk = memo.walk(known, author)?;
        Ok(walk.map(|walk| Ground { org: walk.org_at(), policy: walk.policy(), walk: Some(walk) }))
    }

    /// Whether there are identifiers that passed, and all of them are the author domain.
    fn is_all_of(&self, author: &Domain) -> bool {
        let mut domains = self.identifiers(AuthResult::Pass).map(|(_, domain)| domain).peekable();
        let some = domains.peek().is_some();
        some && domains.all(|domain| domain == author)
    }

    /// The identifiers with a result, SPF's first.
    fn identifiers(&self, result: AuthResult) -> impl Iterator<Item = (Method, &Domain)> {
        let spf = self.spf.iter().filter(|spf| spf.identity == SpfIdentity::MailFrom);
        let spf = spf.map(|spf| (Method::Spf, spf.result, &spf.domain));
        let dkim = self.dkim.iter().take(Self::MAX_SIGNATURES);
        let dkim = dkim.map(|dkim| (Method::Dkim, dkim.result, &dkim.domain));
        spf.chain(dkim)
            .filter(move |(_, found, _)| *found == result)
            .map(|(method, _, domain)| (method, domain))
    }

    /// Compares the identifiers with the author domain: section 4.10.2.
    fn align<'d>(
        &'d self,
        author: &'d Domain,
        modes: Modes,
        walk: Option<&Walk<'d>>,
        verdict: &mut Verdict,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<(), Unanswered> {
        for (method, domain) in self.identifiers(AuthResult::Pass) {
            let found = self.compare(author, domain, method.mode(modes), walk, memo, known)?;
            known.note(|| format!("{} {domain}: {found}", method.as_str()));
            let slot = verdict.alignment_mut(method);
            *slot = (*slot).max(found);
        }
        if verdict.is_aligned() {
            return Ok(());
        }
        // What could not be told may have been the pass that is missing.
        for (method, domain) in self.identifiers(AuthResult::TempError) {
            let found = self.compare(author, domain, method.mode(modes), walk, memo, known)?;
            let slot = verdict.alignment_mut(method);
            if found.is_aligned() || found == Alignment::Unknown {
                known.note(|| {
                    format!("{} {domain}: would align, but was not tested", method.as_str())
                });
                *slot = Alignment::Unknown;
            }
        }
        Ok(())
    }

    fn compare<'d>(
        &'d self,
        author: &'d Domain,
        domain: &'d Domain,
        mode: AlignmentMode,
        walk: Option<&Walk<'d>>,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Alignment, Unanswered> {
        if author == domain {
            return Ok(Alignment::Same);
        }
        if mode == AlignmentMode::Strict {
            return Ok(Alignment::Different);
        }
        let by_list = |list: &dyn crate::SuffixList| {
            let same = list.org_domain(author) == list.org_domain(domain);
            if same { Alignment::SameOrganization } else { Alignment::Different }
        };
        let (Some(authors), list) = (walk, self.discovery.list()) else {
            return Ok(self.discovery.list().map_or(Alignment::Different, by_list));
        };
        // Its organizational domain is one of the names above it, or itself.
        if list.is_none() && !is_within(domain.as_str(), authors.org_domain()) {
            return Ok(Alignment::Different);
        }
        if list.is_none() && authors.is_shared {
            return Ok(match memo.reaches(known, domain, authors.org_domain())? {
                Ok(true) => Alignment::SameOrganization,
                Ok(false) => Alignment::Different,
                Err(_) => Alignment::Unknown,
            });
        }
        let Ok(walk) = memo.walk(known, domain)? else { return Ok(Alignment::Unknown) };
        Ok(match list {
            _ if authors.org_domain() == walk.org_domain() => Alignment::SameOrganization,
            Some(list) if !authors.is_marked() && !walk.is_marked() => by_list(list),
            _ => Alignment::Different,
        })
    }
}

impl Inquiry for Dmarc {
    type Verdict = Verdict;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Verdict, Unanswered> {
        self.verdict(known)
    }
}

/// For who wants to keep what was put in.
impl Inquiry for &Dmarc {
    type Verdict = Verdict;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Verdict, Unanswered> {
        self.verdict(known)
    }
}

impl Dmarc {
    fn verdict(&self, known: &mut Known<'_>) -> Result<Verdict, Unanswered> {
        let mut memo = Memo::default();
        match &self.author {
            Author::One(domain) => self.evaluate_author(domain, &mut memo, known),
            Author::Several(domains) if self.authors > 0 => {
                let mut worst: Option<Verdict> = None;
                for domain in domains.iter().take(self.authors) {
                    let verdict = self.evaluate_author(domain, &mut memo, known)?;
                    if worst.as_ref().is_none_or(|worst| verdict.is_worse_than(worst)) {
                        worst = Some(verdict);
                    }
                }
                let mut verdict =
                    worst.unwrap_or_else(|| Verdict::without_author(AuthResult::None));
                if domains.len() > self.authors && verdict.result != AuthResult::Fail {
                    verdict.result = AuthResult::PermError;
                    verdict.disposition = Policy::None;
                }
                Ok(verdict)
            }
            Author::Malformed { .. } | Author::Repeated => {
                Ok(Verdict::without_author(AuthResult::PermError))
            }
            Author::Absent | Author::Several(_) => Ok(Verdict::without_author(AuthResult::None)),
        }
    }
}

/// What the alignment stands on.
struct Ground<'d> {
    /// Where in the author domain's text its organizational domain begins.
    org: usize,
    /// The record that applies, and where the domain begins that it is of.
    policy: Option<(usize, Arc<Published>)>,
    /// The author domain's, unless it was not needed.
    walk: Option<Walk<'d>>,
}

impl<'d> Ground<'d> {
    /// As RFC 7489 section 6.6.3 did it: the author domain's record, else its organization's.
    fn by_list(
        author: &'d Domain,
        list: &dyn crate::SuffixList,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Result<Self, DnsTrouble>, Unanswered> {
        let text = author.as_str();
        let org = text.len().saturating_sub(list.org_domain(author).len());
        for at in [0, org] {
            match memo.record(known, text.get(at..).unwrap_or_default())? {
                Err(trouble) => return Ok(Err(trouble)),
                Ok(Some(found)) => {
                    return Ok(Ok(Self { org, policy: Some((at, found)), walk: None }));
                }
                Ok(None) => {}
            }
        }
        Ok(Ok(Self { org, policy: None, walk: None }))
    }
}

/// The policy of a record above the author domain: `np` where that does not exist, in whatever type
/// of record (section 3.2.13).
fn policy_below(
    author: &Domain,
    record: &Record,
    own: Policy,
    known: &mut Known<'_>,
) -> Result<Result<Policy, DnsTrouble>, Unanswered> {
    let [existing, missing] =
        [true, false].map(|exists| record.subdomain_policy(exists).unwrap_or(own));
    if existing == missing {
        return Ok(Ok(existing));
    }
    Ok(match *known.ask(&Name::from(author), Kind::A)? {
        Answer::Failed(_) => Err(DnsTrouble),
        Answer::Absent { exists: false, .. } => Ok(missing),
        Answer::Absent { .. } | Answer::Records { .. } => Ok(existing),
    })
}

fn is_within(domain: &str, other: &str) -> bool {
    let above = domain.strip_suffix(other);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// How alike the domain of SPF must be, and that of a signature.
type Modes = (AlignmentMode, AlignmentMode);

/// What authenticates a domain.
#[derive(Clone, Copy)]
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
