//! The name of a client: forward-confirmed reverse DNS (RFC 8601 section 2.7.3).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{Answer, DnsFailure, Name, Question, RecordType, Records, Resolve};

/// Looks up names, each with its own deadline.
#[derive(Clone)]
pub(crate) struct HostNames {
    resolver: Arc<dyn Resolve>,
    timeout: Duration,
}

impl HostNames {
    /// Uses this resolver.
    pub(crate) fn new(resolver: Arc<dyn Resolve>, timeout: Duration) -> Self {
        Self { resolver, timeout }
    }

    /// Returns the resolver.
    pub(crate) fn resolver(&self) -> Arc<dyn Resolve> {
        Arc::clone(&self.resolver)
    }

    /// Returns a confirmed name of the address, if one is found in time. `failed` gets each question
    /// without records: Exim's word for the cause, the name and the type.
    pub(crate) async fn of(
        &self,
        address: IpAddr,
        failed: impl Fn(&str, &str, &str),
    ) -> Option<Name> {
        let confirmed = self.confirmed(address.to_canonical(), &failed);
        tokio::time::timeout(self.timeout, confirmed).await.ok().flatten()
    }

    async fn confirmed(&self, address: IpAddr, failed: &impl Fn(&str, &str, &str)) -> Option<Name> {
        let pointers = self.ask(Name::reverse(address), RecordType::Ptr, failed).await?;
        let Records::Ptr(names) = pointers else { return None };
        let kind = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        for name in names.into_iter().take(MAX_NAMES) {
            let same = match (self.ask(name.clone(), kind, failed).await, address) {
                (Some(Records::A(found)), IpAddr::V4(address)) => found.contains(&address),
                (Some(Records::Aaaa(found)), IpAddr::V6(address)) => found.contains(&address),
                _ => false,
            };
            if same {
                return Some(name);
            }
        }
        None
    }

    async fn ask(
        &self,
        name: Name,
        kind: RecordType,
        failed: &impl Fn(&str, &str, &str),
    ) -> Option<Records> {
        let (question, answer) =
            self.resolver.answer(Question::new(name, kind), self.timeout).await;
        let outcome = match answer {
            Answer::Records { records, .. } => return Some(records),
            Answer::Absent { exists: false, .. } => "DNS_NOMATCH",
            Answer::Absent { .. } => "DNS_NODATA",
            Answer::Failed(DnsFailure::ServFail | DnsFailure::Timeout) => "DNS_AGAIN",
            Answer::Failed(_) => "DNS_FAIL",
        };
        failed(outcome, &question.name.to_string(), kind.as_str());
        None
    }
}

/// The most names of one address that are tried.
const MAX_NAMES: usize = 5;
