//! Ports for one test.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU8, Ordering};

/// Two hundred ports of loopback that no other test uses while this lives.
pub(crate) struct Block {
    first: u16,
    /// The last of them: whoever could bind it has the block.
    _claim: TcpListener,
}

impl Block {
    pub(crate) fn claim() -> Self {
        // Below 32,768, where the system begins to hand out ports to clients.
        (21_000..32_600)
            .step_by(200)
            .find_map(|first| {
                let claim = TcpListener::bind(("127.0.0.1", first + 199)).ok()?;
                Some(Self { first, _claim: claim })
            })
            .unwrap()
    }

    pub(crate) fn first(&self) -> u16 {
        self.first
    }

    /// A port that `scripts/peers` leaves to us; there are ninety.
    pub(crate) fn own(&self, index: u16) -> u16 {
        self.first + 100 + index
    }
}

/// The third octet of addresses of loopback whose listeners may outlive the test: no other test has them.
pub(crate) fn own_network() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
