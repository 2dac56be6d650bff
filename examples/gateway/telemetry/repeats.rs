//! The limit of log lines that clients can cause: the first lines of each host are written, further ones
//! are counted. It has no clock.
//!
//! The limit is for a host, over all its connections. The number of known hosts is limited too; further
//! hosts share one account. So the growth of the log is bounded for any number of hosts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::gateway::smtp::peer::network;

/// The type of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LineKind {
    /// A refusal.
    Refusal,
    /// The text of a rule or a list.
    Rule,
    /// A delivery to a next hop that failed, or what kept it from one.
    Delivery,
}

/// The lines of the hosts in their current intervals.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    hosts: HashMap<IpAddr, Account>,
    /// The account of all hosts beyond [`Repeats::HOSTS`].
    others: Option<Account>,
    /// The time of the last sweep.
    swept: Option<Instant>,
    sums: Vec<Sum>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    since: Instant,
    refusals: Count,
    rules: Count,
    deliveries: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    written: u32,
    left_out: u64,
}

/// The numbers of omitted lines of a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sum {
    /// The host or its network; `None` for the hosts that share an account.
    pub(crate) host: Option<IpAddr>,
    pub(crate) refusals: u64,
    pub(crate) rules: u64,
    pub(crate) deliveries: u64,
}

impl Repeats {
    /// The refusals of a host that are written in each interval.
    pub(crate) const REFUSALS: u32 = 10;
    /// The lines of rules that are written in each interval, unless a message is accepted.
    pub(crate) const RULES: u32 = 1000;
    /// The same for lines of failed deliveries.
    pub(crate) const DELIVERIES: u32 = 1000;
    /// The length of an interval.
    pub(crate) const INTERVAL: Duration = Duration::from_mins(1);
    /// The most hosts with an account of their own.
    pub(crate) const HOSTS: usize = 10_000;

    /// Counts a line; tells whether to write it.
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
            LineKind::Delivery => account.deliveries.add(Self::DELIVERIES),
        }
    }

    /// A message of a host was accepted: the lines of its rules and of its failed deliveries are counted anew.
    pub(crate) fn accept(&mut self, host: IpAddr) {
        if let Some(account) = self.hosts.get_mut(&network(host)) {
            account.rules.written = 0;
            account.deliveries.written = 0;
        }
    }

    /// Ends past intervals.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.swept = Some(now);
        self.end_where(|account| account.is_over(now));
    }

    /// Ends all intervals.
    pub(crate) fn end(&mut self) {
        self.end_where(|_| true);
    }

    /// Takes the numbers of omitted lines of the intervals that ended since the last call, ordered by
    /// host.
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

    /// Ends past intervals to make room, but not too often, since it visits all hosts.
    fn make_room(&mut self, now: Instant) {
        let second = Duration::from_secs(1);
        if self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= second) {
            self.sweep(now);
        }
    }
}

impl Account {
    fn new(since: Instant) -> Self {
        let [refusals, rules, deliveries] = [Count::default(); 3];
        Self { since, refusals, rules, deliveries }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= Repeats::INTERVAL
    }

    fn sum(self, host: Option<IpAddr>) -> Option<Sum> {
        let Self { refusals, rules, deliveries, .. } = self;
        let [refusals, rules, deliveries] =
            [refusals, rules, deliveries].map(|count| count.left_out);
        let is_any = refusals > 0 || rules > 0 || deliveries > 0;
        is_any.then_some(Sum { host, refusals, rules, deliveries })
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
