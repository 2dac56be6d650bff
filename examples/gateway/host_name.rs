//! The name of a client: forward-confirmed reverse DNS (RFC 8601 section 2.7.3).

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name as DnsName, RData, RecordType};
use mail_types::Name;

/// Looks names up, each with a deadline of its own.
#[derive(Clone)]
pub(crate) struct HostNames {
    resolver: TokioResolver,
    timeout: Duration,
}

impl HostNames {
    /// Asks this resolver.
    pub(crate) fn new(resolver: TokioResolver, timeout: Duration) -> Self {
        Self { resolver, timeout }
    }

    /// Returns a name of the address that has the address, or `None` if there is none in time.
    pub(crate) async fn of(&self, address: IpAddr) -> Option<Name> {
        let confirmed = self.confirmed(address.to_canonical());
        tokio::time::timeout(self.timeout, confirmed).await.ok().flatten()
    }

    async fn confirmed(&self, address: IpAddr) -> Option<Name> {
        let reverse = DnsName::from(address);
        let pointers = self.resolver.lookup(reverse, RecordType::PTR).await.ok()?;
        let kind = if address.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        for record in pointers.answers().iter().take(MAX_NAMES) {
            let RData::PTR(pointer) = &record.data else { continue };
            let Ok(forward) = self.resolver.lookup(pointer.0.clone(), kind).await else { continue };
            let same = |data: &RData| match data {
                RData::A(found) => IpAddr::V4(found.0) == address,
                RData::AAAA(found) => IpAddr::V6(found.0) == address,
                _ => false,
            };
            if forward.answers().iter().any(|record| same(&record.data)) {
                return Name::from_labels(pointer.0.iter()).ok();
            }
        }
        None
    }
}

/// How many names of one address are tried.
const MAX_NAMES: usize = 5;
