//! The client's TLS, as the proxy reports it: section 2.2.6 of `proxy-protocol.txt`, 2026-04-27.

use std::str::Utf8Error;

use crate::{TlvKind, Tlvs, tlv};

/// The client's TLS, as the proxy reports it.
///
/// ```
/// use proxy_protocol::{Endpoints, Header, Ssl, TlvKind, Writer};
///
/// let mut buffer = [0; 256];
/// let mut writer = Writer::new(&mut buffer, Endpoints::Local)?;
/// let mut ssl = writer.ssl(Ssl::CLIENT_SSL | Ssl::CLIENT_CERT_CONN | Ssl::CLIENT_CERT_SESS, 0)?;
/// ssl.tlv(TlvKind::SSL_CN, b"client.example")?
///     .tlv(TlvKind::SSL_CIPHER, b"TLS_AES_128_GCM_SHA256")?
///     .tlv(TlvKind::SSL_SIG_ALG, b"SHA256")?
///     .tlv(TlvKind::SSL_KEY_ALG, b"RSA2048")?
///     .tlv(TlvKind::SSL_GROUP, b"X25519")?
///     .tlv(TlvKind::SSL_SIG_SCHEME, b"RSA-PSS+SHA256")?
///     .tlv(TlvKind::SSL_CLIENT_CERT, b"\x30\x00")?;
/// let (_, header) = Header::parse(writer.finish())?;
/// let ssl = header.tlvs.ssl().ok_or("no TLS")?;
/// assert!(ssl.is_tls() && ssl.is_verified());
/// assert!(ssl.has_connection_certificate() && ssl.has_session_certificate());
/// assert_eq!((ssl.common_name()?, ssl.cipher()?), (Some("client.example"), Some("TLS_AES_128_GCM_SHA256")));
/// assert_eq!((ssl.signature_algorithm()?, ssl.key_algorithm()?), (Some("SHA256"), Some("RSA2048")));
/// assert_eq!((ssl.group()?, ssl.signature_scheme()?), (Some("X25519"), Some("RSA-PSS+SHA256")));
/// assert_eq!(ssl.client_certificate(), Some(&b"\x30\x00"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Ssl<'a> {
    /// The flags, unassigned ones included.
    pub client: u8,
    /// Zero if the client presented a certificate and the proxy verified it.
    pub verify: u32,
    /// The vectors inside this one.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Ssl<'a> {
    /// The flag of [`Ssl::is_tls`].
    pub const CLIENT_SSL: u8 = 0x01;
    /// The flag of [`Ssl::has_connection_certificate`].
    pub const CLIENT_CERT_CONN: u8 = 0x02;
    /// The flag of [`Ssl::has_session_certificate`].
    pub const CLIENT_CERT_SESS: u8 = 0x04;

    #[inline]
    pub(crate) fn new(value: &'a [u8]) -> Option<Self> {
        let [client, a, b, c, d, tlvs @ ..] = value else { return None };
        let verify = u32::from_be_bytes([*a, *b, *c, *d]);
        Some(Self { client: *client, verify, tlvs: Tlvs::framed(tlvs) })
    }

    /// Tells whether the client spoke TLS.
    #[must_use]
    pub fn is_tls(self) -> bool {
        self.client & Self::CLIENT_SSL != 0
    }

    /// Tells whether the client gave a certificate over this connection.
    #[must_use]
    pub fn has_connection_certificate(self) -> bool {
        self.client & Self::CLIENT_CERT_CONN != 0
    }

    /// Tells whether the client gave a certificate over the TLS session, at least once.
    #[must_use]
    pub fn has_session_certificate(self) -> bool {
        self.client & Self::CLIENT_CERT_SESS != 0
    }

    /// Tells whether the client gave a certificate over TLS and the proxy verified it. Without a
    /// certificate some proxies leave [`Ssl::verify`] at zero; that does not count as verified.
    #[must_use]
    pub fn is_verified(self) -> bool {
        let given = self.has_connection_certificate() || self.has_session_certificate();
        self.is_tls() && given && self.verify == 0
    }

    /// Returns the version of TLS, such as `TLSv1.3`.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] if the text is not UTF-8; [`Tlvs::get`] has its bytes.
    pub fn version(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_VERSION)
    }

    /// Returns the common name in the client's certificate.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn common_name(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_CN)
    }

    /// Returns the cipher, such as `ECDHE-RSA-AES128-GCM-SHA256`.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn cipher(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_CIPHER)
    }

    /// Returns the algorithm that the proxy's certificate is signed with, such as `RSA-SHA256`.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn signature_algorithm(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_SIG_ALG)
    }

    /// Returns the algorithm of the key in the proxy's certificate, such as `RSA2048`.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn key_algorithm(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_KEY_ALG)
    }

    /// Returns the group of the key exchange, such as `secp256r1`.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn group(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_GROUP)
    }

    /// Returns the scheme that the proxy signed the handshake with, such as `rsa_pss_rsae_sha256`.
    ///
    /// # Errors
    ///
    /// The same as of [`Ssl::version`].
    pub fn signature_scheme(self) -> Result<Option<&'a str>, Utf8Error> {
        self.tlvs.text(TlvKind::SSL_SIG_SCHEME)
    }

    /// Returns the client's certificate in DER, as the proxy received it.
    #[must_use]
    pub fn client_certificate(self) -> Option<&'a [u8]> {
        self.tlvs.get(TlvKind::SSL_CLIENT_CERT)
    }
}

/// Checks the framing of a value; an error is the position of the fault in the value, 0 if the
/// value is too short for the fixed part.
#[inline]
pub(crate) fn check(value: &[u8]) -> Result<(), usize> {
    let mut rest = value.get(FIXED..).ok_or(0_usize)?;
    while let Some((behind, _)) = tlv::split(rest) {
        rest = behind;
    }
    if rest.is_empty() { Ok(()) } else { Err(value.len() - rest.len()) }
}

/// The flags, and the result of the verification.
const FIXED: usize = 5;
