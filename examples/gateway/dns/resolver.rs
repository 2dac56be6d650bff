//! Whom to ask about the DNS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use mail_types::dns::{Answer, DnsFailure, Question};
use mail_types::hickory::{Resolver, ResolverError, ResolverSettings, ask};
use tokio::time::timeout;

use super::resolve::{Resolve, Resolving};

/// Asks `server`, or whom the system asks, as its `file` says. Without anybody to ask there is no SPF, DKIM or DMARC, so
/// that every forgery would be taken: then the gateway does not start.
///
/// # Errors
///
/// Why the system's settings cannot be read.
pub fn resolver_settings(
    server: Option<SocketAddr>,
    file: &Path,
) -> Result<ResolverSettings, ResolverError> {
    match server {
        Some(server) => Ok(ResolverSettings::of_server(server)),
        None => ResolverSettings::of_system(file),
    }
}

impl Resolve for Resolver {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        Box::pin(async move {
            let answer = timeout(time, ask(self, &question)).await;
            let answer = answer.unwrap_or(Answer::Failed(DnsFailure::Timeout));
            (question, answer)
        })
    }
}
