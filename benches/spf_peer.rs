//! mail-auth on the same zones, with its records parsed in its cache.

#![expect(clippy::panic, reason = "a bench without its peer is of no use")]

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mail_auth::dns::{DnssecStatus, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::spf::SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{MessageAuthenticator, Parameters, RecordSet, SpfResult, TxtRecord};
use mail_types::dns::RecordType;

use super::mail_auth_cache::Cache;
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
            if *kind == RecordType::Txt {
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
