//! Who is at the other end of a connection, and how that is written.

use std::fmt;
use std::net::SocketAddr;

use mail_types::{Name, Trust, Value};

use super::session::Greeting;

/// The client: behind a proxy, the one that the proxy speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// Forward-confirmed.
    pub(crate) host_name: Option<Name>,
    /// The proxy's own address, if the client's came by way of one.
    pub(crate) proxy: Option<SocketAddr>,
}

/// A client as Exim writes it in a log line: `host (helo) [192.0.2.1]`.
pub(crate) struct Host<'a>(pub(crate) &'a Client, pub(crate) &'a Greeting);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let helo = Value::new(self.1.name.as_bytes(), Trust::Untrusted);
        if let Some(name) = &self.0.host_name {
            write!(f, "{name} ")?;
        }
        if !self.1.name.is_empty() {
            write!(f, "({helo}) ")?;
        }
        write!(f, "[{}]", self.0.address.ip())
    }
}

/// The protocol of a session, by its registered name (RFC 3848, RFC 6531 section 4.3).
pub(crate) fn protocol(greeting: &Greeting, utf8: bool) -> &'static str {
    match (greeting.extended, greeting.tls, utf8) {
        (false, _, _) => "SMTP",
        (true, false, false) => "ESMTP",
        (true, true, false) => "ESMTPS",
        (true, false, true) => "UTF8SMTP",
        (true, true, true) => "UTF8SMTPS",
    }
}
