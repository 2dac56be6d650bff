//! Mail servers that tools connect to.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::shown::Done;

/// The time for all that is said with a server.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most octets of a line of a reply: RFC 5321 section 4.5.3.1.5 has 512.
const MAX_LINE: u64 = 2048;
/// The most octets of a reply in an error.
const SHOWN: usize = 80;

/// A connection to a server, which ends half a minute after its begin, however slow the server is.
#[derive(Debug)]
pub struct ServerStream {
    stream: TcpStream,
    until: Instant,
}

/// Connects to a server.
///
/// # Errors
///
/// Those of the name and the connection.
pub fn connect(host: &str, port: u16) -> Result<ServerStream, Box<dyn Error>> {
    connect_for(host, port, PATIENCE)
}

fn connect_for(host: &str, port: u16, time: Duration) -> Result<ServerStream, Box<dyn Error>> {
    let until = Instant::now() + time;
    let address = (host, port).to_socket_addrs()?.next();
    let stream = TcpStream::connect_timeout(&address.ok_or("no address")?, time)?;
    Ok(ServerStream { stream, until })
}

/// Connects to a server, and speaks SMTP up to TLS.
///
/// # Errors
///
/// Those of [`connect`], and a reply other than expected.
pub fn start_tls(host: &str, port: u16) -> Result<ServerStream, Box<dyn Error>> {
    let mut lines = BufReader::new(connect(host, port)?);
    reply(&mut lines, "220")?;
    lines.get_mut().write_all(b"EHLO localhost\r\n")?;
    reply(&mut lines, "250")?;
    lines.get_mut().write_all(b"STARTTLS\r\n")?;
    reply(&mut lines, "220")?;
    if !lines.buffer().is_empty() {
        return Err("the server sends more behind its reply to STARTTLS".into());
    }
    Ok(lines.into_inner())
}

/// Reads a reply to its last line.
fn reply(lines: &mut impl BufRead, code: &str) -> Done {
    for _ in 0..200 {
        let mut line = Vec::new();
        if lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            let ended = "the server closes the connection before its reply";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, ended).into());
        }
        if !line.starts_with(code.as_bytes()) {
            let said = String::from_utf8_lossy(line.get(..SHOWN).unwrap_or(&line));
            return Err(format!("the server says {:?} instead of {code}", said.trim_end()).into());
        }
        if !line.ends_with(b"\n") {
            return Err(
                format!("a line of the server's reply does not end in {MAX_LINE} octets").into()
            );
        }
        if line.get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    Err("the server's reply does not end".into())
}

impl ServerStream {
    /// Returns the time that is left.
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the server takes too long");
        (!left.is_zero()).then_some(left).ok_or_else(late)
    }
}

impl Read for ServerStream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(room)
    }
}

impl Write for ServerStream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{connect_for, reply};

    #[test]
    fn a_reply_has_limits() {
        let long = format!("220-{}", "x".repeat(10_000));
        let endless = "250-a\r\n".repeat(300);
        for (said, error) in [
            ("554 no\r\n", "the server says \"554 no\" instead of 2"),
            (&*long, "a line of the server's reply does not end in 2048 octets"),
            (&*endless, "the server's reply does not end"),
            ("", "the server closes the connection before its reply"),
        ] {
            let found = reply(&mut BufReader::new(said.as_bytes()), "2").unwrap_err();
            assert_eq!(found.to_string(), error);
        }
        let shown = format!("5{}", "x".repeat(5000));
        let found = reply(&mut BufReader::new(shown.as_bytes()), "2").unwrap_err().to_string();
        assert!(found.len() < 150, "{found}");
        assert!(reply(&mut BufReader::new(&b"250-a\r\n250 b\r\n"[..]), "250").is_ok());
    }

    /// An octet now and then does not prolong the connection.
    #[test]
    fn a_slow_server_has_only_so_much_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let slow = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"2").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        });
        let (begun, mut read) = (Instant::now(), Vec::new());
        let mut stream = connect_for("127.0.0.1", port, Duration::from_millis(500)).unwrap();
        assert!(stream.read_to_end(&mut read).is_err());
        assert!(begun.elapsed() < Duration::from_secs(20));
        drop(stream);
        slow.join().unwrap();
    }
}
