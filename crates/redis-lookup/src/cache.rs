//! A cache of results, for programs that accept old ones.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::{Command, Effect, LookupOutcome};

/// A cache of the results of read-only commands, each with a time to live. There is no cache unless the program makes one.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use mail_types::exim::Query;
/// use redis_lookup::{Cache, Command, LookupOutcome};
///
/// let mut query = Query::default();
/// query.push_literal(b"GET a");
/// let (command, now) = (Command::new(&query)?, Instant::now());
///
/// let mut cache = Cache::new(Duration::from_secs(30));
/// cache.insert(&command, &LookupOutcome::NotFound, now);
/// assert_eq!(cache.get(&command, now + Duration::from_secs(29)), Some(LookupOutcome::NotFound));
/// assert_eq!(cache.get(&command, now + Duration::from_secs(30)), None);
/// # Ok::<(), redis_lookup::CommandError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    time_to_live: Duration,
    entries: usize,
    octets: usize,
    held: usize,
    kept: HashMap<Command, (Instant, LookupOutcome)>,
}

impl Cache {
    /// Makes a cache with this time to live, at most a year.
    #[must_use]
    pub fn new(time_to_live: Duration) -> Self {
        let (entries, octets) = (10_000, 16 << 20);
        let time_to_live = time_to_live.min(YEAR);
        Self { time_to_live, entries, octets, held: 0, kept: HashMap::new() }
    }

    /// Sets the maximum number of results, by default 10 000, and of octets in results and commands, by default 16 MiB.
    /// A full cache takes no more results until one has expired.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use mail_types::exim::Query;
    /// use redis_lookup::{Cache, Command, LookupOutcome};
    ///
    /// let mut query = Query::default();
    /// query.push_literal(b"GET a");
    /// let mut cache = Cache::new(Duration::from_secs(30)).with_room(0, 1000);
    /// let (command, now) = (Command::new(&query)?, Instant::now());
    /// cache.insert(&command, &LookupOutcome::NotFound, now);
    /// assert_eq!(cache.get(&command, now), None, "there is no room");
    /// # Ok::<(), redis_lookup::CommandError>(())
    /// ```
    #[must_use]
    pub fn with_room(self, entries: usize, octets: usize) -> Self {
        Self { entries, octets, ..self }
    }

    /// Returns a result that is younger than the time to live.
    #[must_use]
    pub fn get(&self, command: &Command, now: Instant) -> Option<LookupOutcome> {
        let (until, outcome) = self.kept.get(command)?;
        (now < *until).then(|| outcome.clone())
    }

    /// Keeps the result of a read-only command, found or not found; ignores any other.
    pub fn insert(&mut self, command: &Command, outcome: &LookupOutcome, now: Instant) {
        if command.effect() != Effect::Read || matches!(outcome, LookupOutcome::Deferred(_)) {
            return;
        }
        if let Some((_, old)) = self.kept.remove(command) {
            self.held -= weight(command, &old);
        }
        let weight = weight(command, outcome);
        if !self.has_room(weight) {
            self.kept.retain(|command, (until, outcome)| {
                let stays = now < *until;
                if !stays {
                    self.held -= self::weight(command, outcome);
                }
                stays
            });
        }
        if self.has_room(weight) {
            self.held += weight;
            self.kept.insert(command.clone(), (now + self.time_to_live, outcome.clone()));
        }
    }

    fn has_room(&self, weight: usize) -> bool {
        self.kept.len() < self.entries && self.held.saturating_add(weight) <= self.octets
    }
}

fn weight(command: &Command, outcome: &LookupOutcome) -> usize {
    let found = if let LookupOutcome::Found(text) = outcome { text.len() } else { 0 };
    command.words().iter().map(Vec::len).sum::<usize>() + found
}

/// An instant cannot be added more than it can hold.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
