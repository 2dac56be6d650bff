//! A load balancer before the gateway: it writes a PROXY header, and cuts a connection where it is told to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proxy_protocol::{Endpoints, Header, Transport, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Done;

/// A balancer until it is dropped.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    /// The octets of clients after which it cuts a connection; 0 for never.
    cut: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Takes a free port.
    pub(crate) async fn listen() -> Done<TcpListener> {
        Ok(TcpListener::bind("127.0.0.1:0").await?)
    }

    /// Starts before a server, for which all clients come from `client`.
    pub(crate) fn start(
        listener: TcpListener,
        server: SocketAddr,
        client: SocketAddr,
    ) -> Done<Self> {
        let (address, cut) = (listener.local_addr()?, Arc::<AtomicU64>::default());
        let after = Arc::clone(&cut);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let after = after.load(Ordering::Relaxed);
                // A connection that fails has ended for both sides.
                tokio::spawn(async move { forward(stream, server, client, after).await.ok() });
            }
        });
        Ok(Self { address, cut, task })
    }

    /// Cuts new connections after this many octets of the client; 0 cuts none.
    pub(crate) fn cut_after(&self, octets: u64) {
        self.cut.store(octets, Ordering::Relaxed);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    source: SocketAddr,
    cut: u64,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let destination = client.local_addr()?;
    let endpoints = Endpoints::Inet { transport: Transport::Stream, source, destination };
    let mut header = Vec::new();
    Header::new(Version::V2, endpoints).write_to(&mut header).map_err(io::Error::other)?;
    server.write_all(&header).await?;
    let ((from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.split(), server.split());
    let mut from_client = from_client.take(if cut == 0 { u64::MAX } else { cut });
    // The first side that ends, or is cut, ends both.
    tokio::select! {
        done = copy(&mut from_client, &mut to_server) => done,
        done = copy(&mut from_server, &mut to_client) => done,
    }?;
    Ok(())
}
