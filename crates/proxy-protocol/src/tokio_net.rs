//! Reads a header from a stream of tokio.
//!
//! Each function drives a [`Receiver`] until it has an outcome, with its one deadline for the whole
//! header; no timer outlives the call. Every fault of the peer, silence and disconnection included, is
//! [`Outcome::Failed`]. A [`Listener`](crate::Listener) accepts connections with these. They differ in
//! what they read:
//!
//! | Function                 | Streams  | Reads                                  | System calls   |
//! |--------------------------|----------|----------------------------------------|----------------|
//! | [`read_header`]          | any      | the header and not a byte more         | a few, by its length |
//! | [`peek_header`]          | TCP      | the header and not a byte more         | mostly two     |
//! | [`read_header_buffered`] | any      | what is there, and keeps what is behind | mostly one    |

use std::io;

use ::tokio::io::{AsyncRead, AsyncReadExt};
use ::tokio::net::TcpStream;
use ::tokio::time::{Instant, timeout_at};

use crate::{Outcome, Receiver};

/// Reads exactly the header, so that what is behind it, such as TLS, is still in the stream.
///
/// # Errors
///
/// That of the stream, if it cannot be read.
pub async fn read_header<S>(stream: &mut S, receiver: &mut Receiver) -> io::Result<Outcome>
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

/// Reads exactly the header, as [`read_header`] does, but looks at what has come before it takes
/// it, so that a header that has come at once costs two system calls.
///
/// # Errors
///
/// That of the stream, if it cannot be read.
pub async fn peek_header(stream: &mut TcpStream, receiver: &mut Receiver) -> io::Result<Outcome> {
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
                    // What is taken is taken from the socket too, else it would be there to be
                    // seen again at once, and waiting for the rest would be a spin.
                    let taken = receiver.handle_bytes(bytes);
                    let taken = buffer.get_mut(..taken).unwrap_or_default();
                    stream.read_exact(taken).await?;
                }
            },
        }
    }
}

/// Reads the header and perhaps what is behind it, which is then in `buffer`.
///
/// What is in `buffer` beforehand is taken as read.
///
/// # Errors
///
/// That of the stream, if it cannot be read.
pub async fn read_header_buffered<S>(
    stream: &mut S,
    receiver: &mut Receiver,
    buffer: &mut Vec<u8>,
) -> io::Result<Outcome>
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

/// Until when to wait for how many bytes, or what has come of it.
fn awaiting(receiver: &Receiver) -> Result<(Instant, usize), Outcome> {
    match (receiver.outcome(), receiver.deadline()) {
        (Some(outcome), _) => Err(outcome.clone()),
        (None, deadline) => {
            let deadline = deadline.map_or_else(Instant::now, Instant::from_std);
            Ok((deadline, receiver.needed()))
        }
    }
}
