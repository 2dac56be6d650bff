//! The gateway with other mail programs: clients, proxies and next hops. `scripts/peers install`
//! installs them; without them the tests print SKIPPED, or fail if `CI` is `true`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

mod dkim {
    pub(crate) mod signing;
}

mod send {
    pub(crate) mod server;
}

mod peers {
    pub(crate) mod authority;
    pub(crate) mod authors;
    pub(crate) mod block;
    pub(crate) mod checks;
    pub(crate) mod client_certificates;
    pub(crate) mod dane_beside_exim;
    pub(crate) mod dane_certificates;
    pub(crate) mod dane_events;
    pub(crate) mod dane_lab;
    pub(crate) mod dane_table;
    pub(crate) mod delivery;
    pub(crate) mod delivery_line;
    pub(crate) mod dialogue;
    pub(crate) mod dkim_messages;
    pub(crate) mod dkim_peer;
    pub(crate) mod dmarc;
    pub(crate) mod dmarc_reports;
    pub(crate) mod dnssec;
    #[cfg(feature = "dnssec-ring")]
    pub(crate) mod dnssec_attacks;
    pub(crate) mod dnssec_faults;
    pub(crate) mod events;
    pub(crate) mod examined;
    pub(crate) mod expired_proof;
    pub(crate) mod faulty;
    pub(crate) mod first_message;
    pub(crate) mod fronts;
    pub(crate) mod gateway;
    pub(crate) mod injection;
    pub(crate) mod inspect_tool;
    pub(crate) mod limits;
    pub(crate) mod log_lines;
    #[cfg(feature = "pgsql")]
    pub(crate) mod lookups;
    pub(crate) mod metrics;
    pub(crate) mod name_server;
    pub(crate) mod next_hop;
    pub(crate) mod ocsp_tool;
    #[cfg(feature = "dnssec-ring")]
    pub(crate) mod on_path;
    pub(crate) mod own_certificate;
    pub(crate) mod play;
    pub(crate) mod prdr;
    pub(crate) mod prdr_cut;
    pub(crate) mod prdr_over_dane;
    pub(crate) mod proxied;
    pub(crate) mod readme;
    pub(crate) mod recorder;
    #[cfg(feature = "redis")]
    pub(crate) mod redis;
    pub(crate) mod refusal;
    pub(crate) mod relay;
    pub(crate) mod revoked;
    pub(crate) mod rules;
    pub(crate) mod rules_beside_exim;
    pub(crate) mod sent_proxy;
    pub(crate) mod servers;
    pub(crate) mod service;
    pub(crate) mod spf;
    pub(crate) mod stapled;
    pub(crate) mod stapled_hosts;
    pub(crate) mod staples;
    pub(crate) mod staples_exim;
    pub(crate) mod staples_required;
    pub(crate) mod starting;
    pub(crate) mod stray_header;
    pub(crate) mod tls_on_connect;
    pub(crate) mod tls_settings;
    pub(crate) mod unanswered;
    pub(crate) mod verdicts;
    pub(crate) mod wire;
}
