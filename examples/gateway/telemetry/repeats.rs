//! Which lines of the log that a client can bring about at will are written: the first of each host, of
//! more only how many. Without a clock.
//!
//! A host that connects again is no other one. There are limits for a host, and for how many hosts are
//! known at a time: those beyond share one account, so that the log grows by a bounded number of lines
//! however many hosts there are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::gateway::smtp::peer::network;

/// What kind of line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LineKind {
    /// That something was refused.
    Refusal,
    /// What a rule or a list says.
    Rule,
}

/// What the hosts have brought about in their present intervals.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    hosts: HashMap<IpAddr, Account>,
    /// Of all hosts beyond [`Repeats::HOSTS`].
    others: Option<Account>,
    /// The last time that all were looked through.
    swept: Option<Instant>,
    sums: Vec<Sum>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    since: Instant,
    refusals: Count,
    rules: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    written: u32,
    left_out: u64,
}

/// How many lines of a host were left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sum {
    /// The host, or its network; `None` for those that are not known one by one.
    pub(crate) host: Option<IpAddr>,
    pub(crate) refusals: u64,
    pub(crate) rules: u64,
}

impl Repeats {
    /// So many refusals of a host are written in each interval,
    pub(crate) const REFUSALS: u32 = 10;
    /// and so many lines of rules, without a message that is accepted.
    pub(crate) const RULES: u32 = 1000;
    /// How long an interval is.
    pub(crate) const INTERVAL: Duration = Duration::from_mins(1);
    /// So many hosts are known at a time.
    pub(crate) const HOSTS: usize = 10_000;

    /// Counts a line; tells whether it is to be written.
    pub(crate) fn count(&mut self, host: IpAddr, kind: LineKind, now: Instant) -> bool {
        let host = network(host);
        let is_known = self.hosts.contains_key(&host);
        if !is_known && self.hosts.len() >= Self::HOSTS {
            self.make_room(now);
        }
        let known = is_known || self.hosts.len() < Self::HOSTS;
        let account = if known {
            self.hosts.entry(host).or_insert_with(|| Account::new(now))
        } else {
            self.others.get_or_insert_with(|| Account::new(now))
        };
        if account.is_over(now) {
            let before = std::mem::replace(account, Account::new(now));
            self.sums.extend(before.sum(known.then_some(host)));
        }
        match kind {
            LineKind::Refusal => account.refusals.add(Self::REFUSALS),
            LineKind::Rule => account.rules.add(Self::RULES),
        }
    }

    /// Takes note that a message of a host was accepted: what its rules say from here on is written again.
    pub(crate) fn accept(&mut self, host: IpAddr) {
        if let Some(account) = self.hosts.get_mut(&network(host)) {
            account.rules.written = 0;
        }
    }

    /// Ends the intervals that are over.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.swept = Some(now);
        self.end_where(|account| account.is_over(now));
    }

    /// Ends all intervals.
    pub(crate) fn end(&mut self) {
        self.end_where(|_| true);
    }

    /// Takes what was left out in intervals that have ended since the last call, hosts in their order.
    pub(crate) fn take_sums(&mut self) -> Vec<Sum> {
        let mut sums = std::mem::take(&mut self.sums);
        sums.sort_unstable_by_key(|sum| (sum.host.is_none(), sum.host));
        sums
    }

    fn end_where(&mut self, ends: impl Fn(&Account) -> bool) {
        let ended = self.hosts.extract_if(|_, account| ends(account));
        self.sums.extend(ended.filter_map(|(host, account)| account.sum(Some(host))));
        let others = self.others.take_if(|account| ends(account));
        self.sums.extend(others.and_then(|account| account.sum(None)));
    }

    /// Looks through all hosts, but not again at once: that takes a while.
    fn make_room(&mut self, now: Instant) {
        let second = Duration::from_secs(1);
        if self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= second) {
            self.sweep(now);
        }
    }
}

impl Account {
    fn new(since: Instant) -> Self {
        Self { since, refusals: Count::default(), rules: Count::default() }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= Repeats::INTERVAL
    }

    fn sum(self, host: Option<IpAddr>) -> Option<Sum> {
        let (refusals, rules) = (self.refusals.left_out, self.rules.left_out);
        (refusals > 0 || rules > 0).then_some(Sum { host, refusals, rules })
    }
}

impl Count {
    fn add(&mut self, most: u32) -> bool {
        let is_written = self.written < most;
        self.written += u32::from(is_written);
        self.left_out += u64::from(!is_written);
        is_written
    }
}
