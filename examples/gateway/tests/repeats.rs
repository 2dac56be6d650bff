//! Which refusals are logged.

use std::time::{Duration, Instant};

use crate::gateway::telemetry::repeats::Repeats;

#[test]
fn of_many_refusals_the_first_of_a_minute_are_logged_and_the_others_counted() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let mut count = |second| repeats.count(start + Duration::from_secs(second));
    let lines: Vec<_> = (0..1000).map(|at| count(at / 20)).collect();
    assert!(lines.iter().all(|(_, left_out)| left_out.is_none()));
    assert_eq!(lines.iter().filter(|(logged, _)| *logged).count(), 10);
    assert!(lines[..10].iter().all(|(logged, _)| *logged));
    // The next minute begins with what the last one left out.
    assert_eq!(count(60), (true, Some(990)));
    assert_eq!(count(61), (true, None));
    for _ in 0..20 {
        let _ = count(62);
    }
    assert_eq!(count(200), (true, Some(12)));
    assert_eq!(repeats.end(), None);
    for _ in 0..20 {
        let _ = repeats.count(start + Duration::from_secs(201));
    }
    assert_eq!((repeats.end(), repeats.end()), (Some(11), None));
}
