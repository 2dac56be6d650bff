//! A PROXY header from a host of which none is expected.

use super::Session;

/// The start of a connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ConnectionStart {
    /// The client has sent nothing yet.
    #[default]
    Silent,
    /// The client has sent something.
    Begun,
    /// The connection began with a PROXY header, which nobody knows yet.
    StrayHeader,
}

impl Session {
    /// Tells, once, whether the connection began with a PROXY header.
    pub(crate) fn take_stray_header(&mut self) -> bool {
        let is_stray = self.start == ConnectionStart::StrayHeader;
        if is_stray {
            self.start = ConnectionStart::Begun;
        }
        is_stray
    }

    /// Tells whether the client has sent any octet.
    pub(crate) fn has_begun(&self) -> bool {
        self.start != ConnectionStart::Silent
    }

    /// Looks for a PROXY header in the first octets of the connection.
    pub(crate) fn look_for_header(&mut self, bytes: &[u8]) -> bool {
        let is_header = !self.has_begun() && STARTS.iter().any(|start| bytes.starts_with(start));
        if is_header {
            self.start = ConnectionStart::StrayHeader;
        }
        is_header
    }

    /// Takes note that octets have arrived.
    pub(super) fn begin(&mut self, bytes: &[u8]) {
        if self.start == ConnectionStart::Silent && !bytes.is_empty() {
            self.start = ConnectionStart::Begun;
        }
    }
}

/// The first octets of a header of version 1 and of version 2. Either comes in one segment.
const STARTS: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
