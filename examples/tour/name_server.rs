//! The name server of the signed zone, by UDP.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::Message;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::Done;
use crate::signed_zone::SignedZone;

/// A server until it is dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl NameServer {
    /// Serves a zone on a free port.
    pub(crate) async fn start(zone: Arc<SignedZone>) -> Done<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        Ok(Self { address, task: tokio::spawn(serve(socket, zone)) })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<SignedZone>) {
    let mut room = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut room).await {
        // A message that is no question gets no answer.
        if let Some(octets) = answer(&zone, room.get(..length).unwrap_or_default()) {
            let _ = socket.send_to(&octets, client).await;
        }
    }
}

fn answer(zone: &SignedZone, query: &[u8]) -> Option<Vec<u8>> {
    zone.answer(Message::from_vec(query).ok()?).ok()?.to_vec().ok()
}
