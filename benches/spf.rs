//! SPF on cached records, and parsing a record, beside mail-auth (feature `peers`).
//!
//! Both take turns on each shape, round by round, so that what else the machine does falls on both
//! alike; what counts is the median, over the rounds, of our time divided by the peer's. With
//! `--test` each runs once. With `--instructions` callgrind counts ours, and more than the bar are a
//! failure; what they are beside the peer's is shown with the feature.

#[cfg(feature = "peers")]
mod spf_peer;
mod spf_shapes;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use spf_result::Record;
use spf_shapes::{cache, check, shapes};

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

/// What is parsed, 171 octets.
const RECORD: &str = "v=spf1 include:_spf.google.com include:spf.protection.outlook.com \
    ip4:192.0.2.0/24 ip4:198.51.100.7 ip6:2001:db8:100::/36 mx a:mail.example.com/28 \
    exists:%{i}._s.%{d} -all";

/// The most time of each shape beside the peer, and the most instructions: a little more than it takes.
const BARS: [(f64, f64); 4] = [(0.7, 1_450.0), (0.6, 6_650.0), (0.8, 4_950.0), (0.6, 14_750.0)];

/// What is done, by whom, and how quickly it must be.
struct Task {
    name: &'static str,
    bar: f64,
    instructions: f64,
    works: Vec<(&'static str, Work)>,
}

type Work = Box<dyn Fn() -> bool>;

fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for (shape, (bar, instructions)) in shapes().into_iter().zip(BARS) {
        let name = shape.name;
        let mut works: Vec<(&'static str, Work)> = Vec::new();
        #[cfg(feature = "peers")]
        let (peer, wanted) = (spf_peer::Peer::new(&shape), shape.result);
        let cache = cache(&shape);
        let ours = move || check(black_box(&shape), &cache) == Some(shape.result);
        works.push(("ours", Box::new(ours)));
        #[cfg(feature = "peers")]
        works.push(("mail-auth", Box::new(move || black_box(&peer).check() == Some(wanted))));
        tasks.push(Task { name, bar, instructions, works });
    }
    let ours = || Record::parse(black_box(RECORD.as_bytes())).is_ok();
    let works: Vec<(&'static str, Work)> = vec![
        ("ours", Box::new(ours)),
        #[cfg(feature = "peers")]
        ("mail-auth", Box::new(|| spf_peer::parse(black_box(RECORD)))),
    ];
    tasks.push(Task { name: "parse of 171 octets", bar: 0.8, instructions: 10_000.0, works });
    tasks
}

fn measure(rounds: usize) {
    println!("Time beside the peer (median of {rounds} rounds)\n");
    assert_eq!(RECORD.len(), 171);
    for Task { name, bar, works, .. } in tasks() {
        let times = times(&works, rounds);
        let Some((ours, peers)) = times.split_first() else { continue };
        println!("{name}: ours {:.1} ns", median(ours.iter().copied()));
        for times in peers {
            let ratio = median(ours.iter().zip(times).map(|(ours, peer)| ours / peer));
            let word = if ratio <= bar { "met" } else { "MISSED" };
            println!("    mail-auth {:>7.1} ns, ratio {ratio:.2}", median(times.iter().copied()));
            println!("  ratio to the fastest peer {ratio:.2}, bar {bar:.1} {word}\n");
        }
    }
}

/// The times of each, round by round, in nanoseconds.
fn times(works: &[(&'static str, Work)], rounds: usize) -> Vec<Vec<f64>> {
    let time = Duration::from_micros(500);
    let runs: Vec<_> = works.iter().map(|(_, work)| runs_in(time, work)).collect();
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..rounds {
        for (((name, work), runs), times) in works.iter().zip(&runs).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..*runs {
                assert!(work(), "{name} comes to another result");
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(*runs));
        }
    }
    times
}

/// How often it runs in this time.
fn runs_in(time: Duration, work: &Work) -> u32 {
    let mut runs = 1;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            black_box(work());
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

/// How many instructions one run takes: the difference that 10,000 runs make.
fn instructions(task: &str, name: &str) -> f64 {
    let collected = |runs: &str| {
        let program = env::current_exe().unwrap_or_default();
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(["--run", task, name, runs])
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
