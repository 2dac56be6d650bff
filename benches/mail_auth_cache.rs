//! A cache for mail-auth with all records.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use mail_auth::dns::{Mx, Negative};
use mail_auth::{DnsCache, RecordSet, ResolverCache, TxtRecord};

#[derive(Default)]
pub(crate) struct Cache {
    pub(crate) txt: Map<Box<str>, TxtRecord>,
    pub(crate) mx: Map<Box<str>, Result<RecordSet<Mx>, Negative>>,
    pub(crate) ipv4: Map<Box<str>, Result<RecordSet<Ipv4Addr>, Negative>>,
    pub(crate) ipv6: Map<Box<str>, Result<RecordSet<Ipv6Addr>, Negative>>,
    pub(crate) ptr: Map<IpAddr, Result<RecordSet<Box<str>>, Negative>>,
}

/// As our own cache: a map that is only read while it is measured, so without a lock.
pub(crate) struct Map<K, V>(pub(crate) HashMap<K, V>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Map<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

impl DnsCache for Cache {
    type Txt = Map<Box<str>, TxtRecord>;
    type Mx = Map<Box<str>, Result<RecordSet<Mx>, Negative>>;
    type Ipv4 = Map<Box<str>, Result<RecordSet<Ipv4Addr>, Negative>>;
    type Ipv6 = Map<Box<str>, Result<RecordSet<Ipv6Addr>, Negative>>;
    type Ptr = Map<IpAddr, Result<RecordSet<Box<str>>, Negative>>;

    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }

    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }

    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}
