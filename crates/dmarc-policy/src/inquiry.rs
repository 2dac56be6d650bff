//! DMARC for one message: sections 4.10 and 5.3 of RFC 9989.

use mail_types::dns::{Inquiry, Known, Name, Session, Unanswered};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::ground::{Ground, policy_below};
use crate::identifier::{Identifier, Method};
use crate::owner::Owner;
use crate::walk::Memo;
use crate::{Author, AuthorFault, Discovery, Policy, Verdict};

/// What the verification of one DKIM signature has found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 5.3.3 wants just these")]
pub struct DkimInput {
    /// The result.
    pub result: AuthResult,
    /// The signature's `d=`. RFC 6376 section 3.5 allows more than a mail domain has, such as an
    /// underscore.
    pub domain: Name,
    /// The signature's `s=`.
    pub selector: String,
}

/// DMARC evaluation of one message (RFC 9989), run in a [`Session`].
///
/// For each author domain at most eight questions go to the DNS, eight for each other domain of SPF and
/// of a signature that may be of the same organization, and one for whether the author domain exists.
/// What cannot change the verdict any more is not asked: nothing about other domains if the author
/// domain itself has passed, or if none has and no answer is missing.
#[derive(Clone, Debug)]
pub struct Dmarc {
    authors: Vec<Owner>,
    fault: Option<AuthorFault>,
    spf: Option<Identifier>,
    dkim: Vec<Identifier>,
    pub(crate) discovery: Discovery,
    /// How many of several authors are tested.
    several: usize,
}

impl Dmarc {
    /// The most signatures that are looked at; more are as if they had failed.
    pub const MAX_SIGNATURES: usize = 32;

    /// Asks for the message of an author.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an author is asked about once")]
    pub fn new(author: Author) -> Self {
        let domains = author.domains();
        let authors = domains.iter().map(Owner::new);
        let authors: Vec<_> = authors.filter(Owner::is_of_address).collect();
        let odd = authors.len() < domains.len();
        let fault = author.fault().or(odd.then_some(AuthorFault::Unreadable { at: 0 }));
        let discovery = Discovery::default();
        let several = Author::MAX_DOMAINS;
        Self { authors, fault, spf: None, dkim: Vec::new(), discovery, several }
    }

    /// Gives the result of SPF. A result for the HELO identity does not count (section 4.4.2).
    #[must_use]
    pub fn with_spf(self, spf: &SpfInput) -> Self {
        let counts = spf.identity == SpfIdentity::MailFrom;
        let spf = counts.then(|| Identifier::new(Method::Spf, spf.result, &spf.domain));
        Self { spf, ..self }
    }

    /// Gives the results of the signatures, of which the first [`Self::MAX_SIGNATURES`] count.
    #[must_use]
    pub fn with_dkim(self, dkim: &[DkimInput]) -> Self {
        let dkim = dkim.iter().take(Self::MAX_SIGNATURES);
        let of = |dkim: &DkimInput| Identifier::new(Method::Dkim, dkim.result, &dkim.domain);
        Self { dkim: dkim.map(of).collect(), ..self }
    }

    /// The identifiers, SPF's first.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &Identifier> {
        self.spf.iter().chain(&self.dkim)
    }

    /// Says how organizational domains are found; without it, by the walk up the tree.
    #[must_use]
    pub fn with_discovery(self, discovery: Discovery) -> Self {
        Self { discovery, ..self }
    }

    /// Has a message of several author domains tested for the first `domains` of them only; without it,
    /// for all of them. The strictest policy of those that fail counts (RFC 9989 section 11.5). If there
    /// are more, the test is incomplete, which is a permanent error unless one of the first fails; with
    /// 0, such a message is not tested at all (section 5.3.1).
    #[must_use]
    pub fn with_several_authors(self, domains: usize) -> Self {
        Self { several: domains, ..self }
    }

    /// Begins a session with the [limit of questions](Self::questions) of this message.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        Session::new(self, Vec::new(), self.questions())
    }

    /// Returns how many questions are enough for this message: a limit for its session, so that none
    /// of several authors can use up what another one needs.
    #[must_use]
    pub fn questions(&self) -> usize {
        let more = self.authors.len().min(self.several).saturating_sub(1);
        QUESTIONS + more * MOST_OF_AUTHOR
    }

    fn evaluate_author<'d>(
        &'d self,
        author: &'d Owner,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Verdict, Unanswered> {
        memo.is_closed = false;
        let mut ground = Ground::find(author, &self.discovery, memo, known)?;
        let verdict = self.apply(author, &mut ground, memo, known)?;
        if ground.is_broken {
            // What is due if the names without an answer have no record.
            let pending = verdict.disposition.max(verdict.pending);
            return Ok(Verdict { pending, ..Verdict::temporary(&author.name) });
        }
        Ok(verdict)
    }

    /// Applies the record that was found.
    fn apply<'d>(
        &'d self,
        author: &'d Owner,
        ground: &mut Ground<'d>,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Verdict, Unanswered> {
        let mut verdict = Verdict::untested(&author.name);
        let Some((at, published)) = ground.policy.take() else {
            verdict.org_domain = author.suffix(ground.org);
            return Ok(verdict);
        };
        let Some(record) = published.0.as_ref() else { return Ok(verdict) };
        let Some(own) = record.policy() else {
            verdict.org_domain = author.suffix(ground.org);
            let at = author.suffix(at).unwrap_or_else(|| author.name.clone());
            known.note(|| format!("{at}: no valid policy, and nobody to report to: no DMARC"));
            return Ok(verdict);
        };
        let policy = if at == 0 { Ok(own) } else { policy_below(author, record, own, known)? };
        let (modes, testing) = ((record.aspf, record.adkim), record.t);
        self.align(author, modes, ground, &mut verdict, memo, known)?;
        verdict.org_domain = author.suffix(ground.org);
        verdict.policy_domain = match &verdict.org_domain {
            Some(org) if at == ground.org => Some(org.clone()),
            _ => author.suffix(at),
        };
        verdict.published = Some(published);
        verdict.conclude(policy, testing);
        known.note(|| verdict.to_string());
        Ok(verdict)
    }

    fn verdict(&self, known: &mut Known<'_>) -> Result<Verdict, Unanswered> {
        let mut memo = Memo::default();
        if let ([author], None) = (&*self.authors, self.fault) {
            return self.evaluate_author(author, &mut memo, known);
        }
        let wanted = if self.authors.len() > 1 { self.several } else { 1 };
        let (mut worst, mut open): (Option<Verdict>, _) = (None, None);
        let mut pending = Policy::None;
        for author in self.authors.iter().take(wanted) {
            // All ask at once: none of them can make the others wait until it is too late.
            match self.evaluate_author(author, &mut memo, known) {
                Ok(verdict) => {
                    pending = pending.max(verdict.pending);
                    if worst.as_ref().is_none_or(|worst| verdict.is_worse_than(worst)) {
                        worst = Some(verdict);
                    }
                }
                Err(unanswered) => open = Some(unanswered),
            }
        }
        if let Some(unanswered) = open {
            return Err(unanswered);
        }
        let untested = || Verdict::without_author(AuthResult::None);
        let mut verdict = worst.unwrap_or_else(untested);
        verdict.pending = pending;
        let many = wanted > 0 && self.authors.len() > wanted;
        verdict.fault = self.fault.or(many.then_some(AuthorFault::TooMany));
        if verdict.fault.is_some() && verdict.result != AuthResult::Fail {
            verdict.result = AuthResult::PermError;
        }
        Ok(verdict)
    }
}

impl Inquiry for &Dmarc {
    type Verdict = Verdict;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Verdict, Unanswered> {
        self.verdict(known)
    }
}

/// Enough questions for any message of one author.
const QUESTIONS: usize = 64;
/// A walk, and whether the domain exists.
const MOST_OF_AUTHOR: usize = 9;
