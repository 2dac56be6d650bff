//! The extensions of a server.

use mail_types::smtp::Reply;

/// The extensions in the server's reply to `EHLO`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "extensions are independent")]
pub(crate) struct Offers {
    /// The largest message in octets (RFC 1870), 0 for no limit.
    pub(crate) size: Option<u64>,
    pub(crate) eight_bit: bool,
    pub(crate) utf8: bool,
    pub(crate) pipelining: bool,
    pub(crate) chunking: bool,
    pub(crate) start_tls: bool,
    pub(crate) require_tls: bool,
    /// Whether it offers PRDR, with pipelining.
    pub(crate) prdr: bool,
}

impl Offers {
    /// Reads the reply. `STARTTLS` counts outside TLS only (RFC 3207 section 4.2), and `REQUIRETLS`
    /// inside only (RFC 8689 section 2).
    pub(super) fn read(reply: &Reply, secured: bool) -> Self {
        // Section 4 of the draft requires enhanced codes beside PRDR. The replies are usable without them,
        // so the keyword is implied.
        let lines = reply.lines().chain(["ENHANCEDSTATUSCODES"]);
        let mut offers = Self { prdr: prdr::is_offered(lines), ..Self::default() };
        for line in reply.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "SIZE" => {
                    offers.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0));
                }
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.utf8 = true,
                "PIPELINING" => offers.pipelining = true,
                "CHUNKING" => offers.chunking = true,
                "STARTTLS" => offers.start_tls = !secured,
                "REQUIRETLS" => offers.require_tls = secured,
                _ => {}
            }
        }
        offers
    }
}
