//! Error replies, and their meaning.

use std::fmt;
use std::net::Ipv6Addr;

use mail_types::exim::{Trust, Value};

use crate::Address;
use crate::servers::is_of_host;

/// An error reply of a server: `WRONGTYPE Operation against a key …`.
///
/// [`Display`](fmt::Display) writes its first 200 octets without control characters.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Refusal {
    text: Box<[u8]>,
}

impl Refusal {
    /// Makes one of the text of an error reply, code included.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        Self { text: text.trim_ascii_end().into() }
    }

    /// Returns the code: the text before the first blank.
    #[must_use]
    pub fn code(&self) -> &[u8] {
        self.text.split(|&b| b == b' ').next().unwrap_or_default()
    }

    /// Returns the text, code included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Returns the meaning of the error.
    ///
    /// ```
    /// use redis_lookup::{Meaning, Refusal};
    ///
    /// let refusal = Refusal::new(b"MOVED 3999 192.0.2.1:6381\r\n");
    /// assert_eq!((refusal.code(), refusal.as_bytes()), (&b"MOVED"[..], &b"MOVED 3999 192.0.2.1:6381"[..]));
    /// assert!(matches!(refusal.meaning(), Meaning::Moved(to) if to.slot == 3999));
    /// assert_eq!(Refusal::new(b"LOADING later").meaning(), Meaning::NotNow);
    /// ```
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self.code() {
            b"MOVED" => self.redirect().map_or(Meaning::Final, Meaning::Moved),
            b"ASK" => self.redirect().map_or(Meaning::Final, Meaning::Ask),
            b"READONLY" => Meaning::NotMaster,
            b"LOADING" | b"MASTERDOWN" | b"CLUSTERDOWN" | b"TRYAGAIN" | b"BUSY" | b"NOREPLICAS" => {
                Meaning::NotNow
            }
            _ => Meaning::Final,
        }
    }

    /// Reads `MOVED 3999 127.0.0.1:6381`. A node without a known address of its own omits the host.
    fn redirect(&self) -> Option<Redirect> {
        let mut parts = str::from_utf8(&self.text).ok()?.split(' ').skip(1);
        let slot = parts.next()?.parse().ok().filter(|slot| *slot < crate::slot::SLOTS)?;
        let (host, port) = parts.next()?.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if !host.chars().all(is_of_host) && host.parse::<Ipv6Addr>().is_err() {
            return None;
        }
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(Redirect { slot, address: Address::tcp(host, port) })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::new(self.text.get(..SHOWN).unwrap_or(&self.text), Trust::Untrusted).fmt(f)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

/// The meaning of an error reply.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Meaning {
    /// Another node of the cluster has the slot permanently.
    Moved(Redirect),
    /// Another node has the slot for this command.
    Ask(Redirect),
    /// The server is a replica.
    NotMaster,
    /// The server cannot answer for now.
    NotNow,
    /// The command itself is refused; another server would refuse it too.
    Final,
}

/// The target of a redirection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Redirect {
    /// The slot of the key.
    pub slot: u16,
    /// The node; an empty host means the host of the redirecting node.
    pub address: Address,
}

/// The maximum length of an error in a message, in octets.
const SHOWN: usize = 200;
