//! The method of the benches: all candidates take turns, round by round, so that other load on the
//! machine affects all alike; the result is the median over the rounds of our time divided by a peer's.
//! callgrind counts instructions, in a separate run of the bench.

pub mod allocations;
mod bars;
pub mod results;

pub use bars::bar;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// Who does something, and how; it tells whether it succeeded.
pub type Work<'w> = (&'static str, Box<dyn Fn() -> bool + 'w>);

/// A measured task, and its candidates, this project (`ours`) first. Its bars are in `bars.toml`, by its name.
#[expect(clippy::exhaustive_structs, reason = "every bench fills in all of it")]
pub struct Task {
    /// Its name.
    pub name: &'static str,
    /// Who does it.
    pub works: Vec<Work<'static>>,
}

/// Measures tasks beside the peer, or does with them what the arguments of the program say: each once
/// with `--test`, their instructions with `--instructions`, one of them with `--run`.
///
/// # Panics
///
/// If one does not succeed, or takes more instructions than it may.
pub fn run(tasks: &[Task]) {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [_, "--run", task, name, runs] => {
            let task = tasks.iter().find(|known| known.name == *task);
            let work = task.and_then(|task| task.works.iter().find(|(known, _)| known == name));
            for _ in 0..runs.parse().unwrap_or(0) {
                assert!(work.is_some_and(|(_, work)| work()));
            }
        }
        _ if arguments.contains(&"--instructions") => {
            for Task { name, works } in tasks {
                let names: Vec<_> = works.iter().map(|(name, _)| *name).collect();
                count_instructions(name, &names);
            }
        }
        _ => {
            let rounds = if arguments.contains(&"--test") { 1 } else { 101 };
            println!("Time beside the peer (median of {rounds} rounds)\n");
            for Task { name, works } in tasks {
                report(name, bar("time", name), 1, &times(works, rounds));
            }
        }
    }
}

/// Counts the instructions of everybody who does a task, ourselves first, and prints what ours are beside the
/// fewest of a peer. Does nothing where the task has no bar: counting takes too long there.
///
/// # Panics
///
/// If ours are more than the bar.
pub fn count_instructions(task: &str, names: &[&str]) {
    let Some(most) = bar("instructions", task) else { return };
    let counts: Vec<_> = names.iter().map(|name| (*name, instructions(task, name))).collect();
    let Some(((_, ours), peers)) = counts.split_first() else { return };
    println!("{task}: ours {ours:.0} instructions, at most {most:.0}");
    assert!(*ours <= most, "{task} must take no more than {most} instructions");
    for (name, count) in peers {
        println!("    {name:<22} {count:>7.0}, ratio {:.2}", ours / count);
    }
    if !peers.is_empty() {
        let fewest = peers.iter().map(|(_, count)| *count).fold(f64::MAX, f64::min);
        let bar = bar("instructions_beside_peers", task);
        println!("  instructions beside the peer with the fewest {}\n", judged(ours / fewest, bar));
    }
}

/// Returns the times of each, round by round, in nanoseconds.
///
/// # Panics
///
/// If one does not succeed.
#[must_use]
pub fn times(works: &[Work<'_>], rounds: usize) -> Vec<(&'static str, Vec<f64>)> {
    let time = Duration::from_micros(500);
    let runs: Vec<_> = works.iter().map(|(_, work)| runs_in(time, work)).collect();
    let mut times: Vec<_> = works.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for (((name, work), runs), (_, times)) in works.iter().zip(&runs).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..*runs {
                assert!(work(), "{name} does not succeed");
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(*runs));
        }
    }
    times
}

/// How often it runs in this time.
fn runs_in(time: Duration, work: &dyn Fn() -> bool) -> u32 {
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

/// Prints what the first of them takes, in nanoseconds for each of `inputs`, what the others take
/// beside it, and whether the ratio to the fastest is within the bar.
pub fn report(shape: &str, bar: Option<f64>, inputs: usize, times: &[(&str, Vec<f64>)]) {
    let Some(((_, ours), peers)) = times.split_first() else { return };
    let each = f64::from(u32::try_from(inputs).unwrap_or(1));
    println!("{shape}: ours {:.1} ns", median(ours.iter().copied()) / each);
    let mut worst = f64::MIN;
    for (name, times) in peers {
        let ratio = median(ours.iter().zip(times).map(|(ours, peer)| ours / peer));
        let time = median(times.iter().copied()) / each;
        println!("    {name:<22} {time:>7.1} ns, ratio {ratio:.2}");
        worst = worst.max(ratio);
    }
    if !peers.is_empty() {
        println!("  ratio to the fastest peer {}\n", judged(worst, bar));
    }
}

/// A ratio, and whether it is at most the bar.
fn judged(ratio: f64, bar: Option<f64>) -> String {
    match bar {
        None => format!("{ratio:.2}"),
        // As it is printed, so that the line does not contradict itself.
        Some(bar) if (ratio * 100.0).round() <= (bar * 100.0).round() => {
            format!("{ratio:.2}, bar {bar:.2} met")
        }
        Some(bar) => format!("{ratio:.2}, bar {bar:.2} MISSED"),
    }
}

/// Returns the middle of them, in their order.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Counts how many instructions one run takes: the difference that 10,000 runs make. The bench must
/// do so many runs when its arguments are `--run`, the shape, the name and their number.
///
/// # Panics
///
/// If there is no valgrind.
#[must_use]
pub fn instructions(shape: &str, name: &str) -> f64 {
    let collected = |runs: &str| {
        let text = callgrind(&[shape, name, runs], "/dev/null");
        let count = text.lines().find_map(|line| line.split_once("Collected : "));
        let count = count.and_then(|(_, count)| count.trim().parse::<f64>().ok());
        assert!(count.is_some(), "valgrind gives no count: {text}");
        count.unwrap_or(f64::NAN)
    };
    (collected("11000") - collected("1000")) / 10_000.0
}

/// Counts how often one run calls a function, by its name: the difference that 10 runs make, divided by them.
///
/// # Panics
///
/// If there is no valgrind.
#[must_use]
pub fn calls(shape: &str, name: &str, function: &str) -> usize {
    let counted = |runs: &str| {
        let file = env::temp_dir().join(format!("callgrind.{}", std::process::id()));
        let text = callgrind(&[shape, name, runs], &file.display().to_string());
        let profile = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(&file);
        assert!(!profile.is_empty(), "valgrind gives no profile: {text}");
        calls_of(function, &profile)
    };
    (counted("11") - counted("1")) / 10
}

/// Sums up the calls of a function in a profile of callgrind, which has each name once, with a number for later.
fn calls_of(function: &str, profile: &str) -> usize {
    let Some(number) = profile.lines().find_map(|line| {
        let (number, name) = line.split_once("fn=")?.1.split_once(' ')?;
        (name == function).then_some(number)
    }) else {
        return 0;
    };
    let mut lines = profile.lines();
    let mut sum = 0;
    while let Some(line) = lines.next() {
        let called = line.strip_prefix("cfn=").and_then(|callee| callee.split(' ').next());
        if called == Some(number) {
            let calls = lines.next().and_then(|line| line.strip_prefix("calls="));
            let calls = calls.and_then(|calls| calls.split(' ').next()?.parse::<usize>().ok());
            sum += calls.unwrap_or_default();
        }
    }
    sum
}

/// Does so many runs in callgrind, which writes its profile to a file; returns what it says.
fn callgrind(run: &[&str; 3], file: &str) -> String {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={file}")])
        .arg(env::current_exe().unwrap_or_default())
        .arg("--run")
        .args(run)
        .output();
    let output = output.map(|output| output.stderr).unwrap_or_default();
    String::from_utf8_lossy(&output).into_owned()
}
