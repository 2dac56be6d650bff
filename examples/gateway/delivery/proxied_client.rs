//! The client whose address goes on to a next hop, by a PROXY header before the session.

use std::net::{IpAddr, SocketAddr};

use proxy_protocol::{Address, Endpoints, Header, HeaderOutcome, Transport, Version};

use crate::gateway::smtp::peer::Client;

/// The ends of the client's connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProxiedClient {
    source: SocketAddr,
    destination: SocketAddr,
}

impl ProxiedClient {
    /// Takes the ends; behind a proxy those that its header has.
    pub(crate) fn of(client: &Client) -> Self {
        let destination = match client.session.outcome() {
            Some(HeaderOutcome::Proxied { destination: Address::Inet(end), .. }) => *end,
            _ => client.server,
        };
        Self { source: client.address, destination }
    }

    /// Returns the client's address.
    pub(super) fn address(self) -> IpAddr {
        self.source.ip()
    }
}

/// Writes the header, of version 2. Without a client it is LOCAL: the connection is this program's own.
pub(super) fn header(client: Option<ProxiedClient>) -> Vec<u8> {
    let endpoints = client.map_or(Endpoints::Local, |ProxiedClient { source, destination }| {
        let is_mixed = source.is_ipv4() != destination.is_ipv4();
        let [source, destination] = [source, destination].map(|end| match end {
            SocketAddr::V4(end) if is_mixed => {
                SocketAddr::from((end.ip().to_ipv6_mapped(), end.port()))
            }
            end => end,
        });
        Endpoints::Inet { transport: Transport::Stream, source, destination }
    });
    let mut header = Vec::new();
    // Addresses of one family, without vectors, have a header.
    let _ = Header::new(Version::V2, endpoints).write_to(&mut header);
    header
}
