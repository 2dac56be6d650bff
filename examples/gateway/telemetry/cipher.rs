//! The cipher of a TLS session, as Exim writes it.

use rustls::crypto::ring::ALL_CIPHER_SUITES;
use rustls::{CipherSuite, CommonState, ProtocolVersion};

/// Returns the version, the cipher suite by its registered name, and the bits of its key, as
/// `TLS1.3:TLS_AES_256_GCM_SHA384:256`; `None` before the handshake.
pub(crate) fn cipher(session: &CommonState) -> Option<String> {
    let version = match session.protocol_version()? {
        ProtocolVersion::TLSv1_2 => "TLS1.2",
        ProtocolVersion::TLSv1_3 => "TLS1.3",
        _ => "TLS",
    };
    let suite = session.negotiated_cipher_suite()?.suite();
    let name = registered(suite)?;
    let bits = if name.contains("_AES_128_") { 128 } else { 256 };
    Some(format!("{version}:{name}:{bits}"))
}

/// Returns the registered names of all cipher suites that a session can have.
pub(crate) fn suites() -> impl Iterator<Item = String> {
    ALL_CIPHER_SUITES.iter().filter_map(|suite| registered(suite.suite()))
}

/// rustls tells suites of TLS 1.3 apart by their names.
fn registered(suite: CipherSuite) -> Option<String> {
    Some(suite.as_str()?.replacen("TLS13_", "TLS_", 1))
}
