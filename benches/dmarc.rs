//! DMARC on cached records, and parsing a record, beside mail-auth (feature `peers`).
//!
//! With `--test` each runs once. With `--instructions` callgrind counts ours, and more than the bar are a
//! failure; with the feature they stand beside the peer's.

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

fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for shape in SHAPES {
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
        tasks.push(Task { name, works });
    }
    let ours = || Record::parse(black_box(RECORD.as_bytes())).is_ok();
    let works: Vec<Work<'static>> = vec![
        ("ours", Box::new(ours)),
        #[cfg(feature = "peers")]
        ("mail-auth", Box::new(|| dmarc_peer::parse(black_box(RECORD)))),
    ];
    tasks.push(Task { name: "parse of 142 octets", works });
    tasks
}
