//! The memory of all messages together, and who has to give it back.

use std::sync::Arc;
use std::time::Duration;

use crate::gateway::server::memory::{Holders, Memory, Room, Share};

#[test]
fn many_large_messages_reach_the_limit_and_small_ones_do_not() {
    let memory = Arc::new(Memory::new(1_000_000, 500));
    let mut shares: Vec<_> = (0..4).map(|_| Share::new(Arc::clone(&memory))).collect();
    let set = |share: &mut Share, octets: usize| share.set(octets, Some(octets as u64));
    let room: Vec<_> = shares.iter_mut().map(|share| set(share, 330_000)).collect();
    assert_eq!(room, [Room::Granted, Room::Granted, Room::Granted, Room::Full]);
    assert!(memory.admits(0) && memory.admits(65_536) && !memory.admits(65_537));
    let mut small = Share::new(Arc::clone(&memory));
    assert_eq!(set(&mut small, 65_536), Room::Granted);
    assert_eq!(set(&mut small, 65_537), Room::Full);
    drop(small);
    shares.truncate(1);
    let first = shares.first_mut().unwrap();
    assert_eq!(set(first, 1_000_000), Room::Granted, "what went was given back");
    assert_eq!(set(first, 1_000_001), Room::Full);
    assert_eq!(set(first, 10), Room::Granted);
    // A message that has come whole counts for what it has, and goes with the connection.
    first.set(900_000, None);
    assert!(memory.admits(100_000) && !memory.admits(100_001));
    first.set(0, None);
    assert!(memory.admits(1_000_000));
    first.set(900_000, Some(900_000));
    assert!(!memory.admits(100_001));
    drop(shares);
    assert!(memory.admits(1_000_000) && !memory.admits(1_000_001));
}

/// Ten clients, each with a message of 51 MB that does not go on, in 512 MB.
#[test]
fn hoarders_give_way_after_their_minute() {
    let mut holders = Holders::new(LIMIT, 500);
    let hoarders: Vec<_> = (0..10).map(|name| holders.enter(0, &name, at(0))).collect();
    for &hoarder in &hoarders {
        assert_eq!(holders.set(hoarder, 51 << 20, 51 << 20, at(1)), Room::Granted);
    }
    assert!(!holders.admits(20 << 20, at(59)), "nobody is judged before");
    assert!(holders.take_evicted().is_empty());
    assert!(holders.admits(20 << 20, at(63)));
    let evicted = holders.take_evicted();
    assert_eq!(evicted, [0, 1, 2], "down to three quarters of the limit, and not further");
    assert_eq!(holders.set(hoarders[0], 51 << 20, (51 << 20) + 1, at(64)), Room::Evicted);
    for &hoarder in &hoarders[..3] {
        holders.leave(hoarder);
    }
    // Below three quarters no rate matters.
    assert!(holders.admits(100 << 20, at(10_000)));
    assert!(holders.take_evicted().is_empty());
}

#[test]
fn the_slowest_go_first_and_who_is_quick_enough_never() {
    let mut holders = Holders::new(LIMIT, 500);
    let enter = |holders: &mut Holders<&'static str>, name| holders.enter(0, &name, at(0));
    let (quick, slow, slower) =
        (enter(&mut holders, "quick"), enter(&mut holders, "slow"), enter(&mut holders, "slower"));
    let third = LIMIT / 3;
    for second in 1..=200 {
        for (number, rate) in [(quick, 500), (slow, 490), (slower, 10)] {
            let (octets, received) = (third, third as u64 + rate * second);
            assert_eq!(holders.set(number, octets, received, at(second)), Room::Granted);
        }
    }
    let late = holders.enter(0, &"late", at(190));
    assert_eq!(holders.set(late, LIMIT / 16, LIMIT as u64 / 16, at(200)), Room::Granted);
    assert_eq!(holders.take_evicted(), ["slower"]);
    holders.leave(slower);
    // More is wanted: the next one goes, and then nobody, but the message has no room.
    assert_eq!(holders.set(late, LIMIT / 2, LIMIT as u64 / 2, at(201)), Room::Granted);
    assert_eq!(holders.take_evicted(), ["slow"]);
    assert_eq!(holders.set(late, LIMIT, LIMIT as u64, at(201)), Room::Full);
    assert_eq!(holders.set(quick, third, third as u64 + 100_500, at(201)), Room::Granted);
    assert!(holders.take_evicted().is_empty());
    // Who is silent for a minute is not quick any more, whatever came before.
    holders.set(late, 0, LIMIT as u64, at(202));
    assert!(holders.admits(LIMIT as u64, at(263)));
    assert_eq!(holders.take_evicted(), ["quick", "late"]);
    assert_eq!(holders.set(quick, third, third as u64 + 100_500, at(264)), Room::Evicted);
}

/// One whose own message goes beyond the limit is not spared.
#[test]
fn who_is_slow_goes_for_what_it_wants_itself() {
    let mut holders = Holders::new(1_000_000, 500);
    let number = holders.enter(0, &(), at(0));
    assert_eq!(holders.set(number, 900_000, 900_000, at(1)), Room::Granted);
    assert_eq!(holders.set(number, 1_800_000, 900_100, at(100)), Room::Evicted);
    assert_eq!(holders.take_evicted(), [()]);
    holders.leave(number);
    assert!(holders.admits(1_000_000, at(101)));
    // Without a least rate nobody goes.
    let mut holders = Holders::new(1_000_000, 0);
    let number = holders.enter(0, &(), at(0));
    assert_eq!(holders.set(number, 1_800_000, 900_100, at(100)), Room::Full);
}

fn at(second: u64) -> Duration {
    Duration::from_secs(second)
}

const LIMIT: usize = 512 << 20;
