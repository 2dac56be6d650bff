//! A server's keys, with their staples.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ::rustls::SignatureScheme;
use ::rustls::pki_types::{DnsName, UnixTime};
use ::rustls::server::{ClientHello, ResolvesServerCert};
use ::rustls::sign::CertifiedKey;

use crate::proof::Staple;

/// The keys of a server, by the name that a client asks for, each with its staple.
///
/// The keys of a name, and their staples, can be replaced at any time, without a new configuration.
/// Of several keys a client gets the first whose signatures it takes. A handshake copies nothing. A
/// staple is left out after its end, also if it is still set.
#[derive(Debug, Default)]
pub struct StapledKeys {
    keys: RwLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    default: Vec<Key>,
    named: HashMap<String, Vec<Key>>,
}

#[derive(Debug)]
struct Key {
    bare: Arc<CertifiedKey>,
    stapled: Option<(Arc<CertifiedKey>, UnixTime)>,
}

impl Key {
    fn new(key: &CertifiedKey, staple: Option<&Staple>) -> Self {
        let with = |ocsp| Arc::new(CertifiedKey { ocsp, ..key.clone() });
        // rustls would write an empty list, which no client takes.
        let staple = staple.filter(|staple| !staple.response.is_empty());
        let stapled = staple.map(|staple| (with(Some(staple.response.to_vec())), staple.until));
        Self { bare: with(None), stapled }
    }

    fn signs(&self, schemes: &[SignatureScheme]) -> bool {
        self.bare.key.choose_scheme(schemes).is_some()
    }
}

impl StapledKeys {
    /// Starts without keys; a handshake without one fails.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the keys, each with its staple, for a name, or for clients that ask for no name or an
    /// unknown one. An empty staple is left out; without keys the name is unknown.
    ///
    /// ```
    /// use ocsp_staple::rustls::StapledKeys;
    /// use rustls::crypto::ring::sign::any_supported_type;
    /// use rustls::sign::CertifiedKey;
    ///
    /// let made = rcgen::generate_simple_self_signed(["mx.example.com".to_owned()])?;
    /// let key = any_supported_type(&made.signing_key.serialize_der().try_into()?)?;
    /// let key = CertifiedKey::new(vec![made.cert.der().clone()], key);
    /// let keys = StapledKeys::new();
    /// // For clients that ask for no name, and for those that ask for this one; no staple is there yet.
    /// keys.set(None, [(&key, None)]);
    /// keys.set(Some(&"mx.example.com".try_into()?), [(&key, None)]);
    /// assert!(format!("{keys:?}").contains("mx.example.com"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set<'k>(
        &self,
        name: Option<&DnsName<'_>>,
        keys: impl IntoIterator<Item = (&'k CertifiedKey, Option<&'k Staple>)>,
    ) {
        let new: Vec<_> = keys.into_iter().map(|(key, staple)| Key::new(key, staple)).collect();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match name.map(|name| name.as_ref().to_ascii_lowercase()) {
            None => keys.default = new,
            Some(name) if new.is_empty() => drop(keys.named.remove(&name)),
            Some(name) => drop(keys.named.insert(name, new)),
        }
    }

    fn find(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
        now: UnixTime,
    ) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = name.and_then(|name| keys.named.get(&name.to_ascii_lowercase()));
        let keys = named.unwrap_or(&keys.default);
        let key = keys.iter().find(|key| key.signs(schemes)).or(keys.first())?;
        let stapled = key.stapled.as_ref().filter(|(_, until)| now <= *until);
        Some(Arc::clone(stapled.map_or(&key.bare, |(key, _)| key)))
    }
}

impl ResolvesServerCert for StapledKeys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name(), hello.signature_schemes(), UnixTime::now())
    }
}
