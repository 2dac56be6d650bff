//! DKIM of the gateway: canonical forms, signatures, keys and results.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod canonical;
mod keys;
mod signing;
mod tags;
mod verdicts;
