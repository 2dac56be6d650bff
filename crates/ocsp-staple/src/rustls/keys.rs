//! A server's keys, with their staples.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ::rustls::pki_types::{DnsName, UnixTime};
use ::rustls::server::{ClientHello, ResolvesServerCert};
use ::rustls::sign::CertifiedKey;

use crate::proof::Staple;

/// The keys of a server, by the name that a client asks for, each with its staple.
///
/// A key, or its staple, can be replaced at any time, without a new configuration. A handshake copies
/// nothing. A staple that has ended is left out, also where nobody has taken it away.
#[derive(Debug, Default)]
pub struct StapledKeys {
    keys: RwLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    default: Option<Key>,
    named: HashMap<String, Key>,
}

#[derive(Debug)]
struct Key {
    bare: Arc<CertifiedKey>,
    stapled: Option<(Arc<CertifiedKey>, UnixTime)>,
}

impl StapledKeys {
    /// Starts without keys; a handshake without one fails.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the key, and its staple, for a name, or for clients that ask for no name or an unknown
    /// one. An empty staple is none.
    pub fn set(&self, name: Option<&DnsName<'_>>, key: &CertifiedKey, staple: Option<&Staple>) {
        let with = |ocsp| Arc::new(CertifiedKey { ocsp, ..key.clone() });
        // rustls would write an empty list, which no client takes.
        let staple = staple.filter(|staple| !staple.response.is_empty());
        let stapled = staple.map(|staple| (with(Some(staple.response.to_vec())), staple.until));
        let key = Key { bare: with(None), stapled };
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match name {
            Some(name) => {
                keys.named.insert(name.as_ref().to_ascii_lowercase(), key);
            }
            None => keys.default = Some(key),
        }
    }

    /// Takes a name away.
    pub fn remove(&self, name: &DnsName<'_>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.named.remove(&name.as_ref().to_ascii_lowercase());
    }

    fn find(&self, name: Option<&str>, now: UnixTime) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = name.and_then(|name| keys.named.get(&name.to_ascii_lowercase()));
        let key = named.or(keys.default.as_ref())?;
        let stapled = key.stapled.as_ref().filter(|(_, until)| now <= *until);
        Some(Arc::clone(stapled.map_or(&key.bare, |(key, _)| key)))
    }
}

impl ResolvesServerCert for StapledKeys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name(), UnixTime::now())
    }
}
