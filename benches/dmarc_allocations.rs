//! Counts what DMARC on cached records allocates, and fails if it is more than two allocations.
//!
//! The program runs itself: the shapes, and one thing that allocates, which shows that the count
//! counts.

mod dmarc_shapes;

use std::env;
use std::process::Command;

use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if env::var_os(CHILD).is_some() || env::args().any(|arg| arg == "--list") {
        return divan::main();
    }
    for shape in ["own", "walks", "unaligned", "deep"] {
        let count = allocations(shape);
        println!("{shape}: {count} allocations");
        assert!(count <= 2.0, "{shape} must make at most two allocations");
    }
    assert!(allocations("control") >= 1.0, "allocations are not counted");
}

const CHILD: &str = "DMARC_ALLOCATIONS_CHILD";

/// Runs a bench, and reads the most allocations of its report.
fn allocations(bench: &str) -> f64 {
    let program = env::current_exe().unwrap_or_default();
    let output = Command::new(program)
        .args(["--bench", bench, "--sample-count", "20", "--sample-size", "50"])
        .env(CHILD, "")
        .output();
    let report = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let report = report.unwrap_or_default();
    assert!(report.contains(bench), "no report on {bench}: {report}");
    // Not "max alloc:", which is how many there are at a time.
    let mut lines = report.lines().skip_while(|line| !line.trim_start().starts_with("alloc:"));
    let found = lines.nth(1).unwrap_or_default();
    let numbers = found
        .split('│')
        .filter_map(|column| column.split_whitespace().find_map(|word| word.parse::<f64>().ok()));
    numbers.fold(0.0, f64::max)
}

fn shape(bencher: divan::Bencher<'_, '_>, at: usize) {
    let Some(shape) = dmarc_shapes::SHAPES.into_iter().nth(at) else { return };
    let Some(dmarc) = shape.dmarc() else { return };
    let cache = dmarc_shapes::cache();
    let found = dmarc_shapes::evaluate(&dmarc, &cache);
    assert_eq!(found, Some((shape.result, shape.policy)), "{}", shape.name);
    bencher.bench_local(|| dmarc_shapes::evaluate(std::hint::black_box(&dmarc), &cache));
}

#[divan::bench]
fn own(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 0);
}

#[divan::bench]
fn walks(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 1);
}

#[divan::bench]
fn unaligned(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 2);
}

#[divan::bench]
fn deep(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 3);
}

#[divan::bench]
fn control() -> Vec<u8> {
    vec![std::hint::black_box(1)]
}
