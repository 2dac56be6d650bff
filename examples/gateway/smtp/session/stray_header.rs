//! A PROXY header from a host of which none is expected.

use super::Session;

/// The start of a connection.
#[derive(Debug, Default)]
pub(super) struct ConnectionStart {
    /// The first octets, as many as tell a header.
    octets: Vec<u8>,
    /// It is a PROXY header, which nobody knows yet.
    is_stray: bool,
}

impl Session {
    /// Tells, once, whether the connection began with a PROXY header.
    pub(crate) fn take_stray_header(&mut self) -> bool {
        std::mem::take(&mut self.start.is_stray)
    }

    /// Tells whether the client has sent any octet.
    pub(crate) fn has_begun(&self) -> bool {
        !self.start.octets.is_empty()
    }

    /// Looks for a PROXY header in the first octets of the connection, which are not handed in.
    pub(crate) fn look_for_header(&mut self, octets: &[u8]) -> bool {
        self.start.is_stray = begins_header(octets) == Some(true);
        self.start.is_stray
    }

    /// Takes note of octets that have arrived; tells whether they complete the start of a header of version 1.
    /// That of version 2 has lines of its own, whose last has a bare end.
    pub(super) fn begin(&mut self, octets: &[u8]) -> bool {
        let known = &mut self.start.octets;
        let before = known.len();
        known.extend(octets.iter().take(BLOCK.len() - before));
        let completes = |start: &[u8]| before < start.len() && known.starts_with(start);
        let (is_line, is_block) = (completes(LINE), completes(BLOCK));
        self.start.is_stray |= is_line || is_block;
        is_line
    }
}

/// Tells whether the first octets of a connection are those of a PROXY header; `None` if further ones decide that.
pub(crate) fn begins_header(octets: &[u8]) -> Option<bool> {
    if [LINE, BLOCK].iter().any(|start| octets.starts_with(start)) {
        return Some(true);
    }
    let may_go_on = [LINE, BLOCK].iter().any(|start| start.starts_with(octets));
    (!may_go_on).then_some(false)
}

/// The first octets of a header of version 1, and of version 2.
const LINE: &[u8] = b"PROXY ";
const BLOCK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
