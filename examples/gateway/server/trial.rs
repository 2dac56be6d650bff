//! The command that sends a first message, for the log.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proxy_protocol::ProxyInfo;

use super::gateway::Gateway;
use crate::gateway::smtp::peer::Client;

impl Gateway {
    /// Returns a command that sends a message to a listener from this host; `None` if a client of this host needs a
    /// certificate there.
    pub(super) async fn trial(&self, listener: SocketAddr, tls_on_connect: bool) -> Option<String> {
        let (live, address) = (self.live(), reachable(listener));
        // A client that is sent to an address of this host has the same address.
        let client = Client::new(ProxyInfo::direct(SocketAddr::new(address.ip(), 0)), address);
        let clients = &live.settings.clients;
        if tls_on_connect && live.is_in(&clients.tls_verify_hosts, &client, &self.limiter).await {
            return None;
        }
        let by_proxy = live.is_in(&clients.proxy_required_hosts, &client, &self.limiter).await;
        let proxy = if by_proxy { " --haproxy-protocol" } else { "" };
        // The certificate of a first start is of its own making.
        let (insecure, scheme) = if tls_on_connect { ("k", "smtps") } else { ("", "smtp") };
        let domain = live.settings.routing.own_domain();
        Some(format!(
            "printf 'Subject: hello\\n\\nIt works.\\n' | curl --crlf -sv{insecure}{proxy} {scheme}://{address} \
             --mail-from ann@client.example --mail-rcpt postmaster@{domain} -T -"
        ))
    }
}

/// The address at which a listener is reached from this host.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}
