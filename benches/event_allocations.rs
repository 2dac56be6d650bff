//! Counts what expansions allocate, and fails if one without captures, lists and lookups allocates
//! more than once.
//!
//! The program runs itself: what may allocate once, and one thing that allocates more, which shows
//! that the count counts.

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    let once = counts("once");
    assert!(once.len() >= 4 && once.iter().all(|count| *count <= 1.0), "more than once: {once:?}");
    let more = counts("control");
    assert!(more.iter().any(|count| *count > 1.0), "allocations are not counted: {more:?}");
    println!("each expansion allocates once");
}

/// Returns the allocations of each bench of a module, and one more for each allocation that grew.
fn counts(module: &str) -> Vec<f64> {
    let report = allocations::report(module);
    let lines: Vec<_> = report.lines().collect();
    let counted = |head: &str| {
        !head.contains("max ") && [" alloc:", " grow:"].iter().any(|of| head.contains(of))
    };
    let counts = lines.windows(2).filter_map(|pair| match pair {
        [head, counts] if counted(head) => {
            let mut words = counts.split(|c: char| c.is_whitespace() || c == '│' || c == '╰');
            let count = words.find_map(|word| word.parse::<f64>().ok())?;
            Some(if head.contains(" grow:") { count + 1.0 } else { count })
        }
        _ => None,
    });
    counts.collect()
}

mod once {
    use divan::Bencher;

    use super::shapes::expand;

    #[divan::bench]
    fn action_not_taken(bencher: Bencher<'_, '_>) {
        expand(
            bencher,
            "${if eq {msg:delivery}{$event_name} {${lookup pgsql {SELECT record( \
             '${quote_pgsql:$domain}', '${quote_pgsql:${lc:$local_part}}')}} } {}}",
        );
    }

    #[divan::bench]
    fn conditions(bencher: Bencher<'_, '_>) {
        expand(bencher, "${if and{{eqi{A}{$host}}{<{1}{2k}}{def:domain}}{yes}{no}}");
    }

    #[divan::bench]
    fn operators(bencher: Bencher<'_, '_>) {
        expand(bencher, "${uc:${lc:$host}} ${quote:$domain} ${strlen:$host} ${length_3:$domain}");
    }

    #[divan::bench]
    fn variables(bencher: Bencher<'_, '_>) {
        expand(bencher, "$local_part@$domain at $host\\n");
    }
}

mod control {
    use divan::Bencher;

    use super::shapes::expand;

    #[divan::bench]
    fn map(bencher: Bencher<'_, '_>) {
        expand(bencher, "${map{a:b:c}{$item}}");
    }
}

mod shapes {
    use std::hint::black_box;

    use divan::Bencher;
    use event_expand::{Template, Variables};
    use mail_types::exim::{Trust, Value, Variable};

    struct Delivery;

    impl Variables for Delivery {
        fn variable(&self, _: &str) -> Variable<'_> {
            Value::new(&b"example.com"[..], Trust::Untrusted).into()
        }
    }

    pub(crate) fn expand(bencher: Bencher<'_, '_>, text: &str) {
        let Ok(template) = text.parse::<Template>() else { return };
        assert!(template.expand(&Delivery).is_ok(), "{text}");
        bencher.bench_local(|| black_box(&template).expand(&Delivery).is_ok());
    }
}
