//! Reading and writing PROXY headers, beside the peers.
//!
//! With `--test` each runs once. With `--instructions` instructions are counted instead of times.

mod proxy_peers;
mod proxy_shapes;

use std::env;
use std::net::SocketAddr;

use benches::{Work, bar, count_instructions, report, times};
use proxy_peers::{PARSE, Read, WALK, WRITE_BLOCK, WRITE_LINE, WRITE_VECTORS, Write};
use proxy_protocol::Endpoints;
use proxy_shapes::{TCP4_LINE, TCP6_LINE, block, block_with_vectors, endpoints, shuffled};

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [_, "--run", shape, name, runs] => repeat(shape, name, runs.parse().unwrap_or(0)),
        _ if arguments.contains(&"--instructions") => {
            for (shape, _, crates) in shapes() {
                let names: Vec<_> = crates.iter().map(|(name, _)| *name).collect();
                count_instructions(shape, &names);
            }
        }
        _ => measure(if arguments.contains(&"--test") { 1 } else { 101 }),
    }
}

/// A name, a header, and who reads it.
type Shape = (&'static str, Vec<u8>, &'static [Read]);

fn shapes() -> [Shape; 5] {
    [
        ("v1 TCP4", TCP4_LINE.to_vec(), PARSE),
        ("v1 TCP6", TCP6_LINE.to_vec(), PARSE),
        ("v2 TCP4", block(TCP4_LINE), PARSE),
        ("v2 TCP6", block(TCP6_LINE), PARSE),
        ("v2 TCP6, vectors walked", block_with_vectors(), WALK),
    ]
}

fn measure(rounds: usize) {
    println!("Time beside the fastest peer (median of {rounds} rounds)\n");
    for (shape, input, crates) in shapes() {
        read(shape, bar("time", shape), &[input], crates, rounds);
    }
    // Each peer on the headers that it takes, and we on the same: a refusal is soon made.
    let shuffled = shuffled();
    for peer in PARSE.get(1..).unwrap_or_default() {
        let taken: Vec<_> = shuffled.iter().filter(|input| takes(*peer, input)).cloned().collect();
        let shape = format!("{} shuffled vectors", taken.len());
        let ours = PARSE.first().into_iter().copied();
        read(
            &shape,
            bar("time", "shuffled vectors"),
            &taken,
            &ours.chain([*peer]).collect::<Vec<_>>(),
            rounds,
        );
    }
    for (shape, line, crates) in [
        ("write v1 TCP4", TCP4_LINE, WRITE_LINE),
        ("write v1 TCP6", TCP6_LINE, WRITE_LINE),
        ("write v2 TCP4", TCP4_LINE, WRITE_BLOCK),
        ("write v2 TCP6", TCP6_LINE, WRITE_BLOCK),
        ("write v2 TCP6, vectors", TCP6_LINE, WRITE_VECTORS),
    ] {
        write(shape, line, crates, rounds);
    }
}

/// Whether the peer takes a header; one of them panics on some.
fn takes((_, parse): Read, input: &[u8]) -> bool {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let taken = std::panic::catch_unwind(|| parse(input)).unwrap_or(false);
    std::panic::set_hook(hook);
    taken
}

fn read(shape: &str, bar: Option<f64>, inputs: &[Vec<u8>], crates: &[Read], rounds: usize) {
    for input in inputs {
        for (name, parse) in crates {
            assert!(parse(input), "{name} does not take {}", input.escape_ascii());
        }
    }
    let all = |parse: fn(&[u8]) -> bool| move || inputs.iter().all(|input| parse(input));
    let works: Vec<Work<'_>> =
        crates.iter().map(|(name, parse)| (*name, Box::new(all(*parse)) as Box<_>)).collect();
    report(shape, bar, inputs.len(), &times(&works, rounds));
}

fn write(shape: &str, line: &[u8], crates: &[Write], rounds: usize) {
    let (source, destination): (SocketAddr, SocketAddr) = match endpoints(line) {
        Endpoints::Inet { source, destination, .. } => (source, destination),
        _ => return,
    };
    let work = |(name, write): &Write| -> Work<'_> {
        let write = *write;
        (name, Box::new(move || write(source, destination)))
    };
    let works: Vec<_> = crates.iter().map(work).collect();
    report(shape, bar("time", shape), 1, &times(&works, rounds));
}

/// Runs one crate on one shape, for callgrind.
fn repeat(shape: &str, name: &str, runs: usize) {
    for (_, input, crates) in shapes().into_iter().filter(|(known, ..)| *known == shape) {
        for (_, parse) in crates.iter().filter(|(known, _)| *known == name) {
            for _ in 0..runs {
                assert!(parse(&input));
            }
        }
    }
}
