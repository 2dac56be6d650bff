//! Counts what reading OCSP responses and certificates allocates, and fails if it is anything.
//!
//! The program runs itself twice: what must allocate nothing, and one thing that does, which shows
//! that the count counts.

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    assert!(!allocations::any("nothing"), "reading must not allocate");
    assert!(allocations::any("control"), "allocations are not counted");
    println!("nothing is allocated");
}

mod nothing {
    use std::hint::black_box;

    use divan::Bencher;
    use ocsp_staple::{Certificate, Limits, Response};

    #[divan::bench]
    fn read_responses(bencher: Bencher<'_, '_>) {
        let limits = Limits::default();
        let responses: [&[u8]; 4] = [
            include_bytes!("../crates/ocsp-staple/tests/data/responses/good_delegated.der"),
            include_bytes!("../crates/ocsp-staple/tests/data/responses/many_single.der"),
            include_bytes!("../crates/ocsp-staple/tests/data/responses/status_3.der"),
            include_bytes!("../crates/ocsp-staple/tests/data/responses/truncated.der"),
        ];
        bencher.bench_local(|| {
            responses.iter().filter(|der| Response::parse(black_box(der), &limits).is_ok()).count()
        });
    }

    #[divan::bench]
    fn read_a_certificate(bencher: Bencher<'_, '_>) {
        let der = include_bytes!("../crates/ocsp-staple/tests/data/certificates/leaf.der");
        bencher.bench_local(|| Certificate::parse(black_box(der)).is_ok());
    }
}

mod control {
    #[divan::bench]
    fn a_box(bencher: divan::Bencher<'_, '_>) {
        bencher.bench_local(|| Box::new(std::hint::black_box(1)));
    }
}
