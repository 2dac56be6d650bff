//! Gateway
#![allow(dead_code)]
mod command;
mod framing;
mod phrases;
mod session;
mod transaction;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "helpers of tests may panic")]
mod tests {
    mod session;
}
fn main() {}
