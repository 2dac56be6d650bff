//! What sessions are like: the same for all, or changed for one.

/// What a session offers, and its limits; Exim's names.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// Our name in replies.
    pub primary_hostname: String,
    /// The text of the banner behind our name.
    pub smtp_banner: String,
    /// In octets.
    pub message_size_limit: u64,
    /// Recipients a message.
    pub recipients_max: usize,
    /// The longest header section of a message, in octets.
    pub header_maxsize: usize,
    /// `Received` fields of a message: hosts that it came through.
    pub received_headers_max: usize,
    /// Malformed or misplaced commands a connection.
    pub smtp_max_synprot_errors: u32,
    /// Unknown commands a connection.
    pub smtp_max_unknown_commands: u32,
    /// Commands since the last message that bring none nearer.
    pub smtp_accept_max_nonmail: u32,
    /// Refused recipients, and transactions without a message, since the last message; 0 for any number.
    pub smtp_max_refused: u32,
    /// Messages a connection; 0 for any number.
    pub smtp_accept_max_per_connection: u32,
    /// Whether `STARTTLS` is offered.
    pub tls_advertise: bool,
    /// Whether `PRDR` is offered.
    pub prdr_enable: bool,
}
