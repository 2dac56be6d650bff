//! A load client that measures the time from the final dot to the final reply.
//!
//! Each session is a connection and a thread of its own; it sends its messages one after the other
//! without pipelining, as `smtp-source -d` of Postfix does, so that the two can be compared.

mod connection;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use connection::{Connection, Envelope, Security};

const USAGE: &str = "\
usage: smtp_load messages ADDRESS:PORT SESSIONS MESSAGES BODY FROM RCPT
       smtp_load idle ADDRESS:PORT CONNECTIONS
       smtp_load beside ADDRESS:PORT NEIGHBOUR SECONDS BODY FROM RCPT

With `tls` before the command, each connection is secured by STARTTLS. BODY is a number of octets, or
the file of a message.

messages  sends so many MESSAGES, and prints one line: messages a second, and the 50th and
          99th percentile and the maximum of the final reply's delay in microseconds
idle      opens CONNECTIONS, prints `ready` when each has its banner, and holds them until its
          standard input ends
beside    sends messages through one connection for so long, beside a NEIGHBOUR that sends as much as
          it can: `accepted`, messages too, or `refused`, recipients that the server does not take, in
          one stream; prints how many messages it got through in a second, and what the neighbour did";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (security, arguments) = match arguments.split_first() {
        Some((&"tls", rest)) => (Security::Tls, rest),
        _ => (Security::None, arguments.as_slice()),
    };
    let outcome = match *arguments {
        ["messages", server, sessions, count, octets, from, rcpt] => {
            messages(server, security, sessions, count, octets, &Envelope::new(from, rcpt))
        }
        ["idle", server, connections] => idle(server, security, connections),
        ["beside", server, neighbour, seconds, octets, from, rcpt] => {
            beside(server, neighbour, seconds, octets, &Envelope::new(from, rcpt))
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn messages(
    server: &str,
    security: Security,
    sessions: &str,
    count: &str,
    octets: &str,
    envelope: &Envelope,
) -> Result<(), Box<dyn Error>> {
    let server: SocketAddr = server.parse()?;
    let sessions: NonZeroUsize = sessions.parse()?;
    let each = count.parse::<usize>()? / sessions;
    let body = body(octets)?;
    let start = Instant::now();
    let mut delays = thread::scope(|scope| {
        let run = || session(server, security, each, envelope, &body);
        let threads: Vec<_> = (0..sessions.get()).map(|_| scope.spawn(run)).collect();
        let mut delays = Vec::new();
        for thread in threads {
            delays.extend(thread.join().map_err(|_| io::Error::other("a session panicked"))??);
        }
        Ok::<_, io::Error>(delays)
    })?;
    let took = start.elapsed();
    delays.sort_unstable();
    let rate = u128::from(u64::try_from(delays.len())?) * 1_000_000 / took.as_micros().max(1);
    let at = |percent| percentile(&delays, percent).as_micros();
    println!("{rate} msgs/s p50 {} us p99 {} us max {} us", at(50), at(99), at(100));
    Ok(())
}

/// Sends `count` messages through one connection; returns how long each final reply took.
fn session(
    server: SocketAddr,
    security: Security,
    count: usize,
    envelope: &Envelope,
    body: &[u8],
) -> io::Result<Vec<Duration>> {
    let mut delays = Vec::with_capacity(count);
    let mut connection = Connection::open(server, security)?;
    for _ in 0..count {
        delays.push(connection.message(envelope, body)?);
    }
    connection.command(b"QUIT\r\n", b'2')?;
    Ok(delays)
}

fn idle(server: &str, security: Security, connections: &str) -> Result<(), Box<dyn Error>> {
    let server: SocketAddr = server.parse()?;
    let open = |_| Connection::open(server, security);
    let held: Vec<_> = (0..connections.parse()?).map(open).collect::<io::Result<_>>()?;
    println!("ready");
    io::stdin().read_to_end(&mut Vec::new())?;
    drop(held);
    Ok(())
}

fn beside(
    server: &str,
    neighbour: &str,
    seconds: &str,
    octets: &str,
    envelope: &Envelope,
) -> Result<(), Box<dyn Error>> {
    let server: SocketAddr = server.parse()?;
    let time = Duration::from_secs(seconds.parse()?);
    let body = body(octets)?;
    let over = AtomicBool::new(false);
    let (sent, done) = thread::scope(|scope| {
        let other = || match neighbour {
            "accepted" => accepted(server, envelope, &body, &over),
            _ => refused(server, &over),
        };
        let other = scope.spawn(other);
        thread::sleep(time / 4); // Until the neighbour is at full speed.
        let start = Instant::now();
        let mut sent = 0;
        let outcome = Connection::open(server, Security::None).and_then(|mut connection| {
            while start.elapsed() < time {
                connection.message(envelope, &body)?;
                sent += 1;
            }
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        let done = other.join().map_err(|_| io::Error::other("the neighbour panicked"))??;
        outcome.map(|()| (sent, done))
    })?;
    let (each, whole) = (time.as_secs().max(1), time.as_secs().max(1) * 5 / 4);
    println!("{} msgs/s beside {} {neighbour}/s", sent / each, done / whole.max(1));
    Ok(())
}

/// Sends messages until it is `over`; returns how many.
fn accepted(
    server: SocketAddr,
    envelope: &Envelope,
    body: &[u8],
    over: &AtomicBool,
) -> io::Result<u64> {
    let mut connection = Connection::open(server, Security::None)?;
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) {
        connection.message(envelope, body)?;
        sent += 1;
    }
    Ok(sent)
}

/// Sends recipients that are refused, in one stream, until it is `over`; comes back when it is turned
/// out. Returns how many were refused.
fn refused(server: SocketAddr, over: &AtomicBool) -> io::Result<u64> {
    let recipients = "RCPT TO:<nobody@refused.invalid>\r\n".repeat(1000);
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let mut connection = Connection::open(server, Security::None)?;
        connection.command(b"MAIL FROM:<flood@load.test>\r\n", b'2')?;
        let mut stream = connection.socket().try_clone()?;
        count += thread::scope(|scope| {
            let flood = scope.spawn(|| {
                while !over.load(Ordering::Relaxed)
                    && stream.write_all(recipients.as_bytes()).is_ok()
                {}
                // So that the reader comes to its end.
                let _ = stream.shutdown(Shutdown::Write);
            });
            let mut count = 0;
            while connection.reply(b'5').is_ok() {
                count += 1;
            }
            let _ = connection.socket().shutdown(Shutdown::Both);
            let _ = flood.join();
            count
        });
    }
    Ok(count)
}

/// Reads a message from a file, or makes one of about so many octets, in lines of 80 at most; its dot ends it.
fn body(what: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let Ok(octets) = what.parse::<usize>() else {
        return Ok([fs::read(what)?.as_slice(), b".\r\n"].concat());
    };
    let mut body = b"From: <load@load.test>\r\nSubject: load\r\n\r\n".to_vec();
    while body.len() < octets {
        let line = (octets - body.len()).clamp(3, 80);
        body.extend(std::iter::repeat_n(b'x', line - 2));
        body.extend(b"\r\n");
    }
    body.extend(b".\r\n");
    Ok(body)
}

/// Returns the least of the sorted `delays` that `percent` of them do not exceed.
fn percentile(delays: &[Duration], percent: usize) -> Duration {
    let rank = (delays.len() * percent).div_ceil(100).max(1);
    delays.get(rank - 1).copied().unwrap_or_default()
}
