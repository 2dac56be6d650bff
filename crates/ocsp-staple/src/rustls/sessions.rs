//! Sessions of a client that end with the staple they began with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::rustls::NamedGroup;
use ::rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use ::rustls::pki_types::{ServerName, UnixTime};

use crate::requirement::Stapled;
use crate::rustls::StapleVerifier;

/// A store of sessions around another, which hands out none whose staple has ended, and none of a
/// server that was refused since: its certificate, and a new staple, are then verified anew.
#[derive(Debug)]
pub struct Sessions {
    inner: Arc<dyn ClientSessionStore>,
    ends: Arc<Ends>,
}

impl Sessions {
    /// The most tickets of a server that are thrown away at a time.
    const MOST_TICKETS: usize = 64;

    /// Makes a store for the connections of a verifier.
    #[must_use]
    pub fn new(inner: Arc<dyn ClientSessionStore>, verifier: &StapleVerifier) -> Self {
        Self { inner, ends: verifier.ends() }
    }
}

/// Until when sessions with a server may be resumed, by its name.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    until: Mutex<HashMap<ServerName<'static>, Option<UnixTime>>>,
}

impl Ends {
    /// The most servers that are known; of one that is not, no session is resumed.
    const MOST: usize = 4096;

    /// Notes the result of a staple with which a handshake continues.
    pub(crate) fn set(&self, server: &ServerName<'_>, stapled: &Stapled) {
        let until = match stapled {
            Stapled::Verified(proof) => Some(proof.until),
            _ => None,
        };
        let mut known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(server.to_owned(), until);
    }

    /// Ends the sessions with a server that was refused.
    pub(crate) fn remove(&self, server: &ServerName<'_>) {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).remove(&server.to_owned());
    }

    fn allow(&self, server: &ServerName<'_>) -> bool {
        let known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = known.get(&server.to_owned());
        until.is_some_and(|until| until.is_none_or(|until| UnixTime::now() <= until))
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(server)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.inner.set_tls12_session(server, value);
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        if self.ends.allow(server) {
            return self.inner.tls12_session(server);
        }
        // It must not come back with the staple of another handshake.
        self.inner.remove_tls12_session(&server.to_owned());
        None
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.inner.remove_tls12_session(server);
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.inner.insert_tls13_ticket(server, value);
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.ends.allow(server) {
            return self.inner.take_tls13_ticket(server);
        }
        // A server sends a few.
        (0..Self::MOST_TICKETS).find(|_| self.inner.take_tls13_ticket(server).is_none());
        None
    }
}
