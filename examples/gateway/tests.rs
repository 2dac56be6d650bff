//! Tests of the library's inside.

// Those of the machines of SMTP need no server.
mod framing;
mod session;
mod session_chunks;
mod session_greeting;
mod session_limits;
mod session_prdr;
mod session_require_tls;
mod session_texts;
mod stuffing;

#[cfg(feature = "gateway")]
mod acl_condition;
#[cfg(feature = "gateway")]
mod certificate;
#[cfg(feature = "gateway")]
mod client;
#[cfg(feature = "gateway")]
mod client_lists;
#[cfg(feature = "gateway")]
mod client_steps;
#[cfg(feature = "gateway")]
mod closing;
#[cfg(feature = "gateway")]
mod company;
#[cfg(feature = "gateway")]
mod config;
#[cfg(feature = "gateway")]
mod config_check;
#[cfg(feature = "gateway")]
mod config_effect;
#[cfg(feature = "gateway")]
mod config_lookups;
#[cfg(feature = "gateway")]
mod config_metrics;
#[cfg(feature = "gateway")]
mod config_redis;
#[cfg(feature = "gateway")]
mod config_remote;
#[cfg(feature = "gateway")]
mod config_tls;
#[cfg(feature = "gateway")]
mod config_told;
#[cfg(feature = "gateway")]
mod connection;
#[cfg(feature = "gateway")]
mod database_file;
#[cfg(feature = "gateway")]
mod dead_disk;
#[cfg(feature = "test-util")]
mod deadlines;
#[cfg(feature = "gateway")]
mod dmarc;
#[cfg(feature = "gateway")]
mod engines;
#[cfg(feature = "gateway")]
mod events;
#[cfg(feature = "gateway")]
mod events_acl;
#[cfg(feature = "gateway")]
mod events_failing;
#[cfg(feature = "gateway")]
mod events_options;
#[cfg(feature = "gateway")]
mod events_possible;
#[cfg(feature = "gateway")]
mod events_queue;
#[cfg(feature = "gateway")]
mod exposition;
#[cfg(feature = "gateway")]
mod folder;
#[cfg(feature = "gateway")]
mod forged;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
mod header;
#[cfg(feature = "gateway")]
mod help;
#[cfg(feature = "gateway")]
mod host_name;
#[cfg(feature = "gateway")]
mod hosts;
#[cfg(feature = "gateway")]
mod journal;
#[cfg(feature = "gateway")]
mod limits;
#[cfg(feature = "gateway")]
mod limits_honest;
#[cfg(feature = "gateway")]
mod log_limits;
#[cfg(feature = "gateway")]
mod log_lines;
#[cfg(feature = "gateway")]
mod log_selector;
#[cfg(feature = "gateway")]
mod mailbox_delivery;
#[cfg(feature = "gateway")]
mod mailboxes;
#[cfg(feature = "gateway")]
mod maildir;
#[cfg(feature = "gateway")]
mod manual;
#[cfg(feature = "gateway")]
mod memory;
#[cfg(feature = "gateway")]
mod message_id;
#[cfg(feature = "gateway")]
mod metrics;
#[cfg(feature = "gateway")]
mod metrics_live;
#[cfg(feature = "gateway")]
mod metrics_page;
#[cfg(feature = "gateway")]
mod mta_sts;
#[cfg(feature = "gateway")]
mod named_rules;
#[cfg(feature = "gateway")]
mod next_hop;
#[cfg(feature = "gateway")]
mod next_hosts;
#[cfg(feature = "gateway")]
mod notes;
#[cfg(feature = "gateway")]
mod outcome;
#[cfg(feature = "gateway")]
mod outgoing_tls;
#[cfg(feature = "gateway")]
mod pace;
#[cfg(feature = "gateway")]
mod patience;
#[cfg(feature = "gateway")]
mod ratelimit;
#[cfg(feature = "gateway")]
mod relay;
#[cfg(feature = "gateway")]
mod relay_prdr;
#[cfg(feature = "gateway")]
mod reload;
#[cfg(feature = "gateway")]
mod repeats;
#[cfg(feature = "gateway")]
mod reporting;
#[cfg(feature = "gateway")]
mod resolver;
#[cfg(feature = "gateway")]
mod routing;
#[cfg(feature = "gateway")]
mod rules;
#[cfg(feature = "gateway")]
mod rules_delay;
#[cfg(feature = "gateway")]
mod rules_dmarc;
#[cfg(feature = "gateway")]
mod rules_fields;
#[cfg(feature = "gateway")]
mod rules_header_edits;
#[cfg(feature = "gateway")]
mod rules_idle;
#[cfg(feature = "gateway")]
mod rules_language;
#[cfg(feature = "gateway")]
mod rules_limits;
#[cfg(feature = "gateway")]
mod rules_of_2014;
#[cfg(feature = "gateway")]
mod rules_of_2014_lookups;
#[cfg(feature = "gateway")]
mod rules_spf;
#[cfg(feature = "gateway")]
mod rules_unsupported;
#[cfg(feature = "gateway")]
mod rules_variables;
#[cfg(feature = "gateway")]
mod rules_verbs;
#[cfg(feature = "gateway")]
mod rules_wrong;
#[cfg(feature = "gateway")]
mod rules_wrong_lists;
#[cfg(feature = "gateway")]
mod scenario;
#[cfg(feature = "gateway")]
mod scratch;
#[cfg(feature = "gateway")]
mod security;
#[cfg(feature = "gateway")]
mod session_unasked;
#[cfg(feature = "gateway")]
mod shared;
#[cfg(feature = "gateway")]
mod store;
#[cfg(feature = "gateway")]
mod store_reading;
#[cfg(feature = "gateway")]
mod tls_expanded;
#[cfg(feature = "gateway")]
mod tls_on_connect;
#[cfg(feature = "gateway")]
mod tls_report;
#[cfg(feature = "gateway")]
mod tls_server;
#[cfg(feature = "gateway")]
mod variables;
#[cfg(feature = "gateway")]
mod withheld;
#[cfg(feature = "gateway")]
mod writers;
