//! A TCP listener for connections that begin with a header.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tokio::net::{TcpListener, TcpStream};
use ::tokio::task::{JoinError, JoinSet};
use ::tokio::time::Instant;

use crate::tokio_net::peek_header;
use crate::{HeaderOutcome, Options, ProxyInfo, Receiver};

/// A TCP listener that reads the header of each connection from a trusted proxy, and returns the
/// stream with its [`ProxyInfo`].
///
/// A task reads each header: a slow one delays no other connection. The time limit of a header is
/// [`Limits::time`](crate::Limits::time).
///
/// ```no_run
/// use proxy_protocol::{Listener, Options};
/// use tokio::net::TcpListener;
///
/// # async fn serve() -> std::io::Result<()> {
/// let tcp = TcpListener::bind("0.0.0.0:8080").await?;
/// let proxy = "192.0.2.7".parse().ok();
/// let mut listener = Listener::new(tcp, Options::default(), move |peer| Some(peer) == proxy);
/// loop {
///     let (stream, info) = listener.accept().await?;
///     if let Some(failure) = info.outcome().and_then(|outcome| outcome.failure()) {
///         eprintln!("{}: {failure}", info.peer());
///         continue; // The stream is closed.
///     }
///     tokio::spawn(async move {
///         println!("client {}", info.client());
///         drop(stream); // Serve the client here.
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    options: Options,
    trusted: Trusted,
    waiting_max: usize,
    waiting: JoinSet<Accepted>,
}

type Accepted = io::Result<(TcpStream, ProxyInfo)>;

impl Listener {
    /// The default of [`Listener::with_waiting_max`].
    pub const WAITING_MAX: usize = 1024;

    /// Takes a listener. Connections from a `trusted` peer must begin with a header, all others
    /// have none: the listener never guesses whether there is a header (section 2 of the
    /// specification).
    ///
    /// The feature `mail` has [`RequiredHosts`](crate::RequiredHosts), a list of such peers.
    #[must_use]
    pub fn new(
        tcp: TcpListener,
        options: Options,
        trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (trusted, waiting_max) = (Trusted(Arc::new(trusted)), Self::WAITING_MAX);
        Self { tcp, options, trusted, waiting_max, waiting: JoinSet::new() }
    }

    /// Sets the number of connections, at least 1, that may wait for their header at once. At this
    /// limit the listener accepts no further connection until one of them is complete, has failed,
    /// or has timed out.
    ///
    /// ```
    /// use proxy_protocol::{Listener, Options};
    /// use tokio::net::TcpListener;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let tcp = TcpListener::bind("127.0.0.1:0").await?;
    /// let listener = Listener::new(tcp, Options::default(), |peer| peer.is_loopback()).with_waiting_max(100);
    /// assert!(listener.local_addr()?.port() > 0);
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_waiting_max(self, waiting_max: usize) -> Self {
        Self { waiting_max: waiting_max.max(1), ..self }
    }

    /// Returns the local address of the socket.
    ///
    /// # Errors
    ///
    /// The error of the socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Waits for the next connection whose header is complete or has failed: see
    /// [`ProxyInfo::outcome`]. The caller closes a connection with [`HeaderOutcome::Failed`].
    ///
    /// Headers are read between two calls too. The future can be dropped; no connection is lost.
    ///
    /// # Errors
    ///
    /// The error of the listener. An error of one connection only drops this connection.
    pub async fn accept(&mut self) -> io::Result<(TcpStream, ProxyInfo)> {
        loop {
            match poll_fn(|context| self.poll_next(context)).await {
                Next::Direct(stream, peer) => return Ok((stream, ProxyInfo::direct(peer))),
                Next::Proxied(stream, peer) => {
                    self.waiting.spawn(read(stream, peer, self.options));
                }
                Next::Ready(Ok(Ok(accepted))) => return Ok(accepted),
                Next::Ready(_) => {}
                Next::Failed(error) => return Err(error),
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        if let Poll::Ready(Some(ready)) = self.waiting.poll_join_next(context) {
            return Poll::Ready(Next::Ready(ready));
        }
        if self.waiting.len() >= self.waiting_max {
            return Poll::Pending;
        }
        self.tcp.poll_accept(context).map(|accepted| match accepted {
            Ok((stream, peer)) if (self.trusted.0)(peer.ip().to_canonical()) => {
                Next::Proxied(stream, peer)
            }
            Ok((stream, peer)) => Next::Direct(stream, peer),
            Err(error) => Next::Failed(error),
        })
    }
}

/// The next event of a listener.
enum Next {
    /// A connection without a header.
    Direct(TcpStream, SocketAddr),
    /// A connection that must begin with a header.
    Proxied(TcpStream, SocketAddr),
    /// A header was read.
    Ready(Result<Accepted, JoinError>),
    Failed(io::Error),
}

async fn read(mut stream: TcpStream, peer: SocketAddr, options: Options) -> Accepted {
    let mut receiver = Receiver::new(options, Instant::now().into_std());
    let outcome: HeaderOutcome = peek_header(&mut stream, &mut receiver).await?;
    Ok((stream, ProxyInfo::proxied(peer, outcome)))
}

/// The peers whose connections begin with a header.
struct Trusted(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl std::fmt::Debug for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trusted")
    }
}
