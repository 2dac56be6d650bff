//! Whom to ask about the DNS.

use std::net::SocketAddr;
use std::path::Path;

use mail_types::hickory::{ResolverError, ResolverSettings};

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
