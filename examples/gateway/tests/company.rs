//! The wait of the journal's thread for more messages.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::gateway::store::company::Company;

const LONG: Duration = Duration::from_mins(10);

#[test]
fn the_last_message_wanted_ends_the_wait() {
    let company = Arc::new(Company::new());
    for _ in 0..100 {
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let company = Arc::clone(&company);
                thread::spawn(move || company.send(|| ()))
            })
            .collect();
        company.wait(3, LONG);
        for sender in senders {
            sender.join().unwrap();
            company.take();
        }
    }
}

#[test]
fn messages_on_their_way_are_not_waited_for() {
    let company = Company::new();
    company.send(|| ());
    company.send(|| ());
    company.wait(2, LONG);
}

#[test]
fn the_wait_has_an_end_without_them() {
    let (company, begun) = (Company::new(), Instant::now());
    company.send(|| ());
    company.wait(2, Duration::from_millis(20));
    assert!(begun.elapsed() >= Duration::from_millis(20));
    // A taken message is no company.
    company.take();
    company.wait(1, Duration::from_millis(20));
    assert!(begun.elapsed() >= Duration::from_millis(40));
}
