//! Reads a header from a blocking TCP stream of the standard library.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Instant;

use crate::{HeaderOutcome, Options, Receiver};

/// Reads exactly the header: the bytes after it, such as TLS, stay in the stream.
///
/// It returns at the latest after [`Limits::time`](crate::Limits::time), however slowly the peer
/// sends. It restores the stream's read timeout.
///
/// Every fault of the peer, silence and disconnection included, is [`HeaderOutcome::Failed`]: close the
/// connection.
///
/// ```no_run
/// use std::net::TcpListener;
///
/// use proxy_protocol::{Options, ProxyInfo, blocking};
///
/// let listener = TcpListener::bind("127.0.0.1:8080")?;
/// let (mut stream, peer) = listener.accept()?;
/// let outcome = blocking::read_header(&mut stream, &Options::default())?;
/// if let Some(failure) = outcome.failure() {
///     eprintln!("{peer}: {failure}");
/// } else {
///     println!("client {}", ProxyInfo::proxied(peer, outcome).client());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The error of the stream if a read fails.
pub fn read_header(stream: &mut TcpStream, options: &Options) -> io::Result<HeaderOutcome> {
    let timeout = stream.read_timeout()?;
    let outcome = read(stream, Receiver::new(*options, Instant::now()));
    stream.set_read_timeout(timeout)?;
    outcome
}

fn read(stream: &mut TcpStream, mut receiver: Receiver) -> io::Result<HeaderOutcome> {
    let mut buffer = [0; 256];
    loop {
        let now = Instant::now();
        receiver.handle_time(now);
        let deadline = match (receiver.outcome(), receiver.deadline()) {
            (Some(outcome), _) => return Ok(outcome.clone()),
            (None, deadline) => deadline.unwrap_or(now),
        };
        // Zero would be an error; by then the time is over.
        stream.set_read_timeout(Some(deadline.duration_since(now).max(SHORTEST)))?;
        let part = buffer.get_mut(..receiver.needed().min(256)).unwrap_or_default();
        match stream.read(part) {
            Ok(read) => match part.get(..read) {
                None | Some([]) => receiver.handle_end(),
                Some(bytes) => _ = receiver.handle_bytes(bytes),
            },
            Err(error) if is_to_be_repeated(error.kind()) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The error kind of a timeout differs between operating systems.
fn is_to_be_repeated(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

const SHORTEST: std::time::Duration = std::time::Duration::from_millis(1);
