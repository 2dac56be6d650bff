//! The messages that a client has sent, and their replies.

use std::io::{self, Write as _};

use super::sender::{Connection, Numbers};

/// A message that a client has begun to send, and its reply.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The client's own name for it.
    pub(crate) name: String,
    /// The id in the 250, if one came.
    pub(crate) id: Option<String>,
}

/// Sends messages of up to `lines` lines until the server is gone or `count` were sent; returns all
/// that were begun.
pub(crate) fn send(
    address: &str,
    client: &str,
    count: usize,
    lines: u64,
    numbers: &mut Numbers,
) -> Vec<Sent> {
    let mut sent = Vec::new();
    // The server is killed in the midst of it: that is no failure here.
    let _ = try_send(address, client, count, lines, numbers, &mut sent);
    sent
}

fn try_send(
    address: &str,
    client: &str,
    count: usize,
    lines: u64,
    numbers: &mut Numbers,
    sent: &mut Vec<Sent>,
) -> io::Result<()> {
    let mut connection = Connection::open(address)?;
    for number in 0..count {
        let name = format!("{client}-{number}");
        sent.push(Sent { name: name.clone(), id: None });
        let id = connection.send(&name, lines, numbers)?;
        if let Some(last) = sent.last_mut() {
            last.id = Some(id);
        }
    }
    connection.stream.write_all(b"QUIT\r\n")
}
