//! The values of the options that take effect at a start only, as they are written: a reload names those that differ.

use std::fmt::Debug;

use super::ConfigOptions;
use super::events::EventOptions;
use crate::gateway::server::settings::WrittenOptions;

/// Makes a list of the options and their values.
macro_rules! written {
    ($options:ident: $($name:ident),+ $(,)?) => {
        vec![$((stringify!($name), text(&$options.$name))),+]
    };
}

/// Returns all of them.
pub(super) fn options(options: &ConfigOptions, events: &EventOptions) -> WrittenOptions {
    let mut all = written!(
        options: primary_hostname, local_interfaces, tls_on_connect_ports, metrics_interface,
        spool_directory, store, maildir, quarantine_maildir,
        message_memory_limit, smtp_data_min_rate, smtp_accept_max, smtp_accept_max_per_host,
        dmarc_report_keep, dmarc_history_file, dmarc_forensic_sender,
    );
    all.extend(events.written());
    WrittenOptions(all)
}

/// The Debug form of a value is complete.
pub(super) fn text(value: &dyn Debug) -> String {
    format!("{value:?}")
}
