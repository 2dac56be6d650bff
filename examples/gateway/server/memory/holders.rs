//! The holders of memory, and the choice of those that are evicted: without a clock, and without a lock.
//!
//! A holder is a message being received. When all holders together exceed the limit, those slower than the
//! least rate are evicted, the slowest first, until three quarters of the limit are held; below the limit
//! the rate has no effect. The rate is that of the last minute, so that a quick start gains no time, and
//! counts only after the first minute. A message that is fast enough is never evicted: without room it is
//! refused at its end.

use std::collections::BTreeMap;
use std::time::Duration;

/// All holders; `T` identifies a holder to its connection.
#[derive(Debug)]
pub(crate) struct Holders<T> {
    /// The limit, in octets.
    limit: usize,
    /// The least rate, in octets a second.
    min_rate: u64,
    used: usize,
    /// The part of evicted holders.
    leaving: usize,
    next: u64,
    held: BTreeMap<u64, Holder<T>>,
    evicted: Vec<T>,
    /// The last second in which no holder was too slow.
    in_vain: Option<u64>,
}

/// The decision on the memory of a holder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Room {
    /// Granted.
    Granted,
    /// The memory is exhausted.
    Full,
    /// The holder is evicted.
    Evicted,
}

#[derive(Debug)]
struct Holder<T> {
    name: T,
    octets: usize,
    received: u64,
    since: Duration,
    /// The octets of each of the last seconds; the index of a second is its remainder.
    seconds: [u32; WINDOW],
    /// The last counted second.
    last: u64,
    is_leaving: bool,
}

impl<T: Clone> Holders<T> {
    pub(crate) fn new(limit: usize, min_rate: u64) -> Self {
        Self {
            limit,
            min_rate,
            used: 0,
            leaving: 0,
            next: 0,
            held: BTreeMap::new(),
            evicted: Vec::new(),
            in_vain: None,
        }
    }

    /// Counts memory other than that of incoming messages.
    pub(crate) fn change(&mut self, before: usize, after: usize) {
        self.used = self.used.saturating_sub(before).saturating_add(after);
    }

    /// Adds a holder with `octets` that are counted already; returns its number.
    pub(crate) fn enter(&mut self, octets: usize, name: &T, now: Duration) -> u64 {
        let number = self.next;
        self.next += 1;
        let holder = Holder {
            name: name.clone(),
            octets,
            received: 0,
            since: now,
            seconds: [0; WINDOW],
            last: now.as_secs(),
            is_leaving: false,
        };
        self.held.insert(number, holder);
        number
    }

    /// Removes a holder and its memory.
    pub(crate) fn leave(&mut self, number: u64) {
        let Some(holder) = self.held.remove(&number) else {
            return debug_assert!(false, "holder {number}");
        };
        self.used = self.used.saturating_sub(holder.octets);
        if holder.is_leaving {
            self.leaving = self.leaving.saturating_sub(holder.octets);
        }
    }

    /// Records the memory of a holder, and the octets received of its message; returns the decision. A
    /// small message always has room.
    pub(crate) fn set(&mut self, number: u64, octets: usize, received: u64, now: Duration) -> Room {
        let Some(holder) = self.held.get_mut(&number) else {
            debug_assert!(false, "holder {number}");
            return Room::Full;
        };
        holder.count(received, now);
        let before = std::mem::replace(&mut holder.octets, octets);
        let is_leaving = holder.is_leaving;
        self.change(before, octets);
        if is_leaving {
            self.leaving = self.leaving.saturating_sub(before).saturating_add(octets);
            return Room::Evicted;
        }
        if self.staying() > self.limit {
            self.make_room(0, now);
        }
        let no_room = octets > before.max(SMALL) && self.staying() > self.limit;
        match self.held.get_mut(&number) {
            Some(holder) if holder.is_leaving => Room::Evicted,
            // It drops its message: until then its memory must not count against others.
            Some(holder) if no_room => {
                holder.octets = before;
                self.change(octets, before);
                Room::Full
            }
            _ => Room::Granted,
        }
    }

    /// Tells whether there is memory for a message of this size, if necessary after evictions.
    pub(crate) fn admits(&mut self, size: u64, now: Duration) -> bool {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let fits = |holders: &Self| {
            size <= SMALL || holders.staying().saturating_add(size) <= holders.limit
        };
        if !fits(self) {
            self.make_room(size, now);
        }
        fits(self)
    }

    /// Takes the identifiers of the holders evicted since the last call.
    pub(crate) fn take_evicted(&mut self) -> Vec<T> {
        std::mem::take(&mut self.evicted)
    }

    /// Returns the memory of all, and the limit.
    pub(crate) fn level(&self) -> (usize, usize) {
        (self.used, self.limit)
    }

    /// The memory of the remaining holders.
    fn staying(&self) -> usize {
        self.used.saturating_sub(self.leaving)
    }

    fn make_room(&mut self, wanted: usize, now: Duration) {
        // The rates of all holders change only once a second.
        if self.in_vain == Some(now.as_secs()) {
            return;
        }
        let min_rate = self.min_rate;
        let slow = self.held.iter().filter(|(_, holder)| !holder.is_leaving);
        let slow = slow.filter_map(|(number, holder)| Some((holder.rate(now)?, *number)));
        let mut slow: Vec<_> = slow.filter(|(rate, _)| *rate < min_rate).collect();
        slow.sort_unstable();
        self.in_vain = slow.is_empty().then_some(now.as_secs());
        for (_, number) in slow {
            if self.staying().saturating_add(wanted) <= self.limit - self.limit / 4 {
                break;
            }
            let Some(holder) = self.held.get_mut(&number) else { continue };
            holder.is_leaving = true;
            self.leaving = self.leaving.saturating_add(holder.octets);
            self.evicted.push(holder.name.clone());
        }
    }
}

impl<T> Holder<T> {
    fn count(&mut self, received: u64, now: Duration) {
        let second = now.as_secs();
        let skipped = second.saturating_sub(self.last).min(WINDOW as u64);
        for empty in (second + 1).saturating_sub(skipped)..=second {
            self.seconds.get_mut(place(empty)).into_iter().for_each(|octets| *octets = 0);
        }
        self.last = self.last.max(second);
        let more = received.saturating_sub(std::mem::replace(&mut self.received, received));
        if let Some(octets) = self.seconds.get_mut(place(second)) {
            *octets = octets.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        }
    }

    /// The rate of the last minute, in octets a second; `None` within the first minute. The current second
    /// counts in addition, so that no rate is underestimated.
    fn rate(&self, now: Duration) -> Option<u64> {
        now.checked_sub(self.since).filter(|age| *age >= MINUTE)?;
        let window = WINDOW as u64;
        let silent = now.as_secs().saturating_sub(self.last);
        let counted = (self.last + 1).saturating_sub(window.saturating_sub(silent))..=self.last;
        let octets = counted.filter_map(|second| self.seconds.get(place(second)));
        Some(octets.map(|&octets| u64::from(octets)).sum::<u64>() / MINUTE.as_secs())
    }
}

/// The index of a second.
fn place(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).unwrap_or(0)
}

/// The time of a rate.
const MINUTE: Duration = Duration::from_mins(1);
/// The seconds of a rate, with the current one.
const WINDOW: usize = 61;
/// The size below which a message always has room, in octets.
const SMALL: usize = 65_536;
