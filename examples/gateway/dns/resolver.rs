//! The settings of the DNS resolver.

use std::net::SocketAddr;
use std::path::Path;

use mail_types::hickory::{ResolverError, ResolverSettings};

/// Returns the settings for `server`, or those of the system in `file`. Without a resolver there would be
/// no SPF, DKIM or DMARC, and every forgery would be accepted: then the gateway does not start.
///
/// # Errors
///
/// The system's settings cannot be read.
pub fn resolver_settings(
    server: Option<SocketAddr>,
    file: &Path,
) -> Result<ResolverSettings, ResolverError> {
    match server {
        Some(server) => Ok(ResolverSettings::of_server(server)),
        None => ResolverSettings::of_system(file),
    }
}
