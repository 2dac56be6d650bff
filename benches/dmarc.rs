//! DMARC on cached records, and parsing a record, beside mail-auth (feature `peers`).
//!
//! With `--test` each runs once. With `--instructions` callgrind counts ours, and more than the bar are a
//! failure; what they are beside the peer's is shown with the feature.

#[cfg(feature = "peers")]
mod dmarc_peer;
mod dmarc_shapes;
#[cfg(feature = "peers")]
mod mail_auth_cache;

use std::env;
use std::hint::black_box;

use benches::{Work, instructions, report, times};
use dmarc_policy::Record;
use dmarc_shapes::{RECORD, SHAPES, cache, evaluate};

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [_, "--run", task, name, runs] => {
            let tasks = tasks();
            let task = tasks.iter().find(|known| known.name == *task);
            let work = task.and_then(|task| task.works.iter().find(|(known, _)| known == name));
            for _ in 0..runs.parse().unwrap_or(0) {
                assert!(work.is_some_and(|(_, work)| work()));
            }
        }
        _ if arguments.contains(&"--instructions") => count_instructions(),
        _ => measure(if arguments.contains(&"--test") { 1 } else { 101 }),
    }
}

/// The most time of each shape beside the peer, and the most instructions: a little more than it takes.
const BARS: [(f64, f64); 4] = [(0.65, 1_700.0), (0.7, 8_300.0), (1.2, 5_900.0), (0.8, 15_700.0)];

/// What is done, by whom, and how quickly it must be.
struct Task {
    name: &'static str,
    bar: f64,
    instructions: f64,
    works: Vec<Work<'static>>,
}

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
    tasks.push(Task { name: "parse of 142 octets", bar: 0.8, instructions: 4_500.0, works });
    tasks
}

fn measure(rounds: usize) {
    println!("Time beside the peer (median of {rounds} rounds)\n");
    assert_eq!(RECORD.len(), 142);
    for Task { name, bar, works, .. } in tasks() {
        report(name, bar, 1, &times(&works, rounds));
    }
}

fn count_instructions() {
    for Task { name, instructions: bar, works, .. } in tasks() {
        for (who, _) in &works {
            let count = instructions(name, who);
            println!("{name}: {who} {count:.0} instructions");
            let ours = *who == "ours";
            assert!(!ours || count <= bar, "{name} must take no more than {bar} instructions");
        }
    }
}
