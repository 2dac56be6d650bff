//! Mail servers that tools connect to.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::shown::Done;

const PATIENCE: Duration = Duration::from_secs(20);

/// Connects to a server; each read and write may take twenty seconds.
///
/// # Errors
///
/// Those of the name and the connection.
pub fn connect(host: &str, port: u16) -> Result<TcpStream, Box<dyn Error>> {
    let address = (host, port).to_socket_addrs()?.next();
    let stream = TcpStream::connect_timeout(&address.ok_or("no address")?, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Connects to a server, and speaks SMTP up to TLS.
///
/// # Errors
///
/// Those of [`connect`], and a reply other than expected.
pub fn start_tls(host: &str, port: u16) -> Result<TcpStream, Box<dyn Error>> {
    let mut stream = connect(host, port)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    reply(&mut lines, "220")?;
    stream.write_all(b"EHLO localhost\r\n")?;
    reply(&mut lines, "250")?;
    stream.write_all(b"STARTTLS\r\n")?;
    reply(&mut lines, "220")?;
    Ok(stream)
}

/// Reads a reply to its last line.
fn reply(lines: &mut impl BufRead, code: &str) -> Done {
    for _ in 0..200 {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if !line.starts_with(code) {
            return Err(format!("the server says {:?} instead of {code}", line.trim_end()).into());
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    Err("the server's reply does not end".into())
}
