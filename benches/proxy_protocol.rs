//! Reading and writing PROXY headers, beside the peers.
//!
//! All crates take turns on each shape, round by round, so that what else the machine does falls on
//! all alike; the median of the rounds counts. With `--test` each runs once.

mod proxy_peers;
mod proxy_shapes;

use std::time::{Duration, Instant};

use proxy_peers::{PARSE, Read, WALK, WRITE_BLOCK, WRITE_LINE, WRITE_VECTORS, Write};
use proxy_shapes::{TCP4_LINE, TCP6_LINE, block, block_with_vectors, endpoints, shuffled, stream};

fn main() {
    let rounds = if std::env::args().any(|arg| arg == "--test") { 1 } else { 101 };
    println!("Time beside the fastest peer (median of {rounds} rounds)\n");
    let shuffled = shuffled();
    for (shape, bar, inputs, crates) in [
        ("v1 TCP4", 0.6, vec![TCP4_LINE.to_vec()], PARSE),
        ("v1 TCP6", 0.5, vec![TCP6_LINE.to_vec()], PARSE),
        ("v2 TCP4", 1.0, vec![block(TCP4_LINE)], PARSE),
        ("v2 TCP6", 1.0, vec![block(TCP6_LINE)], PARSE),
        ("v2 TCP6, vectors walked", 1.0, vec![block_with_vectors()], WALK),
    ] {
        read(shape, bar, &inputs, crates, rounds);
    }
    // Each peer on the headers that it takes, and we on the same: a refusal is soon made.
    for peer in PARSE.get(1..).unwrap_or_default() {
        let taken: Vec<_> = shuffled.iter().filter(|input| takes(*peer, input)).cloned().collect();
        let shape = format!("{} shuffled vectors", taken.len());
        let ours = PARSE.first().into_iter().copied();
        read(&shape, 1.0, &taken, &ours.chain([*peer]).collect::<Vec<_>>(), rounds);
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

fn read(shape: &str, bar: f64, inputs: &[Vec<u8>], crates: &[Read], rounds: usize) {
    for input in inputs {
        for (name, parse) in crates {
            assert!(parse(input), "{name} does not take {}", input.escape_ascii());
        }
    }
    let works: Vec<_> = crates
        .iter()
        .map(|(name, parse)| (*name, || inputs.iter().all(|input| parse(input))))
        .collect();
    report(shape, bar, inputs.len(), &medians(&works, rounds));
}

fn write(shape: &str, line: &[u8], crates: &[Write], rounds: usize) {
    let Some((source, destination)) = stream(endpoints(line)) else { return };
    let works: Vec<_> =
        crates.iter().map(|(name, write)| (*name, move || write(source, destination))).collect();
    report(shape, 1.0, 1, &medians(&works, rounds));
}

/// The median time of each, in nanoseconds.
fn medians(works: &[(&'static str, impl Fn() -> bool)], rounds: usize) -> Vec<(&'static str, f64)> {
    let mut times = vec![Vec::new(); works.len()];
    let runs: Vec<_> =
        works.iter().map(|(_, work)| runs_in(Duration::from_millis(1), work)).collect();
    for _ in 0..rounds {
        for (((_, work), runs), times) in works.iter().zip(&runs).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..*runs {
                assert!(work());
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(*runs));
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
    };
    works.iter().zip(&mut times).map(|((name, _), times)| (*name, median(times))).collect()
}

/// How often it runs in this time.
fn runs_in(time: Duration, work: impl Fn() -> bool) -> u32 {
    let mut runs = 1;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            assert!(work());
        }
        if start.elapsed() > time || runs > 1 << 24 {
            return runs;
        }
        runs *= 2;
    }
}

fn report(shape: &str, bar: f64, inputs: usize, times: &[(&str, f64)]) {
    let Some(((_, ours), peers)) = times.split_first() else { return };
    let Some((fastest, time)) = peers.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    let (ratio, each) = (ours / time, f64::from(u32::try_from(inputs).unwrap_or(1)));
    let word = if ratio <= bar { "met" } else { "MISSED" };
    println!(
        "{shape:<26} ours {:>7.1} ns, {fastest} {:>7.1} ns, ratio {ratio:.2}, bar {bar:.1} {word}",
        ours / each,
        time / each,
    );
    for (name, time) in peers {
        println!("{:>40} {:>7.1} ns", name, time / each);
    }
}
