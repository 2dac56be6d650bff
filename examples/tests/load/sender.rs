//! A client whose messages are distinguishable, and incomplete ones recognizable.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A connection whose client has said EHLO.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut replies = BufReader::new(stream.try_clone()?);
        reply(&mut replies)?;
        stream.write_all(b"EHLO client.test\r\n")?;
        reply(&mut replies)?;
        Ok(Self { stream, replies })
    }

    /// Sends a message of up to `lines` lines; returns the id in the 250.
    pub(crate) fn send(
        &mut self,
        name: &str,
        lines: u64,
        numbers: &mut Numbers,
    ) -> io::Result<String> {
        let Self { stream, replies } = self;
        stream.write_all(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@local.test>\r\nDATA\r\n")?;
        for expected in ["250", "250", "354"] {
            let reply = reply(replies)?;
            assert!(reply.starts_with(expected), "{reply}");
        }
        stream.write_all(message(name, lines, numbers).as_bytes())?;
        stream.write_all(b".\r\n")?;
        let reply = reply(replies)?;
        let (_, id) = reply.split_once("250 2.0.0 OK id=").unwrap_or_else(|| panic!("{reply}"));
        Ok(id.trim_end().to_owned())
    }
}

/// Reads a whole reply; returns its last line.
pub(crate) fn reply(replies: &mut impl BufRead) -> io::Result<String> {
    loop {
        let mut line = String::new();
        replies.read_line(&mut line)?;
        if !line.ends_with("\r\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(line);
        }
    }
}

/// Makes a message that says how long it is and what its checksum is.
pub(crate) fn message(name: &str, most: u64, numbers: &mut Numbers) -> String {
    // Most are small, and a few as long as they may be.
    let lines = match numbers.below(100) {
        0 => numbers.below(most),
        1..10 => numbers.below(most.min(1000)),
        _ => numbers.below(most.min(100)),
    };
    let mut body = String::new();
    for _ in 0..lines {
        // Writing to a String cannot fail.
        let _ = write!(body, "{:016x} of {name}\r\n", numbers.next());
    }
    let sum = crc32c::crc32c(body.as_bytes());
    format!("X-Name: {name}\r\nX-Whole: {} {sum:08x}\r\n\r\n{body}", body.len())
}
