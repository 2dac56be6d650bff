//! The TLS of a connection to another host, for templates.

use event_expand::Event;
use mail_types::exim::{Trust, Value, Variable};

use super::raised_event::{MAX_CERTIFICATE, bounded};

/// The TLS of a connection to another host, and the policy for it, as far as they are known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct OutgoingTls {
    /// `$lookup_dnssec_authenticated`: whether the host was found by secure answers; `None` if DNSSEC was
    /// not asked for.
    pub(crate) dnssec: Option<bool>,
    /// `$tls_out_dane`: whether the connection was verified by DANE.
    pub(crate) dane: bool,
    /// `$tls_out_tlsa_usage`: a bit for each certificate usage of the usable TLSA records; 0 without DANE.
    pub(crate) tlsa_usage: u8,
    /// `$tls_out_ocsp`: 0 if no staple was requested, 1 if none came, 2 if it was not verified, 3 if it is
    /// wrong, 4 if it is right.
    pub(crate) ocsp: u8,
    /// The session; `None` without TLS.
    pub(crate) session: Option<OutgoingSession>,
}

/// A TLS session.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct OutgoingSession {
    /// `$tls_out_cipher`, such as `TLS1.3:TLS_AES_256_GCM_SHA384:256`.
    pub(crate) cipher: String,
    /// `$tls_out_sni`: the server name that was sent.
    pub(crate) sni: Option<String>,
    /// `$tls_out_certificate_verified`.
    pub(crate) certificate_verified: bool,
    /// `$tls_out_peercert`: the certificate of the server, in DER.
    pub(crate) peercert: Option<Vec<u8>>,
    /// `$tls_out_peerdn`: its subject.
    pub(crate) peerdn: Option<String>,
}

impl OutgoingSession {
    const VARIABLES: &[&str] = &[
        "tls_out_certificate_verified",
        "tls_out_cipher",
        "tls_out_peercert",
        "tls_out_peerdn",
        "tls_out_sni",
    ];
}

impl OutgoingTls {
    /// The names of its variables, those of the session too.
    pub(crate) const VARIABLES: &[&str] = &[
        "lookup_dnssec_authenticated",
        "tls_out_certificate_verified",
        "tls_out_cipher",
        "tls_out_dane",
        "tls_out_ocsp",
        "tls_out_ourcert",
        "tls_out_peercert",
        "tls_out_peerdn",
        "tls_out_sni",
        "tls_out_tlsa_usage",
    ];
    /// Those whose values come from outside.
    pub(crate) const UNTRUSTED: &[&str] =
        &["tls_out_cipher", "tls_out_ourcert", "tls_out_peercert", "tls_out_peerdn", "tls_out_sni"];

    /// Sets its variables in an event. A certificate that is too long for one is not set.
    pub(crate) fn describe(&self, event: Event) -> Event {
        // Every event has the values of clear text by itself.
        let own = [
            ("lookup_dnssec_authenticated", self.dnssec == Some(true)),
            ("tls_out_dane", self.dane),
            ("tls_out_ocsp", self.ocsp != 0),
            ("tls_out_tlsa_usage", self.tlsa_usage != 0),
        ];
        let own = own.iter().filter(|(_, is_needed)| *is_needed).map(|(name, _)| name);
        let of_session = self.session.iter().flat_map(|_| OutgoingSession::VARIABLES);
        own.chain(of_session).fold(event, |event, name| {
            match (self.certificate(name), self.variable(name)) {
                (Some(certificate), _) if certificate.len() > MAX_CERTIFICATE => event,
                (Some(certificate), _) => event.with(name, certificate, Trust::Untrusted),
                (None, Variable::Value(value)) => {
                    event.with(name, bounded(value.as_bytes()), value.trust())
                }
                (None, Variable::Unset | Variable::Unknown) => event,
            }
        })
    }

    /// Returns the certificate of `tls_out_peercert`.
    pub(crate) fn certificate(&self, name: &str) -> Option<&[u8]> {
        let session = self.session.as_ref().filter(|_| name == "tls_out_peercert");
        session.and_then(|session| session.peercert.as_deref())
    }

    /// Returns the variable of a name.
    pub(crate) fn variable(&self, name: &str) -> Variable<'_> {
        let word = |holds: bool| Some(Value::trusted(if holds { "yes" } else { "no" }));
        let number = |number: u8| Some(Value::new(number.to_string().into_bytes(), Trust::Trusted));
        let session = self.session.as_ref();
        let text = |text: &'_ str| Value::new(text.as_bytes().to_vec(), Trust::Untrusted);
        let value = match name {
            "lookup_dnssec_authenticated" => self.dnssec.and_then(word),
            "tls_out_dane" => word(self.dane),
            "tls_out_tlsa_usage" => number(self.tlsa_usage),
            "tls_out_ocsp" => number(self.ocsp),
            "tls_out_certificate_verified" => {
                number(u8::from(session.is_some_and(|session| session.certificate_verified)))
            }
            "tls_out_cipher" => session.map(|session| text(&session.cipher)),
            "tls_out_sni" => session.and_then(|session| session.sni.as_deref()).map(text),
            "tls_out_peerdn" => session.and_then(|session| session.peerdn.as_deref()).map(text),
            "tls_out_peercert" => self.certificate(name).map(|_| text("<cert>")),
            // No certificate is shown to a server.
            "tls_out_ourcert" => None,
            _ => return Variable::Unknown,
        };
        value.map_or(Variable::Unset, Variable::Value)
    }
}
