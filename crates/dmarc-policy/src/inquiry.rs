//! DMARC evaluation of one message: sections 4.10 and 5.3 of RFC 9989.

use mail_types::dns::{Inquiry, Known, Name, Session, Unanswered};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::ground::{Ground, policy_below};
use crate::identifier::{Identifier, Method};
use crate::owner::Owner;
use crate::walk::Memo;
use crate::{Author, AuthorFault, Discovery, Policy, Verdict};

/// The verification result of one DKIM signature.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 5.3.3 needs just these")]
pub struct DkimInput {
    /// The result.
    pub result: AuthResult,
    /// The signature's `d=`. RFC 6376 section 3.5 allows names that a mail domain cannot have, such
    /// as one with an underscore.
    pub domain: Name,
    /// The signature's `s=`.
    pub selector: String,
}

/// DMARC evaluation of one message (RFC 9989), run in a [`Session`].
///
/// For each author domain it asks the DNS at most eight questions, eight for each other domain of
/// SPF and of a signature that may belong to the same organization, and one for the existence of
/// the author domain. It skips questions that cannot change the verdict: those about other domains
/// if the author domain itself has passed, or if no method has passed and no answer is missing.
///
/// ```
/// use dmarc_policy::{Author, Discovery, Dmarc, Status};
/// use mail_types::dns::Zone;
///
/// let zone = Zone::parse(r#"
/// _dmarc.example.com  TXT "v=DMARC1; p=none"
/// _dmarc.example.net  TXT "v=DMARC1; p=reject"
/// "#)?;
/// let authors = Author::from_message(b"From: ann@example.com, bob@example.net\r\n\r\n");
/// let dmarc = Dmarc::new(authors).with_discovery(Discovery::TreeWalk);
/// // The strictest policy of the authors that fail counts.
/// let verdict = dmarc.session().run(|question| zone.answer(question));
/// assert_eq!(verdict.status(), Status::Reject);
/// assert!(dmarc.questions() > 8);
/// // Tested for the first author only, the message fails all the same.
/// let verdict = dmarc.with_several_authors(1).session().run(|question| zone.answer(question));
/// assert_eq!(verdict.status(), Status::None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dmarc {
    authors: Vec<Owner>,
    fault: Option<AuthorFault>,
    spf: Option<Identifier>,
    dkim: Vec<Identifier>,
    pub(crate) discovery: Discovery,
    /// The number of author domains that are tested.
    several: usize,
}

impl Dmarc {
    /// The most signatures that are evaluated; further ones count as failed.
    pub const MAX_SIGNATURES: usize = 32;

    /// Evaluates a message by its author.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an author is evaluated once")]
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

    /// Sets the result of SPF; `None` if SPF had no domain to test. A result for the HELO identity does not count
    /// (section 4.4.2).
    #[must_use]
    pub fn with_spf<'s>(self, spf: impl Into<Option<&'s SpfInput>>) -> Self {
        let spf = spf.into().filter(|spf| spf.identity == SpfIdentity::MailFrom);
        let spf = spf.map(|spf| Identifier::new(Method::Spf, spf.result, &spf.domain));
        Self { spf, ..self }
    }

    /// Sets the results of the signatures; the first [`Self::MAX_SIGNATURES`] count.
    #[must_use]
    pub fn with_dkim(self, dkim: &[DkimInput]) -> Self {
        let dkim = dkim.iter().take(Self::MAX_SIGNATURES);
        let of = |dkim: &DkimInput| Identifier::new(Method::Dkim, dkim.result, &dkim.domain);
        Self { dkim: dkim.map(of).collect(), ..self }
    }

    /// The identifiers, that of SPF first.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &Identifier> {
        self.spf.iter().chain(&self.dkim)
    }

    /// Sets the discovery of organizational domains; the default is the tree walk.
    #[must_use]
    pub fn with_discovery(self, discovery: Discovery) -> Self {
        Self { discovery, ..self }
    }

    /// Limits the tests of a message with several author domains to the first `domains`; by default
    /// all are tested. The strictest policy of those that fail counts (RFC 9989 section 11.5). With
    /// more author domains than the limit the test is incomplete, a permanent error unless one of
    /// the tested domains fails; with a limit of 0 such a message is not tested at all (section
    /// 5.3.1).
    #[must_use]
    pub fn with_several_authors(self, domains: usize) -> Self {
        Self { several: domains, ..self }
    }

    /// Starts a session with the [limit of questions](Self::questions) of this message.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        // A silent name below another leaves half of the time for the names above it.
        Session::new(self, Vec::new(), self.questions()).with_share(2)
    }

    /// Returns a question limit that is sufficient for this message, so that one of several authors
    /// cannot use up the questions of another.
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
        let verdict = self.apply(author, &mut ground, memo, known);
        if ground.is_broken {
            // The disposition if the unanswered names have no record.
            let pending = verdict.map(|verdict| verdict.disposition.max(verdict.pending))?;
            return Ok(Verdict { pending, ..Verdict::temporary(&author.name) });
        }
        verdict
    }

    /// Applies the record that was found.
    fn apply<'d>(
        &'d self,
        author: &'d Owner,
        ground: &mut Ground<'d>,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Verdict, Unanswered> {
        let untested = |ground: &Ground<'_>| {
            let org_domain = author.suffix(ground.org);
            Verdict { org_domain, ..Verdict::untested(&author.name) }
        };
        let Some((at, found)) = ground.policy else { return Ok(untested(ground)) };
        let record = memo.published(found).and_then(|published| published.0.as_ref());
        let Some(record) = record else { return Ok(untested(ground)) };
        let Some(own) = record.policy() else {
            let at = author.suffix(at).unwrap_or_else(|| author.name.clone());
            known.note(|| format!("{at}: no valid policy and no rua: DMARC does not apply"));
            return Ok(untested(ground));
        };
        let policy =
            if at == 0 { Ok(own) } else { policy_below(&author.name, record, own, known)? };
        let (modes, testing) = ((record.aspf, record.adkim), record.t);
        let alignments = self.align(author, modes, ground, memo, known)?;
        let (result, disposition, pending) = alignments.conclude(policy, testing);
        let org_domain = author.suffix(ground.org);
        let policy_domain = match &org_domain {
            Some(org) if at == ground.org => Some(org.clone()),
            _ => author.suffix(at),
        };
        // At once: each field that is set later is moved again.
        let verdict = Verdict {
            author: Some(author.name.clone()),
            result,
            fault: None,
            org_domain,
            policy_domain,
            policy: policy.ok(),
            disposition,
            pending,
            spf: alignments.spf,
            dkim: alignments.dkim,
            published: memo.published(found).cloned(),
        };
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
            // All authors ask concurrently: none delays another past the deadline.
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

/// Enough questions for any message with one author.
const QUESTIONS: usize = 64;
/// A tree walk, and the existence of the domain.
const MOST_OF_AUTHOR: usize = 9;
