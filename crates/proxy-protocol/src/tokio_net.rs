//! Reads a header from a stream of tokio.
//!
//! Each function feeds a [`Receiver`] until it has an outcome, with its one deadline for the whole
//! header; no timer outlives the call. Every fault of the peer, silence and disconnection included,
//! is [`HeaderOutcome::Failed`]. [`Listener`](crate::Listener) accepts connections with these functions.
//! They differ in the bytes that they read:
//!
//! | Function                 | Streams  | Reads                                  | System calls   |
//! |--------------------------|----------|----------------------------------------|----------------|
//! | [`read_header`]          | any      | exactly the header                     | a few, by its length |
//! | [`peek_header`]          | TCP      | exactly the header                     | mostly two     |
//! | [`read_header_buffered`] | any      | all bytes received, and keeps those after the header | mostly one |

use std::io;

use ::tokio::io::{AsyncRead, AsyncReadExt};
use ::tokio::net::TcpStream;
use ::tokio::time::{Instant, timeout_at};

use crate::{HeaderOutcome, Receiver};

/// Reads exactly the header: the bytes after it, such as TLS, stay in the stream.
///
/// # Errors
///
/// The error of the stream if a read fails.
pub async fn read_header<S>(stream: &mut S, receiver: &mut Receiver) -> io::Result<HeaderOutcome>
where
    S: AsyncRead + Unpin,
{
    let mut buffer = [0; 256];
    loop {
        let (deadline, needed) = match awaiting(receiver) {
            Ok(awaiting) => awaiting,
            Err(outcome) => return Ok(outcome),
        };
        let part = buffer.get_mut(..needed.min(256)).unwrap_or_default();
        match timeout_at(deadline, stream.read(part)).await {
            Err(_) => receiver.handle_time(Instant::now().into_std()),
            Ok(read) => match part.get(..read?) {
                None | Some([]) => receiver.handle_end(),
                Some(bytes) => _ = receiver.handle_bytes(bytes),
            },
        }
    }
}

/// Reads exactly the header, as [`read_header`] does, but peeks at the received bytes before it
/// reads them, so that a header in one segment costs two system calls.
///
/// # Errors
///
/// The error of the stream if a read fails.
pub async fn peek_header(
    stream: &mut TcpStream,
    receiver: &mut Receiver,
) -> io::Result<HeaderOutcome> {
    let mut buffer = [0; 1024];
    loop {
        let deadline = match awaiting(receiver) {
            Ok((deadline, _)) => deadline,
            Err(outcome) => return Ok(outcome),
        };
        match timeout_at(deadline, stream.peek(&mut buffer)).await {
            Err(_) => receiver.handle_time(Instant::now().into_std()),
            Ok(seen) => match buffer.get(..seen?) {
                None | Some([]) => receiver.handle_end(),
                Some(bytes) => {
                    // The bytes used are removed from the socket too: else the next wait would
                    // return at once.
                    let taken = receiver.handle_bytes(bytes);
                    let taken = buffer.get_mut(..taken).unwrap_or_default();
                    stream.read_exact(taken).await?;
                }
            },
        }
    }
}

/// Reads the header and perhaps bytes after it, which are then in `buffer`.
///
/// Bytes already in `buffer` are read first.
///
/// # Errors
///
/// The error of the stream if a read fails.
///
/// ```
/// use std::time::Instant;
///
/// use proxy_protocol::tokio_net::{peek_header, read_header_buffered};
/// use proxy_protocol::{Options, Receiver};
/// use tokio::io::AsyncWriteExt as _;
/// use tokio::net::{TcpListener, TcpStream};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut balancer = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut stream, _) = listener.accept().await?;
/// balancer.write_all(b"PROXY UNKNOWN\r\nEHLO a\r\n").await?;
/// let mut receiver = Receiver::new(Options::default(), Instant::now());
/// assert_eq!(peek_header(&mut stream, &mut receiver).await?.as_str(), "unknown");
///
/// // The bytes after a header are in the buffer.
/// let mut other: &[u8] = b"PROXY UNKNOWN\r\nQUIT\r\n";
/// let (mut receiver, mut buffer) = (Receiver::new(Options::default(), Instant::now()), Vec::new());
/// read_header_buffered(&mut other, &mut receiver, &mut buffer).await?;
/// assert_eq!(buffer, b"QUIT\r\n");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn read_header_buffered<S>(
    stream: &mut S,
    receiver: &mut Receiver,
    buffer: &mut Vec<u8>,
) -> io::Result<HeaderOutcome>
where
    S: AsyncRead + Unpin,
{
    loop {
        let taken = receiver.handle_bytes(buffer);
        buffer.drain(..taken);
        let deadline = match awaiting(receiver) {
            Ok((deadline, _)) => deadline,
            Err(outcome) => return Ok(outcome),
        };
        buffer.reserve(1024);
        match timeout_at(deadline, stream.read_buf(buffer)).await {
            Err(_) => receiver.handle_time(Instant::now().into_std()),
            Ok(read) => {
                if read? == 0 {
                    receiver.handle_end();
                }
            }
        }
    }
}

/// The deadline and the number of bytes to wait for, or the outcome.
fn awaiting(receiver: &Receiver) -> Result<(Instant, usize), HeaderOutcome> {
    match (receiver.outcome(), receiver.deadline()) {
        (Some(outcome), _) => Err(outcome.clone()),
        (None, deadline) => {
            let deadline = deadline.map_or_else(Instant::now, Instant::from_std);
            Ok((deadline, receiver.needed()))
        }
    }
}
