//! The variables of events.

use event_expand::{Event, EventName};

use super::outgoing_tls::OutgoingTls;
use super::settings::{LOCAL_DELIVERY, REMOTE_SMTP};

/// Tells whether an event may set a variable.
pub(crate) fn may_set(event: EventName, transport: Option<&str>, name: &str) -> bool {
    use EventName::{
        MsgComplete, MsgDelivery, MsgFailDelivery, MsgRcptDefer, MsgRcptHostDefer, TcpClose,
        TcpConnect,
    };
    let of_recipient =
        matches!(event, MsgDelivery | MsgFailDelivery | MsgRcptDefer | MsgRcptHostDefer);
    let is_kept = transport == Some(LOCAL_DELIVERY);
    match name {
        "domain" | "local_part" => of_recipient,
        "transport_name" | "router_name" => transport.is_some(),
        "host" | "host_address" | "host_port" | "sending_ip_address" | "sending_port" => {
            transport == Some(REMOTE_SMTP)
        }
        // No event sets it.
        "tls_out_ourcert" => true,
        _ if OutgoingTls::VARIABLES.contains(&name) => transport == Some(REMOTE_SMTP),
        "event_data" => !is_kept && !matches!(event, MsgComplete | TcpClose | TcpConnect),
        _ => true,
    }
}

/// Tells whether actions have such a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    variables().any(|known| known == name)
}

/// Returns the names of all.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    let others = Event::VARIABLES.iter().chain(&FACTS).chain(&MOMENTS).copied();
    others.chain(["message_id"])
}

/// Variables of the session and its message.
pub const FACTS: [&str; 15] = [
    "primary_hostname",
    "received_protocol",
    "sender_address",
    "sender_address_domain",
    "sender_address_local_part",
    "sender_helo_name",
    "sender_host_address",
    "sender_host_name",
    "sender_host_port",
    "tls_in_certificate_verified",
    "tls_in_cipher",
    "tls_in_ocsp",
    "tls_in_peerdn",
    "tls_in_sni",
    "tls_sni",
];

/// The time variables, in UTC.
pub(crate) const MOMENTS: [&str; 3] = ["tod_epoch", "tod_log", "tod_zulu"];

/// The variables of both kinds with untrusted values.
pub(crate) const UNTRUSTED: [&str; 26] = [
    "domain",
    "event_data",
    "host",
    "host_address",
    "host_port",
    "local_part",
    "sender_address",
    "sender_address_domain",
    "sender_address_local_part",
    "sender_helo_name",
    "sender_host_address",
    "sender_host_name",
    "sender_host_port",
    "sending_ip_address",
    "sending_port",
    "tls_in_cipher",
    "tls_in_ourcert",
    "tls_in_peercert",
    "tls_in_peerdn",
    "tls_in_sni",
    "tls_out_cipher",
    "tls_out_ourcert",
    "tls_out_peercert",
    "tls_out_peerdn",
    "tls_out_sni",
    "tls_sni",
];
