//! Counts of allocations: a bench runs itself as another program under divan's profiler, and reads
//! its report.

use std::env;
use std::process::Command;

/// Tells whether this program is the one that is counted, or is asked for its benches.
#[must_use]
pub fn is_counted() -> bool {
    env::var_os(CHILD).is_some() || env::args().any(|arg| arg == "--list")
}

/// Runs the benches whose names contain `bench`, and returns the report.
///
/// # Panics
///
/// If there is no such bench.
#[must_use]
pub fn report(bench: &str) -> String {
    let program = env::current_exe().unwrap_or_default();
    let output = Command::new(program)
        .args(["--bench", bench, "--sample-count", "20", "--sample-size", "50"])
        .env(CHILD, "")
        .output();
    let report = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let report = report.unwrap_or_default();
    assert!(report.contains(bench), "no report on {bench}: {report}");
    println!("{report}");
    report
}

/// Returns the most allocations of one run of a bench.
#[must_use]
pub fn most(bench: &str) -> f64 {
    let report = report(bench);
    // Not "max alloc:", which is how many there are at a time.
    let mut lines = report.lines().skip_while(|line| !line.trim_start().starts_with("alloc:"));
    let found = lines.nth(1).unwrap_or_default();
    let numbers = found
        .split('│')
        .filter_map(|column| column.split_whitespace().find_map(|word| word.parse::<f64>().ok()));
    numbers.fold(0.0, f64::max)
}

/// Tells whether a bench allocates at all.
#[must_use]
pub fn any(bench: &str) -> bool {
    report(bench).contains("alloc:")
}

/// It marks the program that is counted.
const CHILD: &str = "ALLOCATIONS_CHILD";
