//! SPF on cached records, and parsing a record, beside mail-auth (feature `peers`).
//!
//! With `--test` each runs once. With `--instructions` callgrind counts ours, and more than the bar are a
//! failure; with the feature they stand beside the peer's.

#[cfg(feature = "peers")]
mod mail_auth_cache;
#[cfg(feature = "peers")]
mod spf_peer;
mod spf_shapes;

use std::hint::black_box;

use benches::{Task, Work};
use spf_result::Record;
use spf_shapes::{cache, check, shapes};

fn main() {
    assert_eq!(RECORD.len(), 171);
    benches::run(&tasks());
}

/// What is parsed, 171 octets.
const RECORD: &str = "v=spf1 include:_spf.google.com include:spf.protection.outlook.com \
    ip4:192.0.2.0/24 ip4:198.51.100.7 ip6:2001:db8:100::/36 mx a:mail.example.com/28 \
    exists:%{i}._s.%{d} -all";

fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for shape in shapes() {
        let name = shape.name;
        let mut works: Vec<Work<'static>> = Vec::new();
        #[cfg(feature = "peers")]
        let (peer, wanted) = (spf_peer::Peer::new(&shape), shape.result);
        let cache = cache(&shape);
        let ours = move || check(black_box(&shape), &cache) == Some(shape.result);
        works.push(("ours", Box::new(ours)));
        #[cfg(feature = "peers")]
        works.push(("mail-auth", Box::new(move || black_box(&peer).check() == Some(wanted))));
        tasks.push(Task { name, works });
    }
    let ours = || Record::parse(black_box(RECORD.as_bytes())).is_ok();
    let works: Vec<Work<'static>> = vec![
        ("ours", Box::new(ours)),
        #[cfg(feature = "peers")]
        ("mail-auth", Box::new(|| spf_peer::parse(black_box(RECORD)))),
    ];
    tasks.push(Task { name: "parse of 171 octets", works });
    tasks
}
