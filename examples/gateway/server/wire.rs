//! The byte stream of a connection, in clear text or over TLS.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};
#[cfg(target_os = "linux")]
use rustix::{net::sockopt::socket_incoming_cpu, thread::sched_getcpu};
use rustls::pki_types::CertificateDer;
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncRead, AsyncWriteExt as _, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use crate::gateway::policy::delay::Presence;
use crate::gateway::telemetry::cipher::cipher;

/// A byte stream that can change to TLS.
#[derive(Debug)]
pub(crate) enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed, and the connection is closed.
    Gone,
}

impl Wire {
    /// Waits for bytes, and passes them to `take`; returns their number, 0 at the end.
    pub(crate) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| self.poll_take(context, &mut take)).await
    }

    /// Waits like [`Wire::read`], but for this time only and without sleeping; other tasks run
    /// meanwhile.
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

    /// Tells whether the last input arrived on the current core, as it does if the client runs on that
    /// core and waits for it.
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

    /// The same; unknown on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn shares_core(&self) -> bool {
        true
    }

    /// The buffer is on the stack during a read, so that a silent connection needs no buffer.
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

    /// Takes the first octets that have arrived already, without waiting; for a connection in clear.
    pub(crate) fn pending(&self) -> Vec<u8> {
        let Self::Clear(stream) = self else { return Vec::new() };
        let mut start = [0; START];
        let length = stream.try_read(&mut start).unwrap_or_default();
        start.get(..length).unwrap_or_default().to_vec()
    }

    /// Waits for the first octets of a connection in clear until they are enough, or its end, and leaves them there.
    pub(crate) async fn first(&self, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let Self::Clear(stream) = self else { return Ok(Vec::new()) };
        loop {
            let ready = stream.ready(Interest::READABLE).await?;
            let mut octets = Vec::new();
            let looked = stream.try_io(Interest::READABLE, || {
                let mut start = [0; START];
                let (_, length) = recv(stream, &mut start[..], RecvFlags::PEEK)?;
                octets.extend_from_slice(start.get(..length).unwrap_or_default());
                // Else the next wait would return at once, with the same octets.
                if is_enough(&octets) { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
            });
            match looked {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Err(_) if !ready.is_read_closed() => {}
                _ => return Ok(octets),
            }
        }
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

    /// Waits for the client hello, which selects the certificate.
    pub(crate) async fn client_hello(&mut self) -> io::Result<StartHandshake<TcpStream>> {
        let Self::Clear(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        LazyConfigAcceptor::new(Acceptor::default(), stream).await
    }

    /// Completes the handshake.
    pub(crate) async fn start_tls(
        &mut self,
        hello: StartHandshake<TcpStream>,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        *self = Self::Tls(Box::new(hello.into_stream(config).await?));
        Ok(())
    }

    /// Tells whether TLS has resumed an earlier session, without a certificate.
    pub(crate) fn is_resumed(&self) -> bool {
        let Self::Tls(stream) = self else { return false };
        stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Returns the certificates of the client, its own first.
    pub(crate) fn peer_certificates(&self) -> Vec<CertificateDer<'static>> {
        let Self::Tls(stream) = self else { return Vec::new() };
        stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec()
    }

    /// Closes the connection properly, if the peer cooperates.
    pub(crate) async fn close(&mut self) {
        // The peer may have disconnected.
        let _ = match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
            Self::Gone => Ok(()),
        };
    }

    /// Returns the TLS version and cipher suite, if TLS is on.
    pub(crate) fn cipher(&self) -> Option<String> {
        let Self::Tls(stream) = self else { return None };
        cipher(stream.get_ref().1)
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

impl Presence for Wire {
    fn is_gone(&self) -> bool {
        let stream = match self {
            Self::Clear(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
            Self::Gone => return true,
        };
        let mut waiting = [PollFd::new(stream, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A connection whose state the system does not tell is taken for one that is there.
        let _ = poll(&mut waiting, Some(&now));
        let [state] = waiting.map(|descriptor| descriptor.revents());
        state.intersects(PollFlags::HUP | PollFlags::ERR)
    }
}

/// The time limits of the end of a connection, for a client that does not read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// For a connection to be closed.
    pub(crate) closing: Duration,
    /// The same when the server stops.
    pub(crate) stopping: Duration,
    /// For a message under way when the server stops.
    pub(crate) message: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let (long, short) = (Duration::from_secs(10), Duration::from_secs(1));
        Self { closing: long, stopping: short, message: long }
    }
}

impl Deadlines {
    /// Runs the end of a connection within its time limit, which is shorter when the server stops.
    pub(crate) async fn closing<T>(
        self,
        stop: &mut watch::Receiver<Option<Instant>>,
        end: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            ended = timeout(self.closing, end) => ended.ok(),
            () = self.stopping(stop) => None,
        }
    }

    /// Ends shortly after the server begins to stop.
    pub(crate) async fn stopping(self, stop: &mut watch::Receiver<Option<Instant>>) {
        // The sender is dropped only with the server.
        let _ = stop.wait_for(Option::is_some).await;
        sleep(self.stopping).await;
    }

    /// Ends when the server stops; within a message, when the time for it is over.
    pub(crate) async fn last_call(
        self,
        stop: &mut watch::Receiver<Option<Instant>>,
        within_message: bool,
    ) {
        let began = stop.wait_for(Option::is_some).await.ok().and_then(|began| *began);
        if let Some(began) = began.filter(|_| within_message) {
            sleep_until(began + self.message).await;
        }
    }
}

/// The octets that tell a PROXY header.
const START: usize = 16;
/// The size of a read, in octets.
const ROOM: usize = 16_384;
