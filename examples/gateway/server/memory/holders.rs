//! Who holds memory, and who has to give it back: without a clock, and without a lock.
//!
//! A message on its way in is held. Once all of them would have more than the limit, those that come
//! more slowly than the least rate are ended, the slowest first, until what is held is three quarters
//! of the limit; below that the rate does not matter. A message is judged from its first minute on, by
//! its last minute, so that a quick beginning buys no time. Who is quick enough is never ended: where
//! there is no room for the message, it is refused at its end.

use std::collections::BTreeMap;
use std::time::Duration;

/// All that is held; `T` names a holder to whoever is to tell it.
#[derive(Debug)]
pub(crate) struct Holders<T> {
    /// In octets.
    limit: usize,
    /// In octets a second.
    min_rate: u64,
    used: usize,
    /// What of that goes with those who have been ended.
    leaving: usize,
    next: u64,
    held: BTreeMap<u64, Holder<T>>,
    evicted: Vec<T>,
    /// The last second in which all were judged and none was too slow.
    in_vain: Option<u64>,
}

/// What becomes of what a holder has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Room {
    /// It may have it.
    Granted,
    /// There is no room for so much.
    Full,
    /// It is to give back what it has.
    Evicted,
}

#[derive(Debug)]
struct Holder<T> {
    name: T,
    octets: usize,
    received: u64,
    since: Duration,
    /// What came in each of the last seconds; the place of a second is its remainder.
    seconds: [u32; WINDOW],
    /// The second that was counted last.
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

    /// Counts what is held beside messages on their way in.
    pub(crate) fn change(&mut self, before: usize, after: usize) {
        self.used = self.used.saturating_sub(before).saturating_add(after);
    }

    /// Takes in who begins to hold a message and has `octets` already, which have been counted;
    /// returns its number.
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

    /// Takes note that a holder holds no message any more, nor what it had.
    pub(crate) fn leave(&mut self, number: u64) {
        let Some(holder) = self.held.remove(&number) else {
            return debug_assert!(false, "holder {number}");
        };
        self.used = self.used.saturating_sub(holder.octets);
        if holder.is_leaving {
            self.leaving = self.leaving.saturating_sub(holder.octets);
        }
    }

    /// Takes note of what a holder has, and of how many octets of its message have come in all; tells
    /// what follows for it. A small message always has room.
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
            // It gives up what it has: meanwhile others do not suffer from it.
            Some(holder) if no_room => {
                holder.octets = before;
                self.change(octets, before);
                Room::Full
            }
            _ => Room::Granted,
        }
    }

    /// Tells whether a message of this size has room now, if need be after slow ones were ended.
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

    /// Takes the names of those who have been ended since the last call.
    pub(crate) fn take_evicted(&mut self) -> Vec<T> {
        std::mem::take(&mut self.evicted)
    }

    /// What is held by those who stay.
    fn staying(&self) -> usize {
        self.used.saturating_sub(self.leaving)
    }

    fn make_room(&mut self, wanted: usize, now: Duration) {
        // To judge all takes a while, and changes nothing within a second.
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

    /// How many octets a second came in the last minute; `None` before the first is over. The second
    /// under way counts beside it, so that nobody is taken for slower than he is.
    fn rate(&self, now: Duration) -> Option<u64> {
        now.checked_sub(self.since).filter(|age| *age >= MINUTE)?;
        let window = WINDOW as u64;
        let silent = now.as_secs().saturating_sub(self.last);
        let counted = (self.last + 1).saturating_sub(window.saturating_sub(silent))..=self.last;
        let octets = counted.filter_map(|second| self.seconds.get(place(second)));
        Some(octets.map(|&octets| u64::from(octets)).sum::<u64>() / MINUTE.as_secs())
    }
}

/// Where a second is counted.
fn place(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).unwrap_or(0)
}

/// What a message is judged by,
const MINUTE: Duration = Duration::from_mins(1);
/// in seconds, with the one under way.
const WINDOW: usize = 61;
/// The size that a message may always have, in octets.
const SMALL: usize = 65_536;
