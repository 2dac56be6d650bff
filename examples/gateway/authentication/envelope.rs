//! The envelope of a message, for authentication.

use std::net::IpAddr;

use mail_types::smtp::ReversePath;

/// The client, its name, and the sender of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    /// The client's address.
    pub(crate) client: IpAddr,
    /// The client's name in `HELO` or `EHLO`.
    pub(crate) helo: &'a str,
    pub(crate) sender: &'a ReversePath,
    /// This host's name.
    pub(crate) receiver: &'a str,
}
