//! Counts what reading OCSP responses and certificates allocates, and fails if it is anything.
//!
//! The program runs itself twice: what must allocate nothing, and one thing that does, which shows
//! that the count counts.

use std::env;
use std::process::Command;

use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if env::var_os(CHILD).is_some() || env::args().any(|arg| arg == "--list") {
        return divan::main();
    }
    assert!(!allocates("nothing"), "reading must not allocate");
    assert!(allocates("control"), "allocations are not counted");
    println!("nothing is allocated");
}

const CHILD: &str = "OCSP_ALLOCATIONS_CHILD";

/// Runs the benches of a module, and tells whether the report has a line of allocations.
fn allocates(module: &str) -> bool {
    let Ok(program) = env::current_exe() else { return true };
    let output = Command::new(program)
        .args(["--bench", module, "--sample-count", "20", "--sample-size", "50"])
        .env(CHILD, "")
        .output();
    let report = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let report = report.unwrap_or_default();
    assert!(report.contains(module), "no report on {module}: {report}");
    println!("{report}");
    report.contains("alloc:")
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
