//! DMARC on cached records, and parsing a record, beside mail-auth (feature `peers`).
//!
//! With `--test` each runs once. With `--instructions` callgrind counts ours, and more than the bar are a
//! failure; what they are beside the peer's is shown with the feature.

#[cfg(feature = "peers")]
mod dmarc_peer;
mod dmarc_shapes;
#[cfg(feature = "peers")]
mod mail_auth_cache;

use std::hint::black_box;

use benches::{Task, Work};
use dmarc_policy::Record;
use dmarc_shapes::{RECORD, SHAPES, cache, evaluate};

fn main() {
    assert_eq!(RECORD.len(), 142);
    benches::run(&tasks());
}

/// The most time of each shape beside the peer, and the most instructions: a little more than it takes.
const BARS: [(f64, f64); 4] = [(0.65, 1_600.0), (0.7, 7_500.0), (1.2, 5_700.0), (0.8, 14_500.0)];

fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for (shape, (bar, instructions)) in SHAPES.into_iter().zip(BARS) {
        let (name, wanted) = (shape.name, (shape.result, shape.policy));
        let mut works: Vec<Work<'static>> = Vec::new();
        let (dmarc, cache) = (shape.dmarc(), cache());
        let ours = move || {
            dmarc.as_ref().and_then(|dmarc| evaluate(black_box(dmarc), &cache)) == Some(wanted)
        };
        works.push(("ours", Box::new(ours)));
        #[cfg(feature = "peers")]
        {
            let peer = dmarc_peer::Peer::new(&shape);
            let theirs = move || black_box(&peer).evaluate() == Some(wanted.0);
            works.push(("mail-auth", Box::new(theirs)));
        }
        tasks.push(Task { name, bar, instructions, works });
    }
    let ours = || Record::parse(black_box(RECORD.as_bytes())).is_ok();
    let works: Vec<Work<'static>> = vec![
        ("ours", Box::new(ours)),
        #[cfg(feature = "peers")]
        ("mail-auth", Box::new(|| dmarc_peer::parse(black_box(RECORD)))),
    ];
    tasks.push(Task { name: "parse of 142 octets", bar: 0.8, instructions: 4_300.0, works });
    tasks
}
