//! The addresses of the next hop.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mail_types::dns::{
    Answer, DnsFailure, Inquiry, Known, Name, RecordType, Records, Resolve, Session, Unanswered,
    run_cached,
};
use thiserror::Error;

/// Returns the addresses of a next hop, as `host:port`, at most [`MAX`]. The DNS is asked for those of a name.
pub(super) async fn addresses(
    route: &str,
    resolver: &dyn Resolve,
    time: Duration,
) -> Result<Vec<SocketAddr>, AddressError> {
    if let Ok(address) = route.parse() {
        return Ok(vec![address]);
    }
    let (host, port) = route.rsplit_once(':').ok_or(AddressError::Route)?;
    let port = port.parse().map_err(|_| AddressError::Route)?;
    let name = host.parse().map_err(|_| AddressError::Route)?;
    let mut session = Session::new(HostAddresses(name), Vec::new(), 2);
    let found = run_cached(&mut session, resolver, time, &|_| None).await?;
    Ok(found.into_iter().take(MAX).map(|address| SocketAddr::new(address, port)).collect())
}

/// Why a next hop has no address.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(super) enum AddressError {
    #[error("not a host and a port")]
    Route,
    #[error("the host has no address")]
    Absent,
    #[error("the DNS lookup failed: {0}")]
    Failed(DnsFailure),
}

/// The addresses of a host in both families. One that fails does not keep the other from being used.
struct HostAddresses(Name);

impl Inquiry for HostAddresses {
    type Verdict = Result<Vec<IpAddr>, AddressError>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Self::Verdict, Unanswered> {
        let answers = [RecordType::Aaaa, RecordType::A].map(|kind| known.ask(&self.0, kind));
        let (mut found, mut failed) = (Vec::new(), None);
        for answer in answers {
            match &*answer? {
                Answer::Records { records: Records::A(v4), .. } => {
                    found.extend(v4.iter().copied().map(IpAddr::V4));
                }
                Answer::Records { records: Records::Aaaa(v6), .. } => {
                    found.extend(v6.iter().copied().map(IpAddr::V6));
                }
                Answer::Failed(failure) => failed = Some(*failure),
                _ => {}
            }
        }
        Ok(match (found.is_empty(), failed) {
            (false, _) => Ok(found),
            (true, Some(failure)) => Err(AddressError::Failed(failure)),
            (true, None) => Err(AddressError::Absent),
        })
    }
}

/// The most addresses of a next hop that are tried.
const MAX: usize = 5;
