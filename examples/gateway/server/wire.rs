//! A connection's bytes, in clear or over TLS.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use rustix::{net::sockopt::socket_incoming_cpu, thread::sched_getcpu};
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

/// A connection that can be taken over into TLS.
#[derive(Debug)]
pub(crate) enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed, and the connection is gone.
    Gone,
}

impl Wire {
    /// Waits for bytes and hands them to `take`; tells how many came, 0 at the end.
    pub(crate) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| self.poll_take(context, &mut take)).await
    }

    /// Waits as [`Wire::read`] does, but for so long only, and without going to sleep; others have
    /// their turn meanwhile.
    pub(crate) async fn read_awake(
        &mut self,
        longest: Duration,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<Option<usize>> {
        let start = Instant::now();
        loop {
            match poll_fn(|context| Poll::Ready(self.poll_take(context, &mut take))).await {
                Poll::Ready(read) => return read.map(Some),
                Poll::Pending if start.elapsed() >= longest => return Ok(None),
                Poll::Pending => yield_now().await,
            }
        }
    }

    /// Whether what came last was handed in on the core that this runs on: as it is if the client has
    /// run there, and waits for it now.
    #[cfg(target_os = "linux")]
    pub(crate) fn shares_core(&self) -> bool {
        let stream = match self {
            Self::Clear(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
            Self::Gone => return true,
        };
        let core = socket_incoming_cpu(stream).ok().and_then(|core| usize::try_from(core).ok());
        core == Some(sched_getcpu())
    }

    /// Whether the client waits for the core that this runs on, which is not known here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn shares_core(&self) -> bool {
        true
    }

    /// The buffer is on the stack while there is something to read, so that a connection which is
    /// silent costs no memory for it.
    fn poll_take(
        &mut self,
        context: &mut Context<'_>,
        take: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(self.poll_read(context, &mut buffer))?;
        take(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Takes what has arrived already, without waiting; for a connection in clear.
    pub(crate) fn pending(&self) -> bool {
        let Self::Clear(stream) = self else { return false };
        matches!(stream.try_read(&mut [0]), Ok(1..))
    }

    /// Writes all bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits for the client's hello, which says what its certificate is to be chosen by.
    pub(crate) async fn client_hello(&mut self) -> io::Result<StartHandshake<TcpStream>> {
        let Self::Clear(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        LazyConfigAcceptor::new(Acceptor::default(), stream).await
    }

    /// Does the rest of the handshake.
    pub(crate) async fn start_tls(
        &mut self,
        hello: StartHandshake<TcpStream>,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        *self = Self::Tls(Box::new(hello.into_stream(config).await?));
        Ok(())
    }

    /// Tells whether TLS goes on with a session of before, in which there is no certificate.
    pub(crate) fn is_resumed(&self) -> bool {
        let Self::Tls(stream) = self else { return false };
        stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Ends the connection in good order, as far as the peer lets it.
    pub(crate) async fn close(&mut self) {
        // The peer may be gone; there is nobody left to tell.
        let _ = match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
            Self::Gone => Ok(()),
        };
    }

    /// Names the TLS version and cipher suite, if TLS is on.
    pub(crate) fn cipher(&self) -> Option<String> {
        let Self::Tls(stream) = self else { return None };
        let (_, session) = stream.get_ref();
        let version = session.protocol_version().and_then(|version| version.as_str());
        let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        Some(format!("{}:{}", version.unwrap_or("TLS"), suite.unwrap_or("unknown")))
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// How long a client that does not read may keep its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// For one that is to be closed.
    pub(crate) closing: Duration,
    /// The same while the server stops.
    pub(crate) stopping: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { closing: Duration::from_secs(10), stopping: Duration::from_secs(1) }
    }
}

impl Deadlines {
    /// Does what ends a connection, for as long as that may take; less if the server `stop`s.
    pub(crate) async fn closing<T>(
        self,
        stop: &mut watch::Receiver<bool>,
        end: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            ended = timeout(self.closing, end) => ended.ok(),
            () = self.stopping(stop) => None,
        }
    }

    /// Ends soon after the server has begun to stop.
    pub(crate) async fn stopping(self, stop: &mut watch::Receiver<bool>) {
        // Who cannot say any more that the server stops is gone with it.
        let _ = stop.wait_for(|&stop| stop).await;
        sleep(self.stopping).await;
    }
}

/// How much is read at once, in octets.
const ROOM: usize = 16_384;
