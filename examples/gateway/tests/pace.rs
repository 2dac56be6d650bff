//! The choice of waits without sleep.

use crate::gateway::server::connection::pace::Pace;

/// How many waits are slept through before the next that is awake.
fn asleep(pace: &mut Pace) -> u32 {
    let waits = std::iter::repeat_with(|| pace.is_awake()).take_while(|awake| !awake);
    u32::try_from(waits.count()).unwrap_or(u32::MAX)
}

#[test]
fn who_answers_at_once_is_waited_for_awake() {
    let mut pace = Pace::default();
    for _ in 0..100 {
        assert!(pace.is_awake());
        pace.answered(true);
    }
}

#[test]
fn a_slow_client_is_slept_through_for_longer_and_longer() {
    let mut pace = Pace::default();
    assert!(pace.is_awake());
    let mut expected = Pace::FEWEST;
    for _ in 0..10 {
        pace.answered(false);
        assert_eq!(asleep(&mut pace), expected);
        expected = (expected * 2).min(Pace::MOST);
    }
    pace.answered(true);
    assert!(pace.is_awake());
    pace.answered(false);
    assert_eq!(asleep(&mut pace), Pace::FEWEST);
}
