//! Whom to ask about the DNS.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

/// Makes a resolver that asks `server`, or whom the system asks; `None` if the system has nobody to
/// ask.
pub(crate) fn resolver(server: Option<SocketAddr>) -> Option<TokioResolver> {
    let builder = match server {
        None => TokioResolver::builder_tokio().ok()?,
        Some(server) => {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    builder.build().ok()
}
