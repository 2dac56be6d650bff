//! The byte stream of a connection to a server, in clear text or over TLS.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ClientConnection;
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::TlsClient;

/// A byte stream that can change to TLS.
#[derive(Debug)]
pub(super) enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed, and the connection is closed.
    Gone,
}

impl Wire {
    /// Waits for bytes, and passes them to `take`; returns their number, 0 at the end.
    pub(super) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| self.poll_take(context, &mut take)).await
    }

    /// Reads like [`Wire::read`], but without waiting; `None` if no bytes have arrived.
    pub(super) async fn read_now(
        &mut self,
        mut take: impl FnMut(&[u8]),
    ) -> Option<io::Result<usize>> {
        if let Self::Clear(stream) = self {
            let mut room = [0; AT_HAND];
            let read = stream.try_read(&mut room);
            if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                return None;
            }
            take(read.as_ref().ok().and_then(|&count| room.get(..count)).unwrap_or_default());
            return Some(read);
        }
        // A task that has run for long would be told that there are none.
        let once = poll_fn(|context| Poll::Ready(self.poll_take(context, &mut take)));
        match unconstrained(once).await {
            Poll::Ready(read) => Some(read),
            Poll::Pending => None,
        }
    }

    /// Writes all bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Does the handshake; after an error the connection is closed.
    pub(super) async fn start_tls(&mut self, tls: &TlsClient) -> io::Result<&ClientConnection> {
        let Self::Clear(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let connector = TlsConnector::from(tls.config.clone());
        let stream = Box::new(connector.connect(tls.server_name.clone(), stream).await?);
        *self = Self::Tls(stream);
        match self {
            Self::Tls(stream) => Ok(stream.get_ref().1),
            Self::Clear(_) | Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Ends TLS, so that the server sees that nothing was cut off.
    pub(super) async fn close(&mut self) {
        if let Self::Tls(stream) = self {
            // The server may have disconnected.
            let _ = stream.shutdown().await;
        }
    }

    /// The buffer is on the stack during a read, so that a silent connection needs no buffer.
    fn poll_take(
        &mut self,
        context: &mut Context<'_>,
        take: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(match self {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, &mut buffer),
            Self::Gone => Poll::Ready(Ok(())),
        })?;
        take(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

/// The size of a read, in octets.
const ROOM: usize = 16_384;
/// The size of a read of what has arrived without being awaited.
const AT_HAND: usize = 512;
