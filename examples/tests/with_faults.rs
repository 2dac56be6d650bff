//! The gateway under load while something else fails: its disk, the DNS, Redis, a database, a responder, a next hop; and
//! while clients and servers are hostile. No message that was answered 250 is lost or cut, none is accepted past a policy that
//! could not be checked, and all goes on by itself afterwards.
//!
//! `FAULT_SECONDS` says how long each fault lasts (2 if it does not).

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

mod load {
    pub(crate) mod memory;
    pub(crate) mod program;
    pub(crate) mod sender;
    pub(crate) mod whole_name;
}

mod peers {
    #[expect(dead_code, reason = "other tests use more of it")]
    pub(crate) mod authority;
    #[expect(dead_code, reason = "other tests use more of it")]
    pub(crate) mod block;
    #[expect(dead_code, reason = "`authority` uses little of it")]
    pub(crate) mod servers;
}

mod send {
    pub(crate) mod server;
}

mod faults {
    pub(crate) mod clients;
    pub(crate) mod database;
    pub(crate) mod disk;
    pub(crate) mod dns;
    pub(crate) mod fault;
    pub(crate) mod hostile;
    pub(crate) mod name_server;
    pub(crate) mod next_hop;
    #[cfg(feature = "redis")]
    pub(crate) mod redis;
    pub(crate) mod responder;
    pub(crate) mod secure_hop;
}
