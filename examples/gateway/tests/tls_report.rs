//! The reasons in lines for reports about TLS.

use dane_tlsa::Failure;
use rustls::Error;

use crate::gateway::delivery::tls_report::{TlsFault, reason};

/// A server chooses the length of an error: that of rustls lists all names of its certificate.
#[test]
fn a_reason_is_cut_at_a_character() {
    for text in ["x", "\u{e9}", "\u{20ac}"] {
        let fault = TlsFault::Unverified(Error::General(text.repeat(5000)));
        let found = reason(&fault);
        let most = Failure::MAX_REASON;
        assert!(found.len() <= most && found.len() > most - 4, "{}", found.len());
    }
    let short = reason(&TlsFault::NoStarttls);
    assert_eq!(short, "the server does not start TLS");
}
