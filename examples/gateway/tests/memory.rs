//! The memory of all messages together.

use std::sync::Arc;

use super::super::memory::{Memory, Share};

#[test]
fn many_large_messages_reach_the_limit_and_small_ones_do_not() {
    let memory = Arc::new(Memory::new(1_000_000));
    let mut shares: Vec<_> = (0..4).map(|_| Share::new(Arc::clone(&memory))).collect();
    let fits: Vec<_> = shares.iter_mut().map(|share| share.set(300_000)).collect();
    assert_eq!(fits, [true, true, true, false]);
    let mut small = Share::new(Arc::clone(&memory));
    assert!(small.set(65_536));
    assert!(!small.set(65_537));
    drop(small);
    shares.truncate(2);
    assert!(shares.first_mut().unwrap().set(700_000), "what went was given back");
    assert!(!shares.first_mut().unwrap().set(700_001));
    assert!(shares.first_mut().unwrap().set(10));
}
