//! The log: events with fields, and for people lines in Exim's form.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::{Mailbox, Reply};
use thiserror::Error as ThisError;
use tracing::{Level, error, info, warn};
use tracing_subscriber::Layer as _;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::log_format::LogFormat;
use super::repeats::{LineKind, Repeats, Sum};
use crate::cases::count::counted;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::peer::{Client, Host};
use crate::gateway::smtp::session::{Fault, Session};

/// Reads the filter `RUST_LOG`; one that is not set, or empty, is `info`.
///
/// # Errors
///
/// The first directive that is not one.
pub fn filter() -> Result<Targets, FilterError> {
    let text = std::env::var_os("RUST_LOG").unwrap_or_default();
    read_filter(&text.to_string_lossy())
}

/// Reads a filter. A word without a `=` is a level here: as a target, which the format of `RUST_LOG` permits
/// too, a misspelled level would silence the log.
pub(crate) fn read_filter(text: &str) -> Result<Targets, FilterError> {
    if text.trim().is_empty() {
        return Ok(Targets::new().with_default(Level::INFO));
    }
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    let is_sound = |directive: &&str| match directive.split_once('=') {
        Some((target, level)) => !target.trim().is_empty() && is_level(level.trim()),
        None => directive.trim().is_empty() || is_level(directive.trim()),
    };
    if let Some(directive) = text.split(',').find(|directive| !is_sound(directive)) {
        return Err(FilterError { directive: directive.trim().to_owned() });
    }
    let directives: Vec<_> = text.split(',').map(full).collect();
    directives.join(",").parse().map_err(|_| FilterError { directive: text.to_owned() })
}

/// Writes a directive without blanks, and the target `gateway`, or one below it, as the path of its module.
fn full(directive: &str) -> String {
    let Some((target, level)) = directive.split_once('=') else { return directive.trim().into() };
    let (target, level) = (target.trim(), level.trim());
    let is_own = target.split("::").next() == Some("gateway");
    format!("{}{target}={level}", if is_own { "examples::" } else { "" })
}

/// `RUST_LOG` is no filter.
#[derive(Clone, Debug, ThisError, Eq, PartialEq)]
#[error(
    "RUST_LOG: {directive:?} is neither a level (off, error, warn, info, debug, trace) nor TARGET=LEVEL"
)]
pub struct FilterError {
    directive: String,
}

/// Starts the log on standard error.
pub fn start(format: LogFormat, chosen: Targets) {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => {
            layer.with_target(false).with_level(false).fmt_fields(MessageOnly).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(chosen)).init();
}

/// The limit of log lines that clients can cause, shared by all connections.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<Repeats>);

impl Limiter {
    /// Counts a line of a host; tells whether to write it.
    pub(crate) fn writes(&self, host: IpAddr, kind: LineKind) -> bool {
        self.told(|repeats| repeats.count(host, kind, Instant::now()))
    }

    /// The same; what no host caused is written.
    pub(crate) fn writes_for(&self, host: Option<IpAddr>, kind: LineKind) -> bool {
        host.is_none_or(|host| self.writes(host, kind))
    }

    /// A message of a host was accepted.
    pub(crate) fn accept(&self, host: IpAddr) {
        self.told(|repeats| repeats.accept(host));
    }

    /// Writes the numbers of omitted lines of past intervals.
    pub(crate) fn sum_up(&self) {
        self.told(|repeats| repeats.sweep(Instant::now()));
    }

    /// Writes the numbers of omitted lines at the end.
    pub(crate) fn end(&self) {
        self.told(Repeats::end);
    }

    fn told<T>(&self, work: impl FnOnce(&mut Repeats) -> T) -> T {
        let (result, sums) = {
            // A panic cannot leave inconsistent data here.
            let mut repeats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (work(&mut repeats), repeats.take_sums())
        };
        sums.iter().for_each(left_out);
        result
    }
}

/// Logs the number of omitted lines.
fn left_out(sum: &Sum) {
    let Sum { refusals, rules, deliveries, .. } = *sum;
    let host = sum.host.map_or_else(
        || "other hosts".into(),
        |host| match host {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[{address}/64]"),
        },
    );
    if refusals > 0 {
        let told = counted(refusals, "more refusal");
        info!(event = "refusals", host, count = refusals, "H={host} {told}");
    }
    if rules > 0 {
        let told = counted(rules, "more line");
        info!(event = "rules", host, count = rules, "H={host} {told} of rules");
    }
    if deliveries > 0 {
        let told = counted(deliveries, "more line");
        info!(
            event = "deliveries",
            host,
            count = deliveries,
            "H={host} {told} of failed deliveries"
        );
    }
}

/// Logs a refused command: `what` is the command, such as `RCPT <a@b.example>`, and `why` the reply or
/// the rule's log message. `limiter` limits the lines.
pub(crate) fn refusal(
    limiter: &Limiter,
    session: &Session,
    client: &Client,
    what: &str,
    why: &str,
) {
    if !limiter.writes(client.address.ip(), LineKind::Refusal) {
        return;
    }
    let (host, sender) = (Host(client, session.greeting()), sender(session));
    let what = Value::new(what.as_bytes(), Trust::Untrusted).to_string();
    let address = client.address.ip();
    let text = Value::new(why.as_bytes(), Trust::Untrusted);
    let path = path(sender.as_deref());
    info!(event = "refusal", host = %address, sender, what, "H={host}{path} rejected {what}: {text}");
}

/// Logs a client's mistake in the protocol, with the reply that it got.
pub(crate) fn mistake(
    limiter: &Limiter,
    session: &Session,
    client: &Client,
    fault: Fault,
    reply: &Reply,
) {
    let address = client.address.ip();
    if !limiter.writes(address, LineKind::Refusal) {
        return;
    }
    let host = Host(client, session.greeting());
    let reply = Value::new(reply.to_string().into_bytes(), Trust::Untrusted).to_string();
    let kind = match fault {
        Fault::Protocol => "protocol",
        Fault::Syntax => "syntax",
    };
    info!(event = "mistake", host = %address, kind, reply, "H={host} SMTP {kind} error: {reply}");
}

/// Logs a TLS handshake that has failed.
pub(crate) fn failed_handshake(
    limiter: &Limiter,
    session: &Session,
    client: &Client,
    error: &io::Error,
) {
    let address = client.address.ip();
    if limiter.writes(address, LineKind::Refusal) {
        let (host, reason) = (Host(client, session.greeting()), chain(error));
        let reason = Value::new(reason.as_bytes(), Trust::Untrusted).to_string();
        info!(event = "tls", host = %address, reason, "H={host} TLS handshake failed: {reason}");
    }
}

/// Logs a host that is refused for too many connections.
pub(crate) fn too_many_connections(limiter: &Limiter, host: IpAddr) {
    if limiter.writes(host, LineKind::Refusal) {
        info!(event = "refusal", %host, "H=[{host}] has too many connections");
    }
}

/// Logs a proxy that is refused for a missing or invalid header.
pub(crate) fn no_proxy_header(limiter: &Limiter, peer: SocketAddr, why: &str) {
    let address = peer.ip();
    if limiter.writes(address, LineKind::Refusal) {
        info!(event = "proxy", %peer, "PROXY header required of [{address}]: {why}");
    }
}

/// Logs a PROXY header from a host of which none is expected, or a second one.
pub(crate) fn stray_proxy_header(limiter: &Limiter, client: &Client) {
    let (address, peer) = (client.address.ip(), client.session.peer());
    if !limiter.writes(address, LineKind::Refusal) {
        return;
    }
    if client.session.outcome().is_some() {
        info!(event = "proxy", %peer, "a second PROXY header behind that of [{}]: one proxy behind another must not add a header", peer.ip());
        return;
    }
    info!(
        event = "proxy", %peer,
        "PROXY header from [{address}], which proxy_required_hosts does not match: if it is a trusted proxy, add its address there"
    );
}

/// Logs the text of a rule, whose values cannot break the line, with the message and its sender from MAIL on.
pub(crate) fn rule(
    limiter: &Limiter,
    session: &Session,
    client: &Client,
    message: Option<MessageId>,
    line: &str,
) {
    let (host, address) = (Host(client, session.greeting()), client.address.ip());
    if !limiter.writes(address, LineKind::Rule) {
        return;
    }
    let sender = sender(session);
    let id = message.filter(|_| sender.is_some()).map(|id| id.to_string());
    let begin = id.as_ref().map(|id| format!("{id} ")).unwrap_or_default();
    let path = path(sender.as_deref());
    info!(event = "rule", id, host = %address, sender, text = line, "{begin}H={host}{path} {line}");
}

/// Logs the text of a rule that the action of an event has called, for a client's session or without one.
pub(crate) fn event_rule(limiter: &Limiter, host: Option<IpAddr>, name: &str, line: &str) {
    if limiter.writes_for(host, LineKind::Rule) {
        info!(event = "rule", name, text = line, "event_action {name}: {line}");
    }
}

/// Logs what the action of an event returned to change what happens, for a client's session or without one.
pub(crate) fn alternate_response(limiter: &Limiter, host: Option<IpAddr>, name: &str, text: &str) {
    if limiter.writes_for(host, LineKind::Rule) {
        info!(event = "event_action", name, "{name} event requests alternate response: {text}");
    }
}

/// Logs an action that failed, for a client's session or without one: `why` has its place and the reason.
pub(crate) fn failed_action(limiter: &Limiter, host: Option<IpAddr>, name: &str, why: &str) {
    if limiter.writes_for(host, LineKind::Rule) {
        error!(event = "event_action", name, "failed to expand event_action {name} {why}");
    }
}

/// Logs a failure report that is not written, since its destination had many; a message of a host caused it.
pub(crate) fn held_report(limiter: &Limiter, host: IpAddr, to: &Mailbox) {
    if limiter.writes(host, LineKind::Refusal) {
        let mut shown = String::new();
        show(&mut shown, to);
        info!(event = "failure_report", "failure report to <{shown}> omitted: rate limit");
    }
}

/// Logs a failure report whose destinations are not checked, since as many others are being checked.
pub(crate) fn unasked_report(limiter: &Limiter, host: IpAddr, others: usize) {
    if limiter.writes(host, LineKind::Refusal) {
        warn!(event = "failure_report", "failure report omitted: {others} others are pending");
    }
}

/// An error with the causes that its own text does not include.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text = format!("{text}: {own}");
        }
        cause = error.source();
    }
    text
}

/// The sender in a log line: `<>` is the null sender; before `MAIL` a session has no sender.
pub(super) fn sender(session: &Session) -> Option<String> {
    let mut shown = String::new();
    match session.transaction()?.sender.mailbox() {
        Some(mailbox) => show(&mut shown, mailbox),
        None => shown.push_str("<>"),
    }
    Some(shown)
}

/// The part of a line for the sender, empty before MAIL.
fn path(sender: Option<&str>) -> String {
    match sender {
        None => String::new(),
        Some("<>") => " F=<>".to_owned(),
        Some(sender) => format!(" F=<{sender}>"),
    }
}

/// Adds a mailbox; characters that could break the line or change its direction are escaped.
pub(super) fn show(line: &mut String, mailbox: &Mailbox) {
    // Writing to a String cannot fail.
    let _ = write!(line, "{}", Value::new(mailbox.to_string().into_bytes(), Trust::Untrusted));
}

/// Writes the message of an event without its fields.
struct MessageOnly;

impl<'w> FormatFields<'w> for MessageOnly {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut written = Ok(());
        fields.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
            if field.name() == "message" {
                written = write!(writer, "{value:?}");
            }
        });
        written
    }
}
