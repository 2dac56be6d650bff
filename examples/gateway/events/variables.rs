//! The variables that events have beside their own.

/// Variables beside the event's own: who sends the message, and from where.
pub const FACTS: [&str; 9] = [
    "primary_hostname",
    "received_protocol",
    "sender_address",
    "sender_address_domain",
    "sender_address_local_part",
    "sender_helo_name",
    "sender_host_address",
    "sender_host_name",
    "sender_host_port",
];

/// Variables that say when it happened, in UTC.
pub(crate) const MOMENTS: [&str; 3] = ["tod_epoch", "tod_log", "tod_zulu"];
