//! The nodes of a cluster and their slots.

use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::link::{Decision, LinkState, Part};
use crate::slot::SLOTS;
use crate::{Address, Failover, Redirect};

/// A range of slots and its nodes, from `CLUSTER SLOTS`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SlotRange {
    /// The first slot.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// The master, and then its replicas, which can be asked for the map.
    pub nodes: Vec<Address>,
}

impl SlotRange {
    /// Makes a range.
    #[must_use]
    pub fn new(first: u16, last: u16, nodes: Vec<Address>) -> Self {
        Self { first, last, nodes }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    nodes: Vec<(Address, LinkState)>,
    /// The owner of each slot.
    slots: Vec<Option<usize>>,
    /// The nodes, in the order to ask for the map.
    order: Vec<usize>,
    /// The earliest time of the next request for the map.
    fresh_until: Option<Instant>,
}

impl Cluster {
    pub(super) fn new(addresses: &[Address]) -> Self {
        let mut cluster =
            Self { nodes: Vec::new(), slots: Vec::new(), order: Vec::new(), fresh_until: None };
        for address in addresses {
            cluster.node(address);
        }
        cluster
    }

    /// Returns the decision for a command, and its part; `map` is the state of the map of slots.
    pub(super) fn decide(
        &mut self,
        map: &mut LinkState,
        attempt: &mut Attempt,
        now: Instant,
    ) -> (Part, Decision) {
        if let Some(node) = attempt.redirect {
            return (Part::Node(node), self.decide_node(node, now));
        }
        let Some(slot) = attempt.slot else { return self.decide_any(now) };
        if self.slots.is_empty() && !map.is_up() {
            return (Part::Slots, map.decide(now));
        }
        let owner = self.slots.get(usize::from(slot)).copied().flatten();
        let (part, why) = match owner.map(|node| (node, self.decide_node(node, now))) {
            Some((node, Decision::Skip(why))) => (Part::Node(node), why),
            Some((node, decision)) => return (Part::Node(node), decision),
            None => (Part::Slots, format!("no node has slot {slot}")),
        };
        let due = self.fresh_until.is_none_or(|until| now >= until);
        if due && !attempt.refreshed && !map.is_opening() {
            attempt.refreshed = true;
            self.fresh_until = Some(now + REFRESH);
            map.lose();
            return (Part::Slots, map.decide(now));
        }
        (part, Decision::Skip(why))
    }

    fn decide_node(&mut self, node: usize, now: Instant) -> Decision {
        let unknown = || Decision::Skip("no such node".to_owned());
        self.link(node).map_or_else(unknown, |link| link.decide(now))
    }

    /// A command without a key may go to any node.
    fn decide_any(&mut self, now: Instant) -> (Part, Decision) {
        let up = self.nodes.iter().position(|(_, link)| link.is_up());
        let mut last = (Part::Slots, Decision::Skip("no node is known".to_owned()));
        for node in up.into_iter().chain(0..self.nodes.len()) {
            last = (Part::Node(node), self.decide_node(node, now));
            if !matches!(last.1, Decision::Skip(_)) {
                break;
            }
        }
        last
    }

    pub(super) fn link(&mut self, node: usize) -> Option<&mut LinkState> {
        self.nodes.get_mut(node).map(|(_, link)| link)
    }

    pub(super) fn address(&self, node: usize) -> Option<&Address> {
        self.nodes.get(node).map(|(address, _)| address)
    }

    /// Connected nodes first.
    pub(super) fn whom_to_ask(&self) -> Vec<Address> {
        let of = |up: bool| {
            let nodes = self.order.iter().filter_map(|node| self.nodes.get(*node));
            nodes.filter(move |(_, link)| link.is_up() == up).map(|(address, _)| address.clone())
        };
        of(true).chain(of(false)).collect()
    }

    pub(super) fn ask_last(&mut self, address: &Address) {
        let is_it = |node: &usize| self.address(*node) == Some(address);
        if let Some(at) = self.order.iter().position(is_it) {
            self.order.get_mut(at..).unwrap_or_default().rotate_left(1);
        }
    }

    pub(super) fn learn(&mut self, ranges: &[SlotRange], now: Instant) {
        let mut slots = vec![None; usize::from(SLOTS)];
        for range in ranges {
            let nodes: Vec<_> = range.nodes.iter().map(|address| self.node(address)).collect();
            let owner = nodes.first().copied().flatten();
            let of_range = usize::from(range.first)..=usize::from(range.last);
            slots.get_mut(of_range).unwrap_or_default().fill(owner);
        }
        self.slots = slots;
        self.fresh_until = Some(now + REFRESH);
    }

    pub(super) fn assign(&mut self, slot: u16, node: Option<usize>) {
        if let Some(owner) = self.slots.get_mut(usize::from(slot)) {
            *owner = node.or(*owner);
        }
    }

    /// The map may be out of date.
    pub(super) fn suspect(&mut self) {
        self.fresh_until = None;
    }

    /// Returns the target of a redirection by a node.
    pub(super) fn follow(&mut self, by: Part, to: &Redirect) -> Option<usize> {
        let said_by = match by {
            Part::Node(node) => self.address(node),
            _ => None,
        };
        let address = match (&to.address, said_by) {
            (Address::Tcp { host, port }, Some(Address::Tcp { host: own, .. }))
                if host.is_empty() =>
            {
                Address::tcp(own.clone(), *port)
            }
            (address, _) => address.clone(),
        };
        self.node(&address)
    }

    /// Returns the number of a node, and adds a new one.
    fn node(&mut self, address: &Address) -> Option<usize> {
        let known = self.nodes.iter().position(|(known, _)| known == address);
        known.or_else(|| {
            let node = self.nodes.len();
            (node < Failover::MAX_NODES).then(|| {
                self.nodes.push((address.clone(), LinkState::default()));
                self.order.push(node);
                node
            })
        })
    }
}

/// The minimum time between two requests for the map.
const REFRESH: Duration = Duration::from_millis(200);
