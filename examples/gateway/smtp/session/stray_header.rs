//! A PROXY header from a host of which none is expected.

use super::Session;

impl Session {
    /// Tells, once, whether the connection began with a PROXY header.
    pub(crate) fn take_stray_header(&mut self) -> bool {
        std::mem::take(&mut self.stray_header)
    }

    /// Tells whether the client has sent any octet.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Looks for a PROXY header in the first octets of the connection.
    pub(crate) fn look_for_header(&mut self, bytes: &[u8]) -> bool {
        let is_header = !self.has_begun && STARTS.iter().any(|start| bytes.starts_with(start));
        self.stray_header |= is_header;
        is_header
    }
}

/// The first octets of a header of version 1 and of version 2. Either comes in one segment.
const STARTS: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
