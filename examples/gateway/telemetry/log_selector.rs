//! The parts of log lines, chosen by words of Exim's `log_selector`.
//!
//! In Exim `deliver_time`, `outgoing_port` and `received_recipients` must be selected, and `msg_id` need not be.

use std::fmt;

use thiserror::Error;

/// The words that are selected.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct LogSelector(u32);

/// A word of `log_selector`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogWord {
    DeliverTime,
    DeliverySize,
    IncomingInterface,
    IncomingPort,
    MsgId,
    OutgoingPort,
    Proxy,
    ReceiveTime,
    ReceivedRecipients,
    ReceivedSender,
    SenderOnDelivery,
    SmtpConfirmation,
    Subject,
    TlsCertificateVerified,
    TlsCipher,
    TlsPeerdn,
    TlsSni,
}

impl LogWord {
    /// All words, and whether each is selected by default.
    pub(crate) const ALL: [(&str, Self, bool); 17] = [
        ("deliver_time", Self::DeliverTime, true),
        ("delivery_size", Self::DeliverySize, false),
        ("incoming_interface", Self::IncomingInterface, false),
        ("incoming_port", Self::IncomingPort, false),
        ("msg_id", Self::MsgId, false),
        ("outgoing_port", Self::OutgoingPort, true),
        ("proxy", Self::Proxy, false),
        ("receive_time", Self::ReceiveTime, false),
        ("received_recipients", Self::ReceivedRecipients, true),
        ("received_sender", Self::ReceivedSender, false),
        ("sender_on_delivery", Self::SenderOnDelivery, false),
        ("smtp_confirmation", Self::SmtpConfirmation, true),
        ("subject", Self::Subject, false),
        ("tls_certificate_verified", Self::TlsCertificateVerified, true),
        ("tls_cipher", Self::TlsCipher, true),
        ("tls_peerdn", Self::TlsPeerdn, false),
        ("tls_sni", Self::TlsSni, false),
    ];

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl Default for LogSelector {
    fn default() -> Self {
        let selected = LogWord::ALL.iter().filter(|(.., selected)| *selected);
        Self(selected.fold(0, |bits, (_, word, _)| bits | word.bit()))
    }
}

impl LogSelector {
    /// Reads a list of words, each with a `+` or a `-`, in the order of which they count.
    ///
    /// # Errors
    ///
    /// The first item that is no such word.
    pub(crate) fn read(text: &str) -> Result<Self, LogSelectorError> {
        let mut selector = Self::default();
        for (at, item) in text.split_whitespace().enumerate() {
            let item_number = at + 1;
            let (selected, name) = match (item.strip_prefix('+'), item.strip_prefix('-')) {
                (Some(name), _) => (true, name),
                (_, Some(name)) => (false, name),
                (None, None) => return Err(LogSelectorError::Sign { item: item_number }),
            };
            let name_of = |(known, ..): &&(&str, LogWord, bool)| *known == name;
            let bits = match LogWord::ALL.iter().find(name_of) {
                Some((_, word, _)) => word.bit(),
                None if name == "all" => ALL_BITS,
                None => {
                    let name: String = name.chars().take(MOST_SHOWN).collect();
                    let is_exims = EXIMS_ONLY.contains(&&*name);
                    return Err(if is_exims {
                        LogSelectorError::NothingToLog { item: item_number, name }
                    } else {
                        LogSelectorError::Unknown { item: item_number, name }
                    });
                }
            };
            selector.0 = if selected { selector.0 | bits } else { selector.0 & !bits };
        }
        Ok(selector)
    }

    /// Tells whether a word is selected.
    pub(crate) const fn has(self, word: LogWord) -> bool {
        self.0 & word.bit() != 0
    }

    /// Returns the words by which it differs from the default.
    pub(crate) fn changes(self) -> impl Iterator<Item = LogWord> {
        let words = LogWord::ALL.into_iter();
        words
            .filter(move |(_, word, selected)| self.has(*word) != *selected)
            .map(|(_, word, _)| word)
    }
}

impl fmt::Debug for LogSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selected = LogWord::ALL.iter().filter(|(_, word, _)| self.has(*word));
        f.debug_set().entries(selected.map(|(name, ..)| name)).finish()
    }
}

/// A text is no list of words.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum LogSelectorError {
    #[error("item {item} begins with neither + nor -")]
    Sign { item: usize },
    #[error("item {item}: {name} is a word of Exim that selects nothing here")]
    NothingToLog { item: usize, name: String },
    #[error("item {item}: unknown word {name:?}; expected all{}", words())]
    Unknown { item: usize, name: String },
}

fn words() -> String {
    LogWord::ALL.iter().flat_map(|(name, ..)| [", ", name]).collect()
}

const ALL_BITS: u32 = (1 << LogWord::ALL.len()) - 1;
/// The longest word in an error, in characters.
const MOST_SHOWN: usize = 40;
/// The other words of Exim.
const EXIMS_ONLY: &[&str] = &[
    "8bitmime",
    "acl_warn_skipped",
    "address_rewrite",
    "all_parents",
    "arguments",
    "connection_id",
    "connection_reject",
    "delay_delivery",
    "dkim",
    "dkim_verbose",
    "dnslist_defer",
    "dnssec",
    "etrn",
    "host_lookup_failed",
    "ident_timeout",
    "lost_incoming_connection",
    "millisec",
    "msg_id_created",
    "outgoing_interface",
    "pid",
    "pipelining",
    "queue_run",
    "queue_time",
    "queue_time_exclusive",
    "queue_time_overall",
    "rejected_header",
    "retry_defer",
    "return_path_on_delivery",
    "sender_verify_fail",
    "size_reject",
    "skip_delivery",
    "smtp_connection",
    "smtp_incomplete_transaction",
    "smtp_mailauth",
    "smtp_no_mail",
    "smtp_protocol_error",
    "smtp_syntax_error",
    "taint",
    "tls_on_connect",
    "tls_resumption",
    "unknown_in_list",
];
