//! DKIM of the gateway: what is hashed, which signatures and keys are read, and what comes of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod canonical;
mod keys;
mod signing;
mod tags;
mod verdicts;
