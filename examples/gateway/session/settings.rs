//! What sessions are like: the same for all, or changed for one.

/// What a session offers, and its limits; Exim's names.
#[derive(Clone, Debug)]
pub(crate) struct SessionSettings {
    /// Our name in replies.
    pub(crate) primary_hostname: String,
    /// The text of the banner behind our name.
    pub(crate) smtp_banner: String,
    /// In octets.
    pub(crate) message_size_limit: u64,
    pub(crate) recipients_max: usize,
    pub(crate) received_headers_max: usize,
    pub(crate) smtp_max_synprot_errors: u32,
    pub(crate) smtp_max_unknown_commands: u32,
    pub(crate) smtp_accept_max_nonmail: u32,
    /// Refused recipients, and transactions without a message, since the last message; 0 for any number.
    pub(crate) smtp_max_refused: u32,
    /// Messages a connection; 0 for any number.
    pub(crate) smtp_accept_max_per_connection: u32,
    /// Whether `STARTTLS` is offered.
    pub(crate) tls_advertise: bool,
    /// Whether `PRDR` is offered.
    pub(crate) prdr_enable: bool,
}
