//! The answers that are still valid.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use mail_types::dns::{Answer, Question, Records};

/// Limits of the answers that a resolver keeps.
///
/// ```
/// use std::time::Duration;
///
/// use dane_tlsa::CacheLimits;
///
/// let limits = CacheLimits::default()
///     .with_entries(1000)
///     .with_octets(1 << 20)
///     .with_ttl(Duration::from_secs(300));
/// assert_eq!((limits.entries, limits.octets), (1000, 1 << 20));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// The most answers (10,000); 0 turns the cache off.
    pub entries: usize,
    /// The most octets of the answers (8 MiB).
    pub octets: usize,
    /// How long an answer is kept at most (1 hour).
    pub ttl: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 10_000, octets: 8 << 20, ttl: Duration::from_secs(3600) }
    }
}

impl CacheLimits {
    /// Sets [`Self::entries`].
    #[must_use]
    pub fn with_entries(self, entries: usize) -> Self {
        Self { entries, ..self }
    }

    /// Sets [`Self::octets`].
    #[must_use]
    pub fn with_octets(self, octets: usize) -> Self {
        Self { octets, ..self }
    }

    /// Sets [`Self::ttl`].
    #[must_use]
    pub fn with_ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }
}

/// Answers by question, until their time to live is over; those that end first make room.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnswerCache {
    limits: CacheLimits,
    held: HashMap<Question, Held>,
    /// The questions by the end of their answers; the number tells those of one instant apart.
    ends: BTreeMap<(Instant, u64), Question>,
    octets: usize,
    count: u64,
}

#[derive(Clone, Debug)]
struct Held {
    answer: Answer,
    end: (Instant, u64),
    octets: usize,
}

impl AnswerCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The answer with the time to live that is left.
    pub(crate) fn find(&mut self, question: &Question, now: Instant) -> Option<Answer> {
        let held = self.held.get(question)?;
        let left = held.end.0.saturating_duration_since(now).as_secs();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        if left == 0 {
            self.remove(&question.clone());
            return None;
        }
        let mut answer = held.answer.clone();
        if let Answer::Records { ttl, .. } | Answer::Absent { ttl, .. } = &mut answer {
            *ttl = left;
        }
        Some(answer)
    }

    /// Keeps an answer; a failure, and an answer for this moment only, are not kept.
    pub(crate) fn keep(&mut self, question: &Question, answer: &Answer, now: Instant) {
        let ttl = match answer {
            Answer::Records { ttl, .. } | Answer::Absent { ttl, .. } => *ttl,
            Answer::Failed(_) => 0,
        };
        let time = Duration::from_secs(ttl.into()).min(self.limits.ttl);
        let octets = octets(question, answer);
        let Some(until) = now.checked_add(time).filter(|_| !time.is_zero()) else { return };
        if octets > self.limits.octets || self.limits.entries == 0 {
            return;
        }
        self.remove(question);
        self.count += 1;
        let end = (until, self.count);
        self.octets += octets;
        self.ends.insert(end, question.clone());
        self.held.insert(question.clone(), Held { answer: answer.clone(), end, octets });
        while self.held.len() > self.limits.entries || self.octets > self.limits.octets {
            let Some(first) = self.ends.values().next().cloned() else { return };
            self.remove(&first);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { count: self.count, ..Self::new(self.limits.clone()) };
    }

    pub(crate) fn size(&self) -> (usize, usize) {
        (self.held.len(), self.octets)
    }

    fn remove(&mut self, question: &Question) {
        if let Some(held) = self.held.remove(question) {
            self.octets -= held.octets;
            self.ends.remove(&held.end);
        }
    }
}

/// The octets of an answer, with its question and its places in both tables.
fn octets(question: &Question, answer: &Answer) -> usize {
    let fixed = 2 * size_of::<Question>() + size_of::<Held>();
    let data = match answer {
        Answer::Records { records, canonical, .. } => canonical.octets() + of_records(records),
        _ => 0,
    };
    fixed + 2 * question.name.octets() + data
}

fn of_records(records: &Records) -> usize {
    match records {
        Records::A(addresses) => size_of_val(&addresses[..]),
        Records::Aaaa(addresses) => size_of_val(&addresses[..]),
        Records::Cname(name) => name.octets(),
        Records::Mx(hosts) => {
            size_of_val(&hosts[..]) + hosts.iter().map(|mx| mx.exchange.octets()).sum::<usize>()
        }
        Records::Ptr(names) => {
            size_of_val(&names[..]) + names.iter().map(mail_types::dns::Name::octets).sum::<usize>()
        }
        Records::Tlsa(all) => size_of_val(&all[..]) + all.iter().map(|it| it.len()).sum::<usize>(),
        Records::Txt(texts) => texts.iter().map(|text| size_of::<Box<[u8]>>() + text.len()).sum(),
        // No type that this crate asks for.
        _ => usize::MAX >> 1,
    }
}
