//! The settings of SMTP sessions.

/// The extensions and limits of a session, by Exim's names.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The name of this host in replies.
    pub primary_hostname: String,
    /// The text of the banner after the name.
    pub smtp_banner: String,
    /// The size of a message, in octets.
    pub message_size_limit: u64,
    /// Recipients for each message.
    pub recipients_max: usize,
    /// The longest header section of a message, in octets.
    pub header_maxsize: usize,
    /// `Received` fields of a message, one for each hop.
    pub received_headers_max: usize,
    /// Malformed or misplaced commands for each connection.
    pub smtp_max_synprot_errors: u32,
    /// Unknown commands for each connection.
    pub smtp_max_unknown_commands: u32,
    /// Commands since the last message that do not advance a transaction.
    pub smtp_accept_max_nonmail: u32,
    /// Refused recipients, and transactions without a message, since the last message; 0 is no limit.
    pub smtp_max_refused: u32,
    /// Messages for each connection; 0 is no limit.
    pub smtp_accept_max_per_connection: u32,
    /// Whether `STARTTLS` is offered.
    pub tls_advertise: bool,
    /// Whether `PRDR` is offered.
    pub prdr_enable: bool,
}
