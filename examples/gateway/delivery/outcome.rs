//! The outcome of each recipient of a message that was sent to other hosts.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::{Mailbox, Reply, ReversePath};
use serde::{Serialize, Serializer};

use super::tls_report::TlsReportLine;
use crate::gateway::telemetry::log_selector::{LogSelector, LogWord};

/// The outcome of one recipient. Its `Display` is a line of the log in Exim's form.
#[derive(Clone, Debug, Serialize)]
pub struct RecipientOutcome {
    #[serde(serialize_with = "as_text")]
    pub(crate) recipient: Mailbox,
    /// Whether it has the message.
    pub result: DeliveryResult,
    /// The host, once one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsOutcome>,
    pub(crate) prdr: bool,
    pub(crate) chunking: bool,
    /// The reply that decides, of the host or of this program.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_line")]
    pub(crate) reply: Option<Reply>,
    /// Why it does not have the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// A line for each attempt, for reports about TLS (RFC 8460).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tls_reports: Vec<TlsReportLine>,
    /// The other parts of a line of the log.
    #[serde(skip)]
    pub(crate) details: LineDetails,
}

/// The parts of a line of the log that are not of the outcome itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineDetails {
    pub(crate) selector: LogSelector,
    /// The sender, in angle brackets, if it is selected.
    pub(crate) sender: Option<String>,
    /// The size of the message, in octets.
    pub(crate) size: Option<usize>,
    /// The time of the delivery.
    pub(crate) took: Option<Duration>,
}

impl LineDetails {
    /// The details of a message of this sender, as far as they are selected.
    pub(crate) fn new(selector: LogSelector, sender: &ReversePath) -> Self {
        let sender = selector.has(LogWord::SenderOnDelivery).then(|| sender.to_string());
        Self { selector, sender, ..Self::default() }
    }
}

/// The result for a recipient, from the best to the worst.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.2.1 has just these three")]
pub enum DeliveryResult {
    /// It has the message.
    Delivered,
    /// Try again later.
    Deferred,
    /// Do not try again.
    Failed,
}

impl DeliveryResult {
    /// Returns its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
        }
    }
}

/// The TLS of a connection, with the names of Exim's variables.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct TlsOutcome {
    /// `tls_out_cipher`.
    pub(crate) cipher: String,
    /// `tls_out_certificate_verified`, and whether by DANE.
    pub(crate) verified: Verified,
    /// `tls_out_sni`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sni: Option<String>,
    /// `tls_out_tlsa_usage`: bit n for records of usage n.
    pub(crate) tlsa_usage: u8,
    /// `tls_out_ocsp`.
    pub(crate) ocsp: u8,
    /// The record that matches, or why the server is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<String>,
}

/// The verification of a server.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verified {
    #[default]
    No,
    /// By an authority.
    Yes,
    Dane,
}

impl RecipientOutcome {
    pub(crate) fn new(recipient: &Mailbox, result: DeliveryResult) -> Self {
        Self {
            recipient: recipient.clone(),
            result,
            host: None,
            address: None,
            tls: None,
            prdr: false,
            chunking: false,
            reply: None,
            reason: None,
            tls_reports: Vec::new(),
            details: LineDetails::default(),
        }
    }

    pub(crate) fn because(self, reason: impl fmt::Display) -> Self {
        Self { reason: Some(reason.to_string()), ..self }
    }
}

impl fmt::Display for RecipientOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.result {
            DeliveryResult::Delivered => "=>",
            DeliveryResult::Deferred => "==",
            DeliveryResult::Failed => "**",
        };
        let LineDetails { selector, sender, size, took } = &self.details;
        write!(f, "{sign} {}", line(&self.recipient.to_string()))?;
        if let Some(sender) = sender {
            write!(f, " F={}", line(sender))?;
        }
        f.write_str(" T=remote_smtp")?;
        if let Some(size) = size.filter(|_| selector.has(LogWord::DeliverySize)) {
            write!(f, " S={size}")?;
        }
        if let Some(host) = &self.host {
            write!(f, " H={}", line(host))?;
        }
        if let Some(address) = &self.address {
            write!(f, " [{}]", address.ip())?;
            if selector.has(LogWord::OutgoingPort) {
                write!(f, ":{}", address.port())?;
            }
        }
        if let Some(tls) = &self.tls {
            if selector.has(LogWord::TlsCipher) {
                write!(f, " X={}", tls.cipher)?;
            }
            if selector.has(LogWord::TlsCertificateVerified) {
                write!(f, " CV={}", tls.verified)?;
            }
        }
        f.write_str(if self.prdr { " PRDR" } else { "" })?;
        f.write_str(if self.chunking { " K" } else { "" })?;
        let reason = line(&cut(self.reason.as_deref().unwrap_or_default()));
        let confirms = selector.has(LogWord::SmtpConfirmation);
        let is_delivered = self.result == DeliveryResult::Delivered;
        if let Some(reply) = self.reply.as_ref().filter(|_| is_delivered && confirms) {
            write!(f, " C=\"{}\"", quoted(reply))?;
        }
        if let Some(took) = took.filter(|_| selector.has(LogWord::DeliverTime)) {
            write!(f, " DT={:.3}s", took.as_secs_f64())?;
        }
        match self.result {
            DeliveryResult::Delivered => Ok(()),
            DeliveryResult::Deferred => write!(f, " defer: {reason}"),
            DeliveryResult::Failed => write!(f, ": {reason}"),
        }
    }
}

/// A text from the network as part of a line.
fn line(text: &str) -> String {
    Value::new(text.as_bytes(), Trust::Untrusted).to_line()
}

/// A reply between quotes: a backslash stands before a quote and a backslash, and `\n` between lines.
fn quoted(reply: &Reply) -> String {
    let reply = reply.to_string();
    let text = cut(reply.trim_end());
    let lines = text.split("\r\n").map(|text| line(text).replace('\\', "\\\\"));
    lines.map(|line| line.replace('"', "\\\"")).collect::<Vec<_>>().join("\\n")
}

/// Cuts a text from the network for a line of the log.
fn cut(text: &str) -> Cow<'_, str> {
    match text.get(..text.floor_char_boundary(MAX_TEXT)) {
        Some(start) if start.len() < text.len() => Cow::Owned(format!("{start}...")),
        _ => Cow::Borrowed(text),
    }
}

/// The most octets of a reply or reason in a line of the log.
const MAX_TEXT: usize = 1000;

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Dane => "dane",
        })
    }
}

fn as_text<S: Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn as_line<S: Serializer>(reply: &Option<Reply>, to: S) -> Result<S::Ok, S::Error> {
    let text = reply.as_ref().map(ToString::to_string).unwrap_or_default();
    to.serialize_str(text.trim_end())
}
