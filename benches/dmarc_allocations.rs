//! Counts what DMARC on cached records allocates, and fails if it is more than two allocations.
//!
//! The program runs itself: the shapes, and one thing that allocates, which shows that the count
//! counts.

mod dmarc_shapes;

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    for shape in ["own", "walks", "unaligned", "deep"] {
        let count = allocations::most(shape);
        println!("{shape}: {count} allocations");
        assert!(count <= 2.0, "{shape} must make at most two allocations");
    }
    assert!(allocations::most("control") >= 1.0, "allocations are not counted");
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
