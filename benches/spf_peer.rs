//! mail-auth on the same zones, with its records parsed in its cache.

#![expect(clippy::panic, reason = "a bench without its peer is of no use")]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::dns::{DnssecStatus, Mx, Negative, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::spf::SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    DnsCache, MessageAuthenticator, Parameters, RecordSet, ResolverCache, SpfResult, TxtRecord,
};
use mail_types::Kind;

use super::spf_shapes::{HELO, RECEIVER, SENDER, Shape};

pub(crate) struct Peer {
    authenticator: MessageAuthenticator,
    cache: Cache,
    client: IpAddr,
}

impl Peer {
    pub(crate) fn new(shape: &Shape) -> Self {
        let made =
            MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).ok();
        let Some(authenticator) = made else { panic!("a resolver without servers can be made") };
        let mut cache = Cache::default();
        for (name, kind, data) in &shape.entries {
            let name: Box<str> = format!("{name}.").into();
            if *kind == Kind::Txt {
                let record = SpfRecord::parse(data.as_bytes()).map(Arc::new);
                let Ok(record) = record else { panic!("{data}") };
                cache.txt.0.insert(name, TxtRecord::Spf(record));
            } else if let Ok(address) = data.parse::<Ipv4Addr>() {
                let dnssec_status = DnssecStatus::Indeterminate;
                let set = RecordSet { records: Arc::new([address]), dnssec_status };
                cache.ipv4.0.insert(name, Ok(set));
            }
        }
        Self { authenticator, cache, client: shape.client }
    }

    /// The word of the result.
    pub(crate) fn check(&self) -> Option<spf_result::SpfResult> {
        let parameters = SpfParameters::mail_from(self.client, HELO, RECEIVER, SENDER);
        let parameters = Parameters::new(parameters).with_cache(&self.cache);
        let checked = pin!(self.authenticator.check_host(parameters));
        // All is cached: it never waits.
        match checked.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => match output.result() {
                SpfResult::Pass => Some(spf_result::SpfResult::Pass),
                SpfResult::Fail => Some(spf_result::SpfResult::Fail),
                _ => None,
            },
            Poll::Pending => None,
        }
    }
}

pub(crate) fn parse(record: &str) -> bool {
    SpfRecord::parse(record.as_bytes()).is_ok()
}

#[derive(Default)]
struct Cache {
    txt: Map<Box<str>, TxtRecord>,
    mx: Map<Box<str>, Result<RecordSet<Mx>, Negative>>,
    ipv4: Map<Box<str>, Result<RecordSet<Ipv4Addr>, Negative>>,
    ipv6: Map<Box<str>, Result<RecordSet<Ipv6Addr>, Negative>>,
    ptr: Map<IpAddr, Result<RecordSet<Box<str>>, Negative>>,
}

/// As our own cache: a map that is only read while it is measured, so without a lock.
struct Map<K, V>(HashMap<K, V>);

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
