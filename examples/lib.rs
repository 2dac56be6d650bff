//! What the programs of this package share. Each of them is an example: see `examples/*/main.rs`.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "gateway"),
    expect(dead_code, reason = "without the server, much of what it is made of is idle")
)]

#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../docs/adopt.md")]
mod adopt {}
pub mod cases;
#[expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "its only users are the programs, fuzz targets and tests of this repository"
)]
#[expect(rustdoc::private_intra_doc_links, reason = "its pages are for who changes it")]
pub mod gateway;
