//! The programs of this package are its examples; this library only tests the README's code.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
