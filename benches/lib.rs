//! What the benches share is in the crates; this library is empty.
