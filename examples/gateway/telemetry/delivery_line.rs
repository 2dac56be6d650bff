//! Log lines of deliveries to other hosts, in Exim's form.

use std::fmt;
use std::net::SocketAddr;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::{Mailbox, Reply};

/// The line of one recipient.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryLine<'a> {
    pub(crate) recipient: &'a Mailbox,
    pub(crate) result: LineResult<'a>,
    /// The host and its address, once one is known.
    pub(crate) host: Option<(&'a str, Option<SocketAddr>)>,
    pub(crate) tls: Option<LineTls<'a>>,
    /// Whether a reply for each recipient was requested.
    pub(crate) prdr: bool,
    /// Whether the message went by `BDAT`.
    pub(crate) chunking: bool,
}

/// The result for one recipient.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LineResult<'a> {
    /// `=>`, with the reply that confirms it.
    Delivered(&'a Reply),
    /// `==`: try again later.
    Deferred(&'a str),
    /// `**`: do not try again.
    Failed(&'a str),
}

/// The TLS of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineTls<'a> {
    /// As Exim's `tls_out_cipher`.
    pub(crate) cipher: &'a str,
    pub(crate) verified: LineVerified,
}

/// The verification of the server's certificate: `CV=`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LineVerified {
    No,
    /// By an authority.
    Yes,
    Dane,
}

impl fmt::Display for DeliveryLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.result {
            LineResult::Delivered(_) => "=>",
            LineResult::Deferred(_) => "==",
            LineResult::Failed(_) => "**",
        };
        write!(f, "{sign} {} T=remote_smtp", self.recipient)?;
        if let Some((host, address)) = self.host {
            write!(f, " H={}", line(host.as_bytes()))?;
            if let Some(address) = address {
                write!(f, " [{}]:{}", address.ip(), address.port())?;
            }
        }
        if let Some(tls) = &self.tls {
            let verified = match tls.verified {
                LineVerified::No => "no",
                LineVerified::Yes => "yes",
                LineVerified::Dane => "dane",
            };
            write!(f, " X={} CV={verified}", tls.cipher)?;
        }
        f.write_str(if self.prdr { " PRDR" } else { "" })?;
        f.write_str(if self.chunking { " K" } else { "" })?;
        match self.result {
            LineResult::Delivered(reply) => {
                let text = reply.to_string().replace("\r\n", "\\n");
                write!(f, " C=\"{}\"", line(text.as_bytes()).replace('"', "\\\""))
            }
            LineResult::Deferred(error) => write!(f, " defer: {}", line(error.as_bytes())),
            LineResult::Failed(error) => write!(f, ": {}", line(error.as_bytes())),
        }
    }
}

/// A text from the network as part of a line.
fn line(text: &[u8]) -> String {
    Value::new(text, Trust::Untrusted).to_line()
}
