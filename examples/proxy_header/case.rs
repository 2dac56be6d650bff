//! The content of a header, as text and as JSON.

use std::fmt::Write;

use examples::cases::shown::Shown;
use proxy_protocol::{Endpoints, Header, HeaderError, HeaderOutcome, Tlv, TlvKind, Version};
use serde::Serialize;

/// The content of a header.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Case {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tlvs: Vec<Vector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// The line of the case, if it came from standard input and could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Case {
    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }

    /// Adds the line of a case that could not be read.
    pub(crate) fn on_line(self, line: usize) -> Self {
        Self { line: self.outcome.is_none().then_some(line), ..self }
    }

    pub(crate) fn incomplete(needed: usize) -> Self {
        Self { outcome: Some("incomplete"), needed: Some(needed), ..Self::default() }
    }

    pub(crate) fn failed(error: HeaderError) -> Self {
        let (text, at) = (Some(error.to_string()), error.at());
        Self { outcome: Some("failed"), error: text, at, ..Self::default() }
    }

    pub(crate) fn sound(header: &Header<'_>, consumed: usize) -> Self {
        let mut case = Self {
            outcome: Some(HeaderOutcome::from(header).as_str()),
            version: Some(if header.version == Version::V1 { 1 } else { 2 }),
            consumed: Some(consumed),
            tlvs: header.tlvs.iter().map(Vector::new).collect(),
            ..Self::default()
        };
        match header.endpoints {
            Endpoints::Inet { transport, source, destination } => {
                case.transport = Some(transport.to_string());
                case.source = Some(source.to_string());
                case.destination = Some(destination.to_string());
            }
            Endpoints::Unix { transport, source, destination } => {
                case.transport = Some(transport.to_string());
                (case.source, case.source_hex) = text_or_hex(source.name());
                (case.destination, case.destination_hex) = text_or_hex(destination.name());
            }
            _ => {}
        }
        case
    }
}

impl Shown for Case {
    fn is_sound(&self) -> bool {
        !matches!(self.outcome, None | Some("failed" | "incomplete"))
    }

    fn text(&self) -> Vec<u8> {
        let mut text = self.outcome.unwrap_or("malformed").to_owned();
        let error = self.error.as_ref().map(|error| format!(": {error}"));
        text += &error.unwrap_or_default();
        for (name, value) in [
            ("version", self.version.map(usize::from)),
            ("consumed", self.consumed),
            ("needed", self.needed),
            ("at", self.at),
            ("line", self.line),
        ] {
            let value = value.map(|value| format!(", {name} {value}"));
            text += &value.unwrap_or_default();
        }
        text.push('\n');
        for (name, value) in [
            ("source", &self.source),
            ("source_hex", &self.source_hex),
            ("destination", &self.destination),
            ("destination_hex", &self.destination_hex),
            ("transport", &self.transport),
        ] {
            let value = value.as_ref().map(|value| format!("  {name:<15} {value}\n"));
            text += &value.unwrap_or_default();
        }
        self.tlvs.iter().for_each(|vector| vector.text(2, &mut text));
        text.into_bytes()
    }
}

/// The content of a type-length-value vector.
#[derive(Debug, Serialize)]
struct Vector {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tlvs: Vec<Self>,
}

impl Vector {
    fn new(tlv: Tlv<'_>) -> Self {
        let found = NAMES.iter().find(|(kind, ..)| *kind == tlv.kind);
        let is_text = found.is_some_and(|(_, _, is_text)| *is_text);
        let (value, value_hex) = match tlv.ssl() {
            Some(_) => (None, None),
            None if is_text => text_or_hex(tlv.value),
            None => (None, Some(hex(tlv.value))),
        };
        Self {
            kind: tlv.kind.to_string(),
            name: found.map(|(_, name, _)| *name),
            value,
            value_hex,
            client: tlv.ssl().map(|ssl| ssl.client),
            verify: tlv.ssl().map(|ssl| ssl.verify),
            tlvs: tlv.ssl().into_iter().flat_map(|ssl| ssl.tlvs).map(Self::new).collect(),
        }
    }

    fn text(&self, indent: usize, text: &mut String) {
        let name = self.name.unwrap_or_default();
        let value = self.value.as_ref().or(self.value_hex.as_ref());
        let value = value.map_or_else(
            || {
                format!(
                    "client {:#04x}, verify {}",
                    self.client.unwrap_or(0),
                    self.verify.unwrap_or(0)
                )
            },
            Clone::clone,
        );
        let _ = writeln!(text, "{}{} {name:<15} {value}", " ".repeat(indent), self.kind);
        self.tlvs.iter().for_each(|vector| vector.text(indent + 2, text));
    }
}

/// The named types, and whether their values are text.
pub(crate) const NAMES: &[(TlvKind, &str, bool)] = &[
    (TlvKind::ALPN, "alpn", true),
    (TlvKind::AUTHORITY, "authority", true),
    (TlvKind::CRC32C, "crc32c", false),
    (TlvKind::NOOP, "noop", false),
    (TlvKind::UNIQUE_ID, "unique_id", false),
    (TlvKind::SSL, "ssl", false),
    (TlvKind::SSL_VERSION, "ssl_version", true),
    (TlvKind::SSL_CN, "ssl_cn", true),
    (TlvKind::SSL_CIPHER, "ssl_cipher", true),
    (TlvKind::SSL_SIG_ALG, "ssl_sig_alg", true),
    (TlvKind::SSL_KEY_ALG, "ssl_key_alg", true),
    (TlvKind::SSL_GROUP, "ssl_group", true),
    (TlvKind::SSL_SIG_SCHEME, "ssl_sig_scheme", true),
    (TlvKind::SSL_CLIENT_CERT, "ssl_client_cert", false),
    (TlvKind::NETNS, "netns", true),
    (TlvKind::GCP, "gcp", false),
    (TlvKind::AWS, "aws", false),
    (TlvKind::AZURE, "azure", false),
];

/// Printable text unchanged, all other octets in hexadecimal.
fn text_or_hex(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => (Some(text.to_owned()), None),
        _ => (None, Some(hex(bytes))),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
