//! A message's envelope, as far as it is authenticated.

use std::net::IpAddr;

use mail_types::smtp::ReversePath;

/// Who sends a message, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    /// The client's address.
    pub(crate) client: IpAddr,
    /// What it called itself.
    pub(crate) helo: &'a str,
    pub(crate) sender: &'a ReversePath,
    /// This host's name.
    pub(crate) receiver: &'a str,
}
