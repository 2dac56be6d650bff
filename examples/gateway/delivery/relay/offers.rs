//! The extensions of a next hop.

use mail_types::smtp::Reply;

/// The extensions in the next hop's reply to `EHLO`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offers {
    /// The largest message in octets (RFC 1870), 0 for no limit.
    pub(super) size: Option<u64>,
    pub(super) eight_bit: bool,
    pub(super) utf8: bool,
    /// Whether it offers PRDR, with pipelining.
    pub(super) prdr: bool,
}

impl Offers {
    pub(super) fn read(reply: &Reply) -> Self {
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
                _ => {}
            }
        }
        offers
    }
}
