//! Reading and writing PROXY headers, beside the peers.
//!
//! All crates take turns on each shape, round by round, so that what else the machine does falls on
//! all alike; what counts is the median, over the rounds, of our time divided by a peer's. With
//! `--test` each runs once. With `--instructions` instructions are counted instead, by callgrind,
//! and more than the fastest peer's are a failure where there is a bar.

mod proxy_peers;
mod proxy_shapes;

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use proxy_peers::{PARSE, Read, WALK, WRITE_BLOCK, WRITE_LINE, WRITE_VECTORS, Write};
use proxy_protocol::Endpoints;
use proxy_shapes::{TCP4_LINE, TCP6_LINE, block, block_with_vectors, endpoints, shuffled};

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [_, "--run", shape, name, runs] => run(shape, name, runs.parse().unwrap_or(0)),
        _ if arguments.contains(&"--instructions") => count_instructions(),
        _ => measure(if arguments.contains(&"--test") { 1 } else { 101 }),
    }
}

/// A name, the most time and the most instructions it may take beside the fastest peer, and who
/// reads it.
type Shape = (&'static str, f64, Option<f64>, Vec<u8>, &'static [Read]);

fn shapes() -> [Shape; 5] {
    [
        ("v1 TCP4", 0.6, None, TCP4_LINE.to_vec(), PARSE),
        ("v1 TCP6", 0.5, None, TCP6_LINE.to_vec(), PARSE),
        ("v2 TCP4", 1.0, Some(1.0), block(TCP4_LINE), PARSE),
        ("v2 TCP6", 1.0, None, block(TCP6_LINE), PARSE),
        ("v2 TCP6, vectors walked", 1.0, None, block_with_vectors(), WALK),
    ]
}

fn measure(rounds: usize) {
    println!("Time beside the fastest peer (median of {rounds} rounds)\n");
    for (shape, bar, _, input, crates) in shapes() {
        read(shape, bar, &[input], crates, rounds);
    }
    // Each peer on the headers that it takes, and we on the same: a refusal is soon made.
    let shuffled = shuffled();
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
    report(shape, bar, inputs.len(), &times(&works, rounds));
}

fn write(shape: &str, line: &[u8], crates: &[Write], rounds: usize) {
    let (source, destination): (SocketAddr, SocketAddr) = match endpoints(line) {
        Endpoints::Inet { source, destination, .. } => (source, destination),
        _ => return,
    };
    let works: Vec<_> =
        crates.iter().map(|(name, write)| (*name, move || write(source, destination))).collect();
    report(shape, 1.0, 1, &times(&works, rounds));
}

/// The times of each, round by round, in nanoseconds.
fn times(
    works: &[(&'static str, impl Fn() -> bool)],
    rounds: usize,
) -> Vec<(&'static str, Vec<f64>)> {
    let time = Duration::from_micros(500);
    let runs: Vec<_> = works.iter().map(|(_, work)| runs_in(time, work)).collect();
    let mut times: Vec<_> = works.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for (((_, work), runs), (_, times)) in works.iter().zip(&runs).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..*runs {
                assert!(work());
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(*runs));
        }
    }
    times
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

fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn report(shape: &str, bar: f64, inputs: usize, times: &[(&str, Vec<f64>)]) {
    let Some(((_, ours), peers)) = times.split_first() else { return };
    let each = f64::from(u32::try_from(inputs).unwrap_or(1));
    println!("{shape}: ours {:.1} ns", median(ours.iter().copied()) / each);
    let mut worst = f64::MIN;
    for (name, times) in peers {
        let ratio = median(ours.iter().zip(times).map(|(ours, peer)| ours / peer));
        println!(
            "    {name:<22} {:>7.1} ns, ratio {ratio:.2}",
            median(times.iter().copied()) / each
        );
        worst = worst.max(ratio);
    }
    let word = if worst <= bar { "met" } else { "MISSED" };
    println!("  ratio to the fastest peer {worst:.2}, bar {bar:.1} {word}\n");
}

/// Runs one crate on one shape, for callgrind.
fn run(shape: &str, name: &str, runs: usize) {
    for (_, _, _, input, crates) in shapes().into_iter().filter(|(known, ..)| *known == shape) {
        for (_, parse) in crates.iter().filter(|(known, _)| *known == name) {
            for _ in 0..runs {
                assert!(parse(&input));
            }
        }
    }
}

fn count_instructions() {
    for (shape, _, bar, _, crates) in shapes() {
        let counts: Vec<_> =
            crates.iter().map(|(name, _)| (*name, instructions(shape, name))).collect();
        let Some(((_, ours), peers)) = counts.split_first() else { continue };
        let least = peers.iter().map(|(_, count)| *count).fold(f64::MAX, f64::min);
        println!("{shape}: ours {ours:.0} instructions, the fewest of a peer {least:.0}");
        for (name, count) in peers {
            println!("    {name:<22} {count:>7.0}");
        }
        if let Some(bar) = bar {
            assert!(*ours <= bar * least, "{shape} must take no more than {bar} of a peer's");
        }
    }
}

/// How many instructions one run takes: the difference that 10,000 runs make.
fn instructions(shape: &str, name: &str) -> f64 {
    let collected = |runs: &str| {
        let program = env::current_exe().unwrap_or_default();
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(["--run", shape, name, runs])
            .output();
        let output = output.map(|output| output.stderr).unwrap_or_default();
        let text = String::from_utf8_lossy(&output);
        let count = text.lines().find_map(|line| line.split_once("Collected : "));
        let count = count.and_then(|(_, count)| count.trim().parse::<f64>().ok());
        assert!(count.is_some(), "valgrind gives no count: {text}");
        count.unwrap_or(f64::NAN)
    };
    (collected("11000") - collected("1000")) / 10_000.0
}
