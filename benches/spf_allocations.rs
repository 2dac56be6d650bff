//! Counts what SPF on cached records allocates, and fails if it is more than two allocations.
//!
//! The program runs itself: the shapes, and one thing that allocates, which shows that the count
//! counts.

mod spf_shapes;

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    for shape in ["simple", "includes", "exists", "ten"] {
        let count = allocations::most(shape);
        println!("{shape}: {count} allocations");
        assert!(count <= 2.0, "{shape} must make at most two allocations");
    }
    assert!(allocations::most("control") >= 1.0, "allocations are not counted");
}

fn shape(bencher: divan::Bencher<'_, '_>, at: usize) {
    let shapes = spf_shapes::shapes();
    let Some(shape) = shapes.get(at) else { return };
    let cache = spf_shapes::cache(shape);
    assert_eq!(spf_shapes::check(shape, &cache), Some(shape.result), "{}", shape.name);
    bencher.bench_local(|| spf_shapes::check(std::hint::black_box(shape), &cache));
}

#[divan::bench]
fn simple(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 0);
}

#[divan::bench]
fn includes(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 1);
}

#[divan::bench]
fn exists(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 2);
}

#[divan::bench]
fn ten(bencher: divan::Bencher<'_, '_>) {
    shape(bencher, 3);
}

#[divan::bench]
fn control() -> Vec<u8> {
    vec![std::hint::black_box(1)]
}
