//! Counts what verifying a server by its own key or certificate allocates, and fails if it is anything.
//!
//! The program runs itself twice: what must allocate nothing, and one thing that does, which shows that the
//! count counts.

mod dane_cases;

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    assert!(!allocations::any("nothing"), "a match of usage 3 must not allocate");
    assert!(allocations::any("control"), "allocations are not counted");
    println!("nothing is allocated");
}

mod nothing {
    use std::hint::black_box;
    use std::time::Duration;

    use dane_tlsa::Check;
    use dane_tlsa::rustls_pki_types::UnixTime;
    use divan::Bencher;

    use super::dane_cases::{Case, NOW};

    #[divan::bench(args = ["extra-ee-expired", "extra-ee-v1", "extra-ee-310", "extra-agile-two312"])]
    fn verify(bencher: Bencher<'_, '_>, id: &str) {
        let case = Case::read(id);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.into()));
        bencher.bench_local(|| {
            let verdict = case.as_ref().map(|case| {
                Check::new(&case.records, &case.names, &[]).verify(black_box(&case.chain), now)
            });
            assert!(verdict.is_some_and(|verdict| verdict.is_match()));
        });
    }
}

mod control {
    use std::time::Duration;

    use dane_tlsa::Check;
    use dane_tlsa::rustls_pki_types::UnixTime;

    use super::dane_cases::{Case, NOW};

    /// A mismatch allocates its list of reasons.
    #[divan::bench]
    fn no_match(bencher: divan::Bencher<'_, '_>) {
        let case = Case::read("extra-agile-311ok-312bad");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.into()));
        bencher.bench_local(|| {
            case.as_ref()
                .map(|case| Check::new(&case.records, &case.names, &[]).verify(&case.chain, now))
        });
    }
}
