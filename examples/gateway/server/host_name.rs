//! The name of a client: forward-confirmed reverse DNS (RFC 8601 section 2.7.3).

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name as DnsName, RData, RecordType};
use mail_types::dns::Name;
use mail_types::hickory::Resolver;

/// Looks names up, each with a deadline of its own.
#[derive(Clone)]
pub(crate) struct HostNames {
    resolver: Resolver,
    timeout: Duration,
}

impl HostNames {
    /// Asks this resolver.
    pub(crate) fn new(resolver: Resolver, timeout: Duration) -> Self {
        Self { resolver, timeout }
    }

    /// Returns a name of the address that has the address, or `None` if there is none in time.
    /// `failed` hears of each question without records: Exim's word for why, the name and the type.
    pub(crate) async fn of(
        &self,
        address: IpAddr,
        failed: impl Fn(&str, &str, &str),
    ) -> Option<Name> {
        let confirmed = self.confirmed(address.to_canonical(), &failed);
        tokio::time::timeout(self.timeout, confirmed).await.ok().flatten()
    }

    async fn confirmed(&self, address: IpAddr, failed: &impl Fn(&str, &str, &str)) -> Option<Name> {
        let reverse = DnsName::from(address);
        let pointers = self.ask(reverse, RecordType::PTR, failed).await?;
        let kind = if address.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        for record in pointers.answers().iter().take(MAX_NAMES) {
            let RData::PTR(pointer) = &record.data else { continue };
            let Some(forward) = self.ask(pointer.0.clone(), kind, failed).await else { continue };
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

    async fn ask(
        &self,
        name: DnsName,
        kind: RecordType,
        failed: &impl Fn(&str, &str, &str),
    ) -> Option<Lookup> {
        match self.resolver.lookup(name.clone(), kind).await {
            Ok(found) => Some(found),
            Err(error) => {
                let name = name.to_ascii();
                failed(outcome(&error), name.trim_end_matches('.'), &kind.to_string());
                None
            }
        }
    }
}

/// Exim's word for a failure.
fn outcome(error: &NetError) -> &'static str {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => "DNS_NOMATCH",
            ResponseCode::NoError => "DNS_NODATA",
            ResponseCode::ServFail => "DNS_AGAIN",
            _ => "DNS_FAIL",
        },
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) | NetError::Timeout => {
            "DNS_AGAIN"
        }
        _ => "DNS_FAIL",
    }
}

/// How many names of one address are tried.
const MAX_NAMES: usize = 5;
