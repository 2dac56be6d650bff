//! The programs of this package are its examples; this library only tests them, and the README's code.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

// Not as a test of the example itself: then Cargo would build no program for the tests that run it.
#[cfg(test)]
#[expect(dead_code, reason = "its tests do not start the program")]
#[path = "gateway/main.rs"]
mod gateway;
