//! The places of texts in a configuration, each with its variables.

use super::stage::Stage;

/// The place of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "only this program has it")]
pub enum Place {
    /// In a rule or an option, for a client at this stage.
    Session(Stage),
    /// In an option for the hosts to which mail goes.
    Outgoing,
}

impl Place {
    /// Returns the place that the manual has under this name, or that of the texts of an option.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let stage = match name {
            "accept" | "host_lookup" | "proxy_required_hosts" => Stage::Accept,
            "client"
            | "dmarc_verify_hosts"
            | "helo_accept_junk_hosts"
            | "smtp_max_refused_hosts"
            | "tls_advertise_hosts"
            | "tls_try_verify_hosts"
            | "tls_verify_hosts" => Stage::Client,
            "connect" => Stage::Connect,
            "tls" | "tls_certificate" | "tls_privatekey" | "tls_ocsp_file" => Stage::Tls,
            "helo" => Stage::Helo,
            "mail" => Stage::Mail,
            "rcpt" | "local_domains" | "local_parts" | "relay_to_domains" | "route_data"
            | "maildir" | "quarantine_maildir" => Stage::Rcpt,
            "prdr" => Stage::Prdr,
            "data" => Stage::Data,
            "event"
            | "event_action"
            | "remote_smtp.event_action"
            | "local_delivery.event_action" => Stage::Event,
            "host" => return Some(Self::Outgoing),
            _ if OUTGOING
                .iter()
                .any(|option| name.strip_prefix("remote_smtp.") == Some(option)) =>
            {
                return Some(Self::Outgoing);
            }
            _ => Stage::named(name)?,
        };
        Some(Self::Session(stage))
    }

    /// Returns its name in errors.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Session(stage) => stage.option(),
            Self::Outgoing => "a connection to another host",
        }
    }
}

/// The lists of `[remote_smtp]`.
const OUTGOING: &[&str] = &[
    "dnssec_request_domains",
    "dnssec_require_domains",
    "hosts_avoid_tls",
    "hosts_report_dane",
    "hosts_request_ocsp",
    "hosts_require_dane",
    "hosts_require_ocsp",
    "hosts_require_tls",
    "hosts_send_proxy",
    "hosts_try_chunking",
    "hosts_try_dane",
    "hosts_try_prdr",
    "tls_try_verify_hosts",
    "tls_verify_cert_hostnames",
    "tls_verify_hosts",
];

impl From<Stage> for Place {
    fn from(stage: Stage) -> Self {
        Self::Session(stage)
    }
}
