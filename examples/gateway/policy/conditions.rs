//! The conditions of rules, a file for each kind.

pub(crate) mod acl;
pub(crate) mod dmarc;
pub(crate) mod header;
pub(crate) mod lists;
pub(crate) mod ratelimit;
pub(crate) mod spf;
pub(crate) mod truth;
