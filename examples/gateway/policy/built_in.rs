//! The variables that have the same meaning in all texts: the name of each, where it can have a value, and which.

use mail_types::exim::{Trust, Value};
use mail_types::smtp::Mailbox;
use time::OffsetDateTime;

use super::context::Context;
use super::message_text::{all_fields, body_start};
use super::stage::Stage;
use crate::gateway::smtp::peer::{FullHost, protocol};

type ValueOf = for<'a> fn(&'a Context<'_>) -> Option<Value<'a>>;

/// The name of each, where it can have a value, and which.
pub(crate) const BUILT_IN: &[(&str, &[Stage], ValueOf)] = &[
    ("sender_host_address", EVERYWHERE, |context| Some(text(&context.client?.address.ip()))),
    ("sender_host_port", EVERYWHERE, |context| Some(text(&context.client?.address.port()))),
    ("sender_host_name", Stage::NAMED, |context| context.client?.host_name.as_ref().map(text)),
    ("sender_helo_name", Stage::GREETED, |context| some(&context.greeting?.name)),
    ("sender_fullhost", Stage::NAMED, |context| {
        Some(text(&FullHost(context.client?, context.greeting?)))
    }),
    ("received_ip_address", EVERYWHERE, |context| Some(text(&context.client?.server.ip()))),
    ("received_port", EVERYWHERE, |context| Some(text(&context.client?.server.port()))),
    ("received_protocol", &Stage::ALL, |context| {
        let utf8 = context.transaction.is_some_and(|transaction| transaction.utf8);
        Some(word(&protocol(context.greeting?, utf8).to_lowercase()))
    }),
    ("primary_hostname", EVERYWHERE, |context| Some(Value::trusted(context.host))),
    ("tls_in_sni", Stage::SECURED, sni),
    ("tls_sni", Stage::SECURED, sni),
    ("tls_in_ocsp", Stage::GREETED, |context| Some(Value::trusted(context.client?.tls_in_ocsp()))),
    ("tls_in_cipher", Stage::GREETED, |context| {
        context.client?.tls.as_ref().and_then(|tls| some(tls.cipher.as_deref()?))
    }),
    ("tls_in_certificate_verified", Stage::GREETED, |context| {
        Some(Value::trusted(context.client?.certificate_verified()))
    }),
    ("tls_in_ourcert", Stage::GREETED, |context| context.client?.own_certificate().map(|_| cert())),
    ("tls_in_peercert", Stage::GREETED, |context| context.client?.certificate().map(|_| cert())),
    ("tls_in_peerdn", Stage::GREETED, |context| {
        context.client?.certificate().and_then(|certificate| some(&certificate.subject))
    }),
    ("smtp_command", Stage::GREETED, |context| Some(Value::new(context.command, Trust::Untrusted))),
    ("sender_address", Stage::MESSAGE, |context| sender(context).map(text)),
    ("sender_address_local_part", Stage::MESSAGE, |context| {
        sender(context).and_then(|s| some(s.local_part()))
    }),
    ("sender_address_domain", Stage::MESSAGE, |context| sender(context).map(|s| text(s.host()))),
    ("prdr_requested", Stage::MESSAGE, |context| {
        let asked = context.transaction.is_some_and(|transaction| transaction.prdr);
        Some(Value::trusted(if asked { "yes" } else { "no" }))
    }),
    ("local_part", Stage::RECIPIENT, |context| {
        context.recipient.and_then(|r| some(r.local_part()))
    }),
    ("domain", Stage::RECIPIENT, |context| context.recipient.map(|r| text(r.host()))),
    ("recipients_count", Stage::MESSAGE, |context| match context.stage {
        Stage::Data => Some(word(&context.state.takers())),
        _ => context.transaction.map(|transaction| word(&transaction.recipients.len())),
    }),
    ("rcpt_count", Stage::MESSAGE, |context| Some(word(&context.transaction?.rcpts.all))),
    ("rcpt_fail_count", Stage::MESSAGE, |context| Some(word(&context.transaction?.rcpts.failed))),
    ("rcpt_defer_count", Stage::MESSAGE, |context| {
        Some(word(&context.transaction?.rcpts.deferred))
    }),
    ("recipients", Stage::CONTENT, |context| Some(text(&recipients(context)?.join(", ")))),
    ("message_headers", Stage::CONTENT, |context| {
        Some(Value::new(all_fields(context.message), Trust::Untrusted))
    }),
    ("message_body", Stage::CONTENT, |context| {
        let visible = context.services.message_body_visible;
        Some(Value::new(body_start(context.message, visible), Trust::Untrusted))
    }),
    ("tod_epoch", EVERYWHERE, |_| Some(word(&OffsetDateTime::now_utc().unix_timestamp()))),
    ("tod_log", EVERYWHERE, |_| Some(word(&log_time(OffsetDateTime::now_utc())))),
    ("message_size", Stage::MESSAGE, |context| match context.message.len() {
        0 => context.transaction.map(|transaction| word(&transaction.size)),
        size => Some(word(&size)),
    }),
    ("profile", Stage::PROFILED, |context| {
        context.profile().map(|profile| Value::new(profile, Trust::Untrusted))
    }),
];

fn sni<'a>(context: &'a Context<'_>) -> Option<Value<'a>> {
    context.client?.sni().and_then(some)
}

/// The text of a certificate.
fn cert() -> Value<'static> {
    Value::new(&b"<cert>"[..], Trust::Untrusted)
}

fn sender<'a>(context: &'a Context<'_>) -> Option<&'a Mailbox> {
    context.transaction.and_then(|transaction| transaction.sender.mailbox())
}

/// The recipients that the stage is about.
fn recipients(context: &Context<'_>) -> Option<Vec<String>> {
    let recipients = &context.transaction?.recipients;
    let takers = context.state.taker_numbers();
    // Where the others are still in the transaction, they did not accept the message.
    let is_left = |at: &usize| {
        context.stage != Stage::Data || recipients.len() == takers.len() || takers.contains(at)
    };
    let left = recipients.iter().enumerate().filter(|(at, _)| is_left(at));
    Some(left.map(|(_, recipient)| recipient.to_string()).collect())
}

/// A time as Exim writes it in its log.
pub(crate) fn log_time(time: OffsetDateTime) -> String {
    let (date, hour, minute, second) = (time.date(), time.hour(), time.minute(), time.second());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn some(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then(|| Value::new(text.as_bytes(), Trust::Untrusted))
}

fn text(value: &impl ToString) -> Value<'static> {
    Value::new(value.to_string().into_bytes(), Trust::Untrusted)
}

pub(super) fn word(value: &impl ToString) -> Value<'static> {
    Value::new(value.to_string().into_bytes(), Trust::Trusted)
}

/// Those whose values come from outside.
pub(crate) const UNTRUSTED: &[&str] = &[
    "sender_host_address",
    "sender_host_port",
    "sender_host_name",
    "sender_helo_name",
    "sender_fullhost",
    "received_ip_address",
    "received_port",
    "proxy_external_address",
    "proxy_external_port",
    "proxy_host_address",
    "proxy_host_port",
    "proxy_local_address",
    "proxy_local_port",
    "proxy_target_address",
    "proxy_target_port",
    "tls_in_cipher",
    "tls_in_ourcert",
    "tls_in_peercert",
    "tls_in_peerdn",
    "tls_in_sni",
    "tls_sni",
    "smtp_command",
    "sender_address",
    "sender_address_local_part",
    "sender_address_domain",
    "local_part",
    "domain",
    "recipients",
    "message_headers",
    "message_body",
    "profile",
    "spf_header_comment",
    "spf_received",
    "spf_smtp_comment",
    "spf_used_domain",
    "dmarc_used_domain",
    "dmarc_ar_header",
];

/// All stages, also those without rules.
pub(super) const EVERYWHERE: &[Stage] = &[
    Stage::Accept,
    Stage::Client,
    Stage::Connect,
    Stage::Tls,
    Stage::Helo,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Prdr,
    Stage::Data,
];
