//! Counts what reading and writing PROXY headers allocates, and fails if it is anything.
//!
//! The program runs itself twice: what must allocate nothing, and one thing that does, which shows
//! that the count counts.

mod proxy_shapes;

use benches::allocations;
use divan::AllocProfiler;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    if allocations::is_counted() {
        return divan::main();
    }
    assert!(!allocations::any("nothing"), "reading and writing must not allocate");
    assert!(allocations::any("control"), "allocations are not counted");
    println!("nothing is allocated");
}

mod nothing {
    use std::hint::black_box;

    use divan::Bencher;
    use proxy_protocol::{Header, Version};

    use super::proxy_shapes::{
        TCP4_LINE, TCP6_LINE, block, block_with_vectors, endpoints, shuffled, write_vectors,
    };

    #[divan::bench]
    fn read_shapes(bencher: Bencher<'_, '_>) {
        let shapes = [TCP4_LINE.to_vec(), TCP6_LINE.to_vec(), block(TCP4_LINE), block(TCP6_LINE)];
        bencher.bench_local(|| shapes.iter().all(|shape| Header::parse(black_box(shape)).is_ok()));
    }

    #[divan::bench]
    fn read_vectors(bencher: Bencher<'_, '_>) {
        let block = block_with_vectors();
        bencher.bench_local(|| {
            let header = Header::parse(black_box(&block)).map(|(_, header)| header);
            header.map(|header| {
                let within = header.tlvs.ssl().map_or(0, |ssl| ssl.tlvs.iter().count());
                (header.tlvs.iter().count() + within, header.tlvs.authority().is_ok())
            })
        });
    }

    /// Sound ones whole and cut short, and wrong ones.
    #[divan::bench]
    fn read_all(bencher: Bencher<'_, '_>) {
        let all = shuffled();
        bencher.bench_local(|| {
            for header in &all {
                let _ = black_box(Header::parse(black_box(header)));
                let _ = black_box(Header::parse(black_box(header.split_at(header.len() / 2).0)));
                let _ = black_box(Header::parse(black_box(header.split_at(1).1)));
            }
        });
    }

    #[divan::bench]
    fn write(bencher: Bencher<'_, '_>) {
        let mut buffer = [0; 512];
        bencher.bench_local(|| {
            for version in [Version::V1, Version::V2] {
                for line in [TCP4_LINE, TCP6_LINE] {
                    let header = Header::new(version, endpoints(black_box(line)));
                    let _ = black_box(header.write(&mut buffer));
                }
            }
            write_vectors(black_box(&mut buffer)).is_some()
        });
    }
}

mod control {
    use std::hint::black_box;

    #[divan::bench]
    fn boxes() -> Box<u8> {
        Box::new(black_box(1))
    }
}
