//! Evaluates records: RFC 7208 sections 4.6 to 6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use mail_types::dns::{Answer, Known, Name, RecordType, Records, Unanswered};

use crate::expansion::Values;
use crate::network::{holds_v4, holds_v6};
use crate::outcome::{Cause, Matched, Problem, SpfOutcome};
use crate::published::{Published, Source};
use crate::{
    Check, Directive, DomainSpec, Explanation, Limits, Mechanism, Record, SpfResult, Term,
};

/// One evaluation, with its use of the limits.
pub(crate) struct Evaluation<'e> {
    pub(crate) check: &'e Check<'e>,
    lookups: u16,
    void_lookups: u16,
    terms: u32,
    /// Whether it evaluates a guess, whose lookups the domain has not asked for.
    guesses: bool,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(check: &'e Check<'e>) -> Self {
        Self { check, lookups: 0, void_lookups: 0, terms: 0, guesses: false }
    }

    pub(crate) fn run(
        mut self,
        known: &mut Known<'_>,
        domain: Name,
    ) -> Result<SpfOutcome, Unanswered> {
        let mut decision = self.check_host(known, &domain);
        let guess = self.check.options().guess.as_deref();
        let guess = guess.filter(|_| matches!(decision, Ok(None)));
        if let Some(guess) = guess {
            known.note(|| format!("guess: {guess}"));
            self.guesses = true;
            let source = Source::Own(Arc::new(Published::One(guess.clone())));
            decision = self.evaluate(known, &domain, source).map(Some);
        }
        let mut explanation = Explanation::Absent;
        let (result, cause) = match decision {
            Ok(Some(decision)) => {
                if decision.result == SpfResult::Fail && guess.is_none() {
                    explanation = self.explain(known, &decision)?;
                }
                (decision.result, decision.into_cause())
            }
            Ok(None) => (SpfResult::None, Cause::NoRecord { domain: domain.clone() }),
            Err(EvaluationStop::Unanswered(unanswered)) => return Err(unanswered),
            Err(EvaluationStop::Failed(failed)) => {
                let (domain, problem) = *failed;
                (problem.result(), Cause::Failed { domain, problem })
            }
        };
        known.note(|| format!("result: {result}"));
        let counts = (self.lookups, self.void_lookups, self.terms);
        let about = (self.check.identity(), Some(domain));
        let outcome = SpfOutcome::new(about, result, cause, explanation, counts);
        Ok(if guess.is_some() { outcome.guessed() } else { outcome })
    }

    /// Returns `None` if the domain publishes no record.
    fn check_host<'d>(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d Name,
    ) -> Result<Option<Decision<'d>>, EvaluationStop> {
        match published(known, domain)? {
            Some(source) => self.evaluate(known, domain, source).map(Some),
            None => Ok(None),
        }
    }

    fn evaluate<'d>(
        &mut self,
        known: &mut Known<'_>,
        domain: &'d Name,
        mut source: Source,
    ) -> Result<Decision<'d>, EvaluationStop> {
        let (first, mut redirected) = (domain, None::<Box<Name>>);
        loop {
            let domain = redirected.as_deref().unwrap_or(first);
            let Some(record) = source.record() else {
                return Err(fail(domain, Problem::NoRecord)); // Only selected records come here.
            };
            if let Some((index, result)) = self.first_match(known, domain, record)? {
                return Ok(Decision { result, first, redirected, source, index: Some(index) });
            }
            let Some(redirect) = record.redirect() else {
                let result = SpfResult::Neutral; // RFC 7208 section 4.7.
                return Ok(Decision { result, first, redirected, source, index: None });
            };
            known.note(|| format!("redirect={redirect}"));
            self.count(domain)?;
            let mut room = None;
            let target = self.target(known, domain, Some(redirect), &mut room)?;
            let target = target.ok_or_else(|| fail(domain, Problem::NoName))?;
            let next = published(known, target)?.ok_or_else(|| fail(target, Problem::NoRecord))?;
            let target = Box::new(target.clone());
            (redirected, source) = (Some(target), next);
        }
    }

    fn first_match(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        record: &Record,
    ) -> Result<Option<(usize, SpfResult)>, EvaluationStop> {
        let (v4, v6) = match self.check.client() {
            IpAddr::V4(client) => (Some(client), None),
            IpAddr::V6(client) => (None, Some(client)),
        };
        let mut terms = record.terms();
        loop {
            if !known.is_traced() {
                let passed = other_networks(terms, v4, v6);
                self.terms = self.terms.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
                terms = terms.get(passed..).unwrap_or_default();
            }
            let Some((term, rest)) = terms.split_first() else { return Ok(None) };
            terms = rest;
            let Term::Directive(directive) = term else { continue };
            self.terms = self.terms.saturating_add(1);
            let matches = match &directive.mechanism {
                Mechanism::All => true,
                Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => {
                    other_networks(std::slice::from_ref(term), v4, v6) == 0
                }
                mechanism => {
                    known.note(|| format!("{directive}"));
                    self.count(domain)?;
                    known.within(|known| self.matches(known, domain, mechanism))?
                }
            };
            known.note(|| format!("{directive}: {}", if matches { "match" } else { "no match" }));
            if matches {
                let index = record.terms().len() - rest.len() - 1;
                return Ok(Some((index, directive.qualifier.into())));
            }
        }
    }

    fn matches(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        mechanism: &Mechanism,
    ) -> Result<bool, EvaluationStop> {
        let spec = match mechanism {
            Mechanism::Include(spec) | Mechanism::Exists(spec) => Some(spec),
            Mechanism::A { domain, .. } | Mechanism::Mx { domain, .. } | Mechanism::Ptr(domain) => {
                domain.as_ref()
            }
            Mechanism::All | Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => None,
        };
        // RFC 7208 section 4.8: an invalid name does not match, and is not looked up.
        let mut room = None;
        let Some(target) = self.target(known, domain, spec, &mut room)? else {
            known.note(|| "the target is not a valid name".to_owned());
            let cannot = |macros| self.check.cannot_match(macros);
            return match mechanism {
                Mechanism::Include(spec) if !spec.macros().is_some_and(cannot) => {
                    Err(fail(domain, Problem::NoName))
                }
                _ => Ok(false),
            };
        };
        match mechanism {
            Mechanism::Include(_) => self.include(known, target),
            Mechanism::A { prefixes, .. } => {
                let answer = self.ask(known, target, self.family(), true)?;
                Ok(self.holds(&answer, prefixes.v4, prefixes.v6))
            }
            Mechanism::Mx { prefixes, .. } => self.mx(known, target, prefixes.v4, prefixes.v6),
            Mechanism::Exists(_) => {
                // RFC 7208 section 5.7: IPv4 addresses for every client.
                let answer = self.ask(known, target, RecordType::A, true)?;
                Ok(matches!(*answer, Answer::Records { .. }))
            }
            Mechanism::Ptr(_) => {
                let names = self.client_names(known, target)?;
                Ok(names.iter().any(|name| name.is_within(target)))
            }
            Mechanism::All | Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => Ok(false),
        }
    }

    /// RFC 7208 section 5.2: a match in an included record ends that record, not this one.
    fn include(&mut self, known: &mut Known<'_>, target: &Name) -> Result<bool, EvaluationStop> {
        match self.check_host(known, target)? {
            Some(decision) => {
                known.note(|| format!("{target}: {}", decision.result));
                Ok(decision.result == SpfResult::Pass)
            }
            None => Err(fail(target, Problem::NoRecord)),
        }
    }

    fn mx(
        &mut self,
        known: &mut Known<'_>,
        target: &Name,
        v4: u8,
        v6: u8,
    ) -> Result<bool, EvaluationStop> {
        let answer = self.ask(known, target, RecordType::Mx, true)?;
        let Answer::Records { records: Records::Mx(hosts), .. } = &*answer else {
            return Ok(false);
        };
        if hosts.len() > self.limits().mx_hosts {
            return Err(fail(target, Problem::TooManyMxHosts));
        }
        // RFC 7505: the root is not a host.
        let mut hosts = hosts.iter().map(|mx| &mx.exchange).filter(|host| !host.is_root());
        while let Some(host) = hosts.next() {
            match self.ask(known, host, self.family(), self.counts_hosts()) {
                Ok(answer) if self.holds(&answer, v4, v6) => return Ok(true),
                Ok(_) => {}
                Err(EvaluationStop::Unanswered(unanswered)) => {
                    // The questions for the other hosts can go out with it.
                    for other in hosts {
                        let _ = known.ask(other, self.family());
                    }
                    return Err(unanswered.into());
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(false)
    }

    /// The domain of a term, written into `room` if it must be built; `None` if it is not a valid
    /// name.
    pub(crate) fn target<'n>(
        &mut self,
        known: &mut Known<'_>,
        domain: &'n Name,
        spec: Option<&'n DomainSpec>,
        room: &'n mut Option<Name>,
    ) -> Result<Option<&'n Name>, EvaluationStop> {
        let Some(spec) = spec else { return Ok(Some(domain)) };
        if let Some(name) = spec.name() {
            return Ok(Some(name));
        }
        let Some(macros) = spec.macros() else { return Ok(None) };
        let client_name = if macros.has_p() {
            self.count(domain)?;
            self.client_name(known, domain)?
        } else {
            None
        };
        let (check, client_name) = (self.check, client_name.as_ref());
        *room = Values { check, domain, client_name }.name(macros);
        Ok(room.as_ref())
    }

    /// Asks the question of a term; a failure ends the evaluation.
    fn ask(
        &mut self,
        known: &mut Known<'_>,
        name: &Name,
        kind: RecordType,
        counts: bool,
    ) -> Result<Arc<Answer>, EvaluationStop> {
        let answer = known.ask(name, kind)?;
        match &*answer {
            Answer::Failed(failure) => {
                return Err(fail(name, Problem::Dns { kind, failure: *failure }));
            }
            Answer::Absent { .. } if counts => self.count_void(name)?,
            _ => {}
        }
        Ok(answer)
    }

    pub(crate) fn holds(&self, answer: &Answer, v4: u8, v6: u8) -> bool {
        let Answer::Records { records, .. } = answer else { return false };
        match (records, self.check.client()) {
            (Records::A(found), IpAddr::V4(client)) => {
                found.iter().any(|address| holds_v4(*address, v4, client))
            }
            (Records::Aaaa(found), IpAddr::V6(client)) => {
                found.iter().any(|address| holds_v6(*address, v6, client))
            }
            _ => false,
        }
    }

    pub(crate) fn family(&self) -> RecordType {
        if self.check.client().is_ipv4() { RecordType::A } else { RecordType::Aaaa }
    }

    fn count(&mut self, domain: &Name) -> Result<(), EvaluationStop> {
        self.lookups += 1;
        let fits = self.lookups <= u16::from(self.limits().lookups);
        if fits { Ok(()) } else { Err(fail(domain, Problem::TooManyLookups)) }
    }

    pub(crate) fn count_void(&mut self, domain: &Name) -> Result<(), EvaluationStop> {
        self.void_lookups = self.void_lookups.saturating_add(1);
        let most = u16::from(self.limits().void_lookups);
        let fits = self.void_lookups <= most || self.guesses;
        if fits { Ok(()) } else { Err(fail(domain, Problem::TooManyVoidLookups)) }
    }

    pub(crate) fn counts_hosts(&self) -> bool {
        !self.check.options().hosts_are_not_void
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.check.limits()
    }
}

/// The result of a record and its redirections.
pub(crate) struct Decision<'d> {
    pub(crate) result: SpfResult,
    first: &'d Name,
    redirected: Option<Box<Name>>,
    pub(crate) source: Source,
    /// The matching directive.
    index: Option<usize>,
}

impl Decision<'_> {
    /// The domain of the deciding record.
    pub(crate) fn domain(&self) -> &Name {
        self.redirected.as_deref().unwrap_or(self.first)
    }

    fn into_cause(self) -> Cause {
        let domain = self.domain().clone();
        match self.index {
            Some(index) => Cause::Matched(Matched::new(domain, self.source, index)),
            None => Cause::Default { domain },
        }
    }
}

/// The reason why an evaluation stops.
pub(crate) enum EvaluationStop {
    Unanswered(Unanswered),
    Failed(Box<(Name, Problem)>),
}

impl From<Unanswered> for EvaluationStop {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

/// The number of leading terms that are networks without the client. A network of the other family
/// never matches, not even with a prefix length of 0.
fn other_networks(terms: &[Term], v4: Option<Ipv4Addr>, v6: Option<Ipv6Addr>) -> usize {
    let other = |term: &Term| {
        let Term::Directive(Directive { mechanism, .. }) = term else { return false };
        match (mechanism, v4, v6) {
            (Mechanism::Ip4 { address, prefix }, Some(client), _) => {
                !holds_v4(*address, *prefix, client)
            }
            (Mechanism::Ip6 { address, prefix }, _, Some(client)) => {
                !holds_v6(*address, *prefix, client)
            }
            (Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. }, ..) => true,
            _ => false,
        }
    };
    terms.iter().position(|term| !other(term)).unwrap_or(terms.len())
}

/// The record of the domain if it is valid; `None` if it publishes none (RFC 7208 sections 4.4 and
/// 4.5).
fn published(known: &mut Known<'_>, domain: &Name) -> Result<Option<Source>, EvaluationStop> {
    let answer = known.ask(domain, RecordType::Txt)?;
    if let Answer::Failed(failure) = &*answer {
        return Err(fail(domain, Problem::Dns { kind: RecordType::Txt, failure: *failure }));
    }
    let Some(source) = Source::new(answer) else { return Ok(None) };
    match source.published() {
        None | Some(Published::None) => Ok(None),
        Some(Published::One(_)) => Ok(Some(source)),
        Some(Published::Wrong(error)) => Err(fail(domain, Problem::Syntax(*error))),
        Some(Published::Several) => Err(fail(domain, Problem::SeveralRecords)),
    }
}

fn fail(domain: &Name, problem: Problem) -> EvaluationStop {
    EvaluationStop::Failed(Box::new((domain.clone(), problem)))
}
